"""What counts as an update of a stack, and the description that it leaves.

- A change of outputs alone is an update. Its change set is executable and lists no change
  (aws/aws-cdk pull request 2029; jenkinsci/pipeline-aws-plugin pull request 253).
- The description cannot be updated alone, and neither can what else changes no resource
  (CloudFormation User Guide, "CloudFormation template Description syntax": "You can update it only
  when you include changes that add, modify, or delete resources"; the sections on metadata and
  conditions say the same). UpdateStack and change sets agree on it.
- A resource whose condition is false is not there. So a parameter that turns a condition adds or
  removes its resources (CloudFormation User Guide, "Conditions": "At stack update, ... Resources that
  are now associated with a false condition are deleted").
- DescribeStacks shows the description of the template with which the stack was last created or
  updated (API Reference, Stack: "A user-defined description found in the template").
"""

from collections.abc import Mapping
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "CloudFormation:CreateChangeSet": "a change of outputs alone is no change",
    "CloudFormation:DescribeStacks": "an update keeps the description of the creation",
    "changesets._resolve_props_for_diff": "a resource with a false condition counts as there",
    "CloudFormation:ListStacks": "an update keeps the description of the creation",
    "stack_handlers._stack_has_no_updates": "any other text of the template is an update",
}

_NO_CHANGES = "The submitted information didn't contain changes"

Params = Mapping[str, Any]
Document = Mapping[str, Any]


def install(patcher: Patcher) -> None:
    """Correct which updates there are, and the description that a stack shows."""
    _install_conditions(patcher)
    _install_change_sets(patcher)
    _install_updates(patcher)
    _install_descriptions(patcher)


def _install_conditions(patcher: Patcher) -> None:
    """Compare only the resources that a version of a stack has."""
    changesets = patcher.ministack.changesets

    def resolve_props_for_diff(
        template: Document, params: Document, stack_name: str, stack_id: str
    ) -> Document:
        resolved: Document = original(template, params, stack_name, stack_id)
        if not resolved:
            return resolved
        conditions = changesets._evaluate_conditions(template, params)
        resources = {
            name: resource
            for name, resource in resolved["Resources"].items()
            if conditions.get(resource.get("Condition"), True)
        }
        return {**resolved, "Resources": resources}

    original = patcher.replace("changesets._resolve_props_for_diff", resolve_props_for_diff)


def _install_change_sets(patcher: Patcher) -> None:
    """Let a change of outputs alone make an executable change set without changes."""
    ministack = patcher.ministack
    service = ministack.cloudformation
    original = service._ACTION_HANDLERS["CreateChangeSet"]

    def create_change_set(params: Params) -> Any:
        before = set(service._change_sets)
        answer = original(params)
        for change_set_id in set(service._change_sets) - before:
            change_set = service._change_sets[change_set_id]
            stack = service._stacks[change_set["StackName"]]
            if _is_empty(change_set) and _outputs_differ(ministack, stack, change_set):
                change_set["Status"] = "CREATE_COMPLETE"
                change_set["ExecutionStatus"] = "AVAILABLE"
                change_set["StatusReason"] = ""
        return answer

    patcher.replace_action("CreateChangeSet", create_change_set)


def _is_empty(change_set: Document) -> bool:
    """Return whether an update failed because it changes no resource."""
    is_update = change_set["ChangeSetType"] == "UPDATE"
    return is_update and str(change_set["StatusReason"]).startswith(_NO_CHANGES)


def _install_updates(patcher: Patcher) -> None:
    """Refuse an UpdateStack that changes neither resources nor outputs nor tags."""
    ministack = patcher.ministack

    def stack_has_no_updates(
        stack: Document,
        template: Document,
        param_values: Document,
        tags: Any,
        use_previous_template: bool = False,  # noqa: FBT001, FBT002 - MiniStack's signature
        tags_given: bool = False,  # noqa: FBT001, FBT002 - MiniStack's signature
    ) -> bool:
        if no_updates_original(
            stack, template, param_values, tags, use_previous_template, tags_given
        ):
            return True
        # A dynamic reference may have another value than before, which only the update can tell.
        if ministack.stack_handlers._has_dynamic_references(template):
            return False

        wanted = {"_template": template, "_resolved_params": param_values}
        return not (
            ministack.stacks._stack_tags_changed(stack, tags, tags_given)
            or _outputs_differ(ministack, stack, wanted)
            or _resources_differ(ministack, stack, wanted)
        )

    no_updates_original = patcher.replace(
        "stack_handlers._stack_has_no_updates", stack_has_no_updates
    )


def _install_descriptions(patcher: Patcher) -> None:
    """Show the description of the template that a stack was last created or updated with."""
    service = patcher.ministack.cloudformation

    def describing(action: str) -> None:
        original = service._ACTION_HANDLERS[action]

        def describe(params: Params) -> Any:
            for stack in service._stacks.values():
                template = stack.get("_template")
                if template:
                    stack["Description"] = template.get("Description", "")
            return original(params)

        patcher.replace_action(action, describe)

    for action in ("DescribeStacks", "ListStacks"):
        describing(action)


def _resources_differ(ministack: MiniStack, stack: Document, wanted: Document) -> bool:
    """Return whether two versions of a stack have different resources."""
    changesets = ministack.changesets
    names = (stack["StackName"], stack["StackId"])
    parameters = wanted["_resolved_params"]
    before_parameters = stack["_resolved_params"]
    changed = {
        name
        for name, value in parameters.items()
        if before_parameters.get(name, {}).get("Value") != value.get("Value")
    }

    before = changesets._resolve_props_for_diff(stack["_template"], before_parameters, *names)
    after = changesets._resolve_props_for_diff(wanted["_template"], parameters, *names)
    return bool(
        changesets._diff_resources(
            before, after, stack.get("_resources"), wanted["_template"], changed
        )
    )


def _outputs_differ(ministack: MiniStack, stack: Document, wanted: Document) -> bool:
    """Return whether two versions of a stack declare different outputs.

    An output differs when its text does, or the value of a parameter or a condition in it.
    """
    before = _resolved_outputs(ministack, stack, stack)
    after = _resolved_outputs(ministack, stack, wanted)
    return bool(before != after)


def _resolved_outputs(ministack: MiniStack, stack: Document, version: Document) -> Any:
    """Return the outputs of a version, with parameters and conditions resolved where they can be.

    MiniStack resolves the properties of resources for a comparison, so each output is put into one.
    """
    template = version["_template"] or {}
    outputs = template.get("Outputs") or {}
    as_resources = {
        name: {"Type": "Output", "Properties": output} for name, output in outputs.items()
    }
    resolved = ministack.changesets._resolve_props_for_diff(
        {**template, "Resources": as_resources},
        version["_resolved_params"],
        stack["StackName"],
        stack["StackId"],
    )
    conditions = ministack.changesets._evaluate_conditions(template, version["_resolved_params"])
    return {
        name: resource["Properties"]
        for name, resource in resolved.get("Resources", {}).items()
        if conditions.get(outputs[name].get("Condition"), True)
    }
