"""Change sets: what a deployment and a plan share, and the preview of an update for a plan."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import ClientError

from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.errors import code_of, translated
from deploytool.aws.failures import failures_of_change_set
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.yamltext import load_yaml
from deploytool.core.stacks.changes import DeployedTemplate, Effect, PropertyChange, ResourceChange
from deploytool.core.stacks.stack import StackRequest

if TYPE_CHECKING:
    from typing import Unpack

    from mypy_boto3_cloudformation.literals import CapabilityType, DeploymentModeType
    from mypy_boto3_cloudformation.type_defs import (
        DeploymentConfigTypeDef,
        DescribeChangeSetOutputTypeDef,
        ParameterTypeDef,
        ResourceChangeTypeDef,
        ResourceTargetDefinitionTypeDef,
        TagTypeDef,
    )

CAPABILITIES: "Sequence[CapabilityType]" = [
    "CAPABILITY_IAM",
    "CAPABILITY_NAMED_IAM",
    "CAPABILITY_AUTO_EXPAND",
]

# A stack or a change set of that name exists, or the token belongs to an earlier operation (API
# reference of CreateStack and CreateChangeSet).
TAKEN = {"AlreadyExistsException", "TokenAlreadyExistsException"}

# A change set without changes has the status FAILED and one of these reasons (CloudFormation
# Developer Guide, change sets).
NO_CHANGES = (
    "The submitted information didn't contain changes",
    "No updates are to be performed",
)

# The actions of a change set (API reference of ResourceChange). The rest is Modify, whose effect the
# replacement tells.
EFFECTS = {
    "Add": Effect.CREATE,
    "Remove": Effect.DELETE,
    "Import": Effect.IMPORT,
    "Dynamic": Effect.PERHAPS_UPDATE,
}
REPLACEMENTS = {"True": Effect.REPLACE, "Conditional": Effect.PERHAPS_REPLACE}

# The value of a property that only the update itself can tell (coverage-roadmap issue 2113).
KNOWN_AFTER = "{{changeSet:KNOWN_AFTER_APPLY}}"


class ChangeSetOptions(TypedDict, total=False):
    """The arguments in which the change sets of a deployment and of a plan differ."""

    Description: str
    DeploymentConfig: "DeploymentConfigTypeDef"
    RoleARN: str
    DeploymentMode: "DeploymentModeType"


class ChangeSets:
    """The Previews port on botocore."""

    def __init__(self, calls: CloudFormationCalls) -> None:
        self._calls = calls

    def preview(
        self, region: str, request: StackRequest, *, values: bool
    ) -> Sequence[ResourceChange] | None:
        """CreateChangeSet, DescribeChangeSet to its last page, and always DeleteChangeSet."""
        client = self._calls.client(region)
        with translated(f"planning {request.name} in {region}"):
            change_set = create_change_set(
                self._calls,
                region,
                request,
                Description="made by deploytool plan, which deletes it again",
            )
            # A change set that stays looks in the console as if someone had to execute it.
            try:
                return self._changes(region, change_set, values=values)
            finally:
                self._calls.call(region, client.delete_change_set, ChangeSetName=change_set)

    def _changes(
        self, region: str, change_set: str, *, values: bool
    ) -> Sequence[ResourceChange] | None:
        """Wait until the change set is ready, and read the changes of every page.

        A change set that changes outputs alone is complete and lists nothing (aws/aws-cdk pull
        request 2029).
        """
        description = wait_for_change_set(self._calls, region, change_set)
        if has_no_changes(description):
            return None
        if description["Status"] == "FAILED":
            reason = failure_of(self._calls, region, change_set, description)
            raise DeploytoolError(f"CloudFormation cannot plan this update: {reason}")

        changes: list[ResourceChange] = []
        pages = self._calls.pages(
            region,
            self._calls.client(region).describe_change_set,
            ChangeSetName=change_set,
            IncludePropertyValues=values,
        )
        for page in pages:
            for change in page["Changes"]:
                # A resource is the only entity that changes so far (API reference of Change).
                if "ResourceChange" in change:
                    changes.append(_resource_change(change["ResourceChange"]))
        return changes

    def deployed(self, region: str, stack_id: str) -> DeployedTemplate:
        """GetTemplate and DescribeStacks."""
        client = self._calls.client(region)
        with translated(f"reading the template of {stack_id}"):
            template = self._calls.read(
                region, client.get_template, StackName=stack_id, TemplateStage="Original"
            )
            stacks = self._calls.read(region, client.describe_stacks, StackName=stack_id)
        stack = stacks["Stacks"][0]

        # The stubs declare the body of any template as a mapping. Botocore parses JSON, and gives
        # YAML as text.
        body: Mapping[str, object] | str = template["TemplateBody"]
        document = load_yaml(body, stack["StackName"]) if isinstance(body, str) else body

        parameters = {
            parameter["ParameterKey"]: parameter.get("ParameterValue", "")
            for parameter in stack.get("Parameters", [])
        }
        return DeployedTemplate(document, parameters)


def create_change_set(
    calls: CloudFormationCalls,
    region: str,
    request: StackRequest,
    **options: "Unpack[ChangeSetOptions]",
) -> str:
    """CreateChangeSet; return the id of the change set.

    The name of a change set is the token, which identifies the content of the request. So one that
    has the name already was made by an earlier run, or by this call when its answer was lost.
    Raises ClientError.
    """
    client = calls.client(region)
    try:
        created = calls.call(
            region,
            client.create_change_set,
            StackName=request.name,
            ChangeSetName=request.token,
            ClientToken=request.token,
            ChangeSetType="UPDATE",
            TemplateBody=request.body,
            Parameters=api_parameters(request),
            Tags=api_tags(request),
            Capabilities=CAPABILITIES,
            **options,
        )
    except ClientError as error:
        if code_of(error) not in TAKEN:
            raise
        existing = calls.read(
            region,
            client.describe_change_set,
            StackName=request.name,
            ChangeSetName=request.token,
        )
        return existing["ChangeSetId"]
    return created["Id"]


def wait_for_change_set(
    calls: CloudFormationCalls, region: str, change_set: str
) -> "DescribeChangeSetOutputTypeDef":
    """DescribeChangeSet until its status is CREATE_COMPLETE or FAILED."""
    describe = calls.client(region).describe_change_set
    return calls.poll(
        lambda: calls.read(region, describe, ChangeSetName=change_set),
        lambda description: description["Status"] in {"CREATE_COMPLETE", "FAILED"},
    )


def has_no_changes(description: "DescribeChangeSetOutputTypeDef") -> bool:
    """Return whether a change set failed because the update would change nothing."""
    reason = description.get("StatusReason", "")
    return description["Status"] == "FAILED" and any(text in reason for text in NO_CHANGES)


def failure_of(
    calls: CloudFormationCalls,
    region: str,
    change_set: str,
    description: "DescribeChangeSetOutputTypeDef",
) -> str:
    """Return why a change set failed, with the resource and the place in the template if known.

    `change_set` is its ARN.

    DescribeEvents is asked about every failure, not only where the reason is known to be short: its
    text is no part of the API (aws-cdk-cli pull request 1461).
    """
    report = failures_of_change_set(calls, region, change_set)
    return report.explain(description.get("StatusReason", ""))


def api_parameters(request: StackRequest) -> "list[ParameterTypeDef]":
    """Return the parameters of a request as the API takes them.

    UsePreviousValue keeps a value as it is deployed, also one that CloudFormation does not show (API
    reference of Parameter).
    """
    parameters: list[ParameterTypeDef] = []
    for key, value in request.parameters.items():
        if key in request.kept:
            parameters.append({"ParameterKey": key, "UsePreviousValue": True})
        else:
            parameters.append({"ParameterKey": key, "ParameterValue": value})
    return parameters


def api_tags(request: StackRequest) -> "list[TagTypeDef]":
    """Return the tags of a request as the API takes them."""
    return [{"Key": key, "Value": value} for key, value in request.tags.items()]


def _resource_change(change: "ResourceChangeTypeDef") -> ResourceChange:
    effect = _effect(change)

    # Of a new resource every property is new: listing them tells nothing.
    properties: dict[str, PropertyChange] = {}
    if effect is not Effect.CREATE:
        for detail in change.get("Details", []):
            if "Target" in detail:
                property_change = _property_change(detail["Target"])
                properties[property_change.path] = property_change

    return ResourceChange(
        effect,
        change["LogicalResourceId"],
        change.get("ResourceType", ""),
        tuple(properties.values()),
    )


def _effect(change: "ResourceChangeTypeDef") -> Effect:
    # A resource that leaves the stack is kept when its DeletionPolicy is Retain.
    if change["Action"] == "Remove" and change.get("PolicyAction") == "Retain":
        return Effect.RETAIN
    if change["Action"] in EFFECTS:
        return EFFECTS[change["Action"]]
    return REPLACEMENTS.get(change.get("Replacement", ""), Effect.UPDATE)


def _property_change(target: "ResourceTargetDefinitionTypeDef") -> PropertyChange:
    """Read the target of a change.

    `Path` (/Properties/A/B) is present when the values are, `Name` when they are not. Attributes
    other than Properties, such as Tags, have neither.
    """
    path = target.get("Path", "").removeprefix("/Properties/").replace("/", ".").strip(".")
    after = target.get("AfterValue")
    if after == KNOWN_AFTER:
        after = "(known once it is done)"
    return PropertyChange(
        path or target.get("Name") or target.get("Attribute", ""), target.get("BeforeValue"), after
    )
