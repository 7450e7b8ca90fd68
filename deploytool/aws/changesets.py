"""What an update would change, from a change set that is made, read and deleted again."""

from collections.abc import Mapping, Sequence
from typing import Any

from deploytool.aws.cloudformation import CAPABILITIES, FIRST_WAIT, LONGEST_WAIT, NO_CHANGES
from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients
from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Clock
from deploytool.core.project.template import load_yaml
from deploytool.core.stacks.changes import DeployedTemplate, Effect, PropertyChange, ResourceChange
from deploytool.core.stacks.stack import StackRequest

EFFECTS = {
    "Add": Effect.CREATE,
    "Remove": Effect.DELETE,
    "Import": Effect.IMPORT,
    "Dynamic": Effect.PERHAPS_UPDATE,
}
REPLACEMENTS = {"True": Effect.REPLACE, "Conditional": Effect.PERHAPS_REPLACE}

KNOWN_AFTER = "{{changeSet:KNOWN_AFTER_APPLY}}"  # coverage-roadmap issue 2113


class ChangeSets:
    """The Previews port on boto3."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients, self._clock = clients, clock

    def preview(
        self, region: str, request: StackRequest, *, values: bool
    ) -> Sequence[ResourceChange]:
        """CreateChangeSet, DescribeChangeSet to its last page, DeleteChangeSet whatever
        happened.
        """
        client = self._client(region)
        with translated(f"planning {request.name} in {region}"):
            made = client.create_change_set(
                StackName=request.name,
                ChangeSetName=request.token,
                ClientToken=request.token,
                ChangeSetType="UPDATE",
                Description="made by deploytool plan, which deletes it again",
                TemplateBody=request.body,
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value}
                    for key, value in request.parameters.items()
                ],
                Tags=[{"Key": key, "Value": value} for key, value in request.tags.items()],
                Capabilities=CAPABILITIES,
            )
            try:
                if not self._is_ready(client, made["Id"]):
                    return ()
                pages = client.get_paginator("describe_change_set").paginate(
                    ChangeSetName=made["Id"], IncludePropertyValues=values
                )
                return [
                    _change(each["ResourceChange"])
                    for page in pages
                    for each in page["Changes"]
                    if "ResourceChange" in each
                ]
            finally:
                client.delete_change_set(ChangeSetName=made["Id"])

    def _is_ready(self, client: Any, change_set: str) -> bool:  # noqa: ANN401  # a boto3 client
        wait = FIRST_WAIT
        while True:
            found = client.describe_change_set(ChangeSetName=change_set)
            if found["Status"] == "CREATE_COMPLETE":
                return True
            if found["Status"] == "FAILED":
                reason = str(found.get("StatusReason", ""))
                if any(words in reason for words in NO_CHANGES):
                    return False
                raise DeploytoolError(f"CloudFormation cannot plan this update: {reason}")
            self._clock.sleep(wait)
            wait = min(1.5 * wait, LONGEST_WAIT)

    def deployed(self, region: str, stack_id: str) -> DeployedTemplate:
        """GetTemplate and DescribeStacks."""
        client = self._client(region)
        with translated(f"reading the template of {stack_id}"):
            body = client.get_template(StackName=stack_id, TemplateStage="Original")["TemplateBody"]
            stack = client.describe_stacks(StackName=stack_id)["Stacks"][0]
        # Botocore parses JSON itself
        document = load_yaml(body, stack["StackName"]) if isinstance(body, str) else body
        parameters = {
            each["ParameterKey"]: each.get("ParameterValue", "")
            for each in stack.get("Parameters", [])
        }
        return DeployedTemplate(document, parameters)

    def _client(self, region: str) -> Any:  # noqa: ANN401  # a boto3 client
        return self._clients.get("cloudformation", region)


def _change(found: Mapping[str, Any]) -> ResourceChange:
    """One ResourceChange of a change set. A resource that leaves the stack may be kept
    (PolicyAction Retain).
    """
    effect = EFFECTS.get(found["Action"]) or REPLACEMENTS.get(
        found.get("Replacement", ""), Effect.UPDATE
    )
    if effect is Effect.DELETE and found.get("PolicyAction") == "Retain":
        effect = Effect.RETAIN
    targets = (
        [each["Target"] for each in found.get("Details", []) if "Target" in each]
        if effect is not Effect.CREATE
        else []
    )
    properties = {change.path: change for change in map(_property, targets)}
    return ResourceChange(
        effect,
        found["LogicalResourceId"],
        found.get("ResourceType", ""),
        tuple(properties.values()),
    )


def _property(target: Mapping[str, Any]) -> PropertyChange:
    """A Target: `Path` (/Properties/A/B) comes with the values, `Name` without; other attributes
    (Tags) have neither.
    """
    after = (
        "(known once it is done)"
        if target.get("AfterValue") == KNOWN_AFTER
        else target.get("AfterValue")
    )
    path = str(target.get("Path", "")).removeprefix("/Properties/").replace("/", ".").strip(".")
    return PropertyChange(
        path or target.get("Name") or target.get("Attribute", ""), target.get("BeforeValue"), after
    )
