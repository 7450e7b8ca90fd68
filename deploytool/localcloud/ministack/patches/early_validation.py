"""Early validation of change sets, and its reasons in DescribeEvents.

A change set that does not pass fails with a status reason that names the validation alone.
DescribeEvents has the reasons, by the ARN of the change set; its name is refused (API Reference,
DescribeEvents and OperationEvent; aws/aws-cdk-cli pull request 970 and aws-cloudformation/rain pull
request 744 quote the status reason; aws-cloudformation/cloudformation-cli issue 1116 on the name).
MiniStack validates CreateStack and UpdateStack alone.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.existing_names import NAME_CONFLICT
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "CloudFormation:CreateChangeSet": "change sets are not validated",
    "CloudFormation:DescribeEvents": "change sets have no events",
}

Params = Mapping[str, Any]
Errors = Sequence[tuple[str, str, str, str, str]]
# The key under which MiniStack keeps the operation events of a stack
_EVENTS = "_operation_events"


def install(patcher: Patcher) -> None:
    """Validate each change set that is created, and tell the reasons of one that fails."""
    _install_creation(patcher)
    _install_events(patcher)


def _install_creation(patcher: Patcher) -> None:
    ministack = patcher.ministack
    service = ministack.cloudformation
    original = service._ACTION_HANDLERS["CreateChangeSet"]

    def create_change_set(params: Params) -> Any:
        before = set(service._change_sets)
        answer = original(params)
        for change_set_id in set(service._change_sets) - before:
            _validate(ministack, service._change_sets[change_set_id])
        return answer

    patcher.replace_action("CreateChangeSet", create_change_set)


def _validate(ministack: MiniStack, change_set: dict[str, Any]) -> None:
    """Let a change set fail whose template does not pass validation."""
    if change_set["Status"] != "CREATE_COMPLETE" or change_set["ChangeSetType"] == "IMPORT":
        return
    stack = ministack.cloudformation._stacks[change_set["StackName"]]
    with ministack.stacks._stack_region_context(stack, stack["StackId"]):
        errors = _errors(ministack, change_set, stack)
    if not errors:
        return

    # The names of the two validations, from the sources above
    names = {
        "ResourceExistenceCheck" if error[2] == NAME_CONFLICT else "PropertyValidation"
        for error in errors
    }
    hooks = ", ".join(f"AWS::EarlyValidation::{name}" for name in sorted(names))
    change_set["Status"] = "FAILED"
    change_set["ExecutionStatus"] = "UNAVAILABLE"
    change_set["StatusReason"] = (
        f"The following hook(s)/validation failed: [{hooks}]. To troubleshoot Early Validation "
        "errors, use the DescribeEvents API for detailed failure information."
    )
    change_set[_EVENTS] = _events(ministack, change_set, errors)


def _errors(
    ministack: MiniStack, change_set: Mapping[str, Any], stack: Mapping[str, Any]
) -> Errors:
    """Return the errors of the template, each with logical id, type, validation, path and reason."""
    template = change_set["_template"]
    parameters = change_set["_resolved_params"]
    definitions = template.get("Resources") or {}
    conditions = ministack.changesets._evaluate_conditions(template, parameters)
    buckets = frozenset(
        record.get("PhysicalResourceId", "")
        for record in stack.get("_resources", {}).values()
        if record.get("ResourceType") == "AWS::S3::Bucket"
    )
    errors: Errors = ministack.stacks._validation_errors(
        definitions,
        ministack.changesets._topological_sort(definitions, conditions),
        parameters,
        conditions,
        template.get("Mappings", {}),
        stack["StackName"],
        stack["StackId"],
        buckets,
    )
    # The import of an existing resource needs its name to exist.
    imported = change_set.get("_import_existing") or {}
    return [error for error in errors if error[0] not in imported]


def _events(
    ministack: MiniStack, change_set: Mapping[str, Any], errors: Errors
) -> list[dict[str, Any]]:
    """Return the operation events of a change set that failed."""
    operation_id = str(uuid.uuid4())
    return [
        ministack.stacks._operation_event(
            change_set["StackId"],
            operation_id,
            "VALIDATION_ERROR",
            "CREATE_CHANGESET",
            LogicalResourceId=logical_id,
            ResourceType=resource_type,
            ValidationFailureMode="FAIL",
            ValidationName=validation,
            ValidationStatus="FAILED",
            ValidationStatusReason=reason,
            ValidationPath=path,
        )
        for logical_id, resource_type, validation, path, reason in errors
    ]


def _install_events(patcher: Patcher) -> None:
    ministack = patcher.ministack
    service = ministack.cloudformation
    handlers = ministack.stack_handlers
    original = service._ACTION_HANDLERS["DescribeEvents"]

    def describe_events(params: Params) -> Any:
        arn = handlers._p(params, "ChangeSetName")
        if not arn:
            return original(params)
        if not arn.startswith("arn:"):
            return handlers._error("ValidationError", "ChangeSetName must be an ARN")

        change_set = service._change_sets.get(arn)
        if change_set is None:
            return handlers._error("ChangeSetNotFound", f"ChangeSet [{arn}] does not exist", 404)

        # The original reads the events of a stack, by the id of one that nobody can have.
        key = f"events-of-{arn}"
        service._stacks[key] = {"StackName": key, "StackId": key, _EVENTS: change_set.get(_EVENTS)}
        try:
            return original({**params, "ChangeSetName": [""], "StackName": [key]})
        finally:
            del service._stacks[key]

    patcher.replace_action("DescribeEvents", describe_events)
