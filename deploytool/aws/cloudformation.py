"""CloudFormation stacks, as a deployment reads and changes them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NotRequired, TypedDict

from botocore.exceptions import ClientError

from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.changesets import (
    CAPABILITIES,
    TAKEN,
    ChangeSetOptions,
    api_parameters,
    api_tags,
    create_change_set,
    failure_of,
    has_no_changes,
    wait_for_change_set,
)
from deploytool.aws.errors import code_of, message_of, translated
from deploytool.aws.failures import failures_of_operation
from deploytool.core.errors import DeploytoolError, StackExists
from deploytool.core.project.template import fingerprint_in
from deploytool.core.stacks.failures import FailureReport
from deploytool.core.stacks.stack import Stack, StackEvent, StackRequest, StackStatus

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.literals import CapabilityType, OnFailureType
    from mypy_boto3_cloudformation.type_defs import (
        DeploymentConfigTypeDef,
        ParameterTypeDef,
        StackEventTypeDef,
        StackTypeDef,
        TagTypeDef,
    )

# How CloudFormation refuses an operation that the state of a stack or of a change set does not allow
# (API references of ExecuteChangeSet, CancelUpdateStack, ContinueUpdateRollback, DeleteStack). The
# first attempt of the same call may have led to that state.
WRONG_STATE = {
    "ValidationError",
    "TokenAlreadyExistsException",
    "InvalidChangeSetStatus",
    "ChangeSetNotFound",
}

EXPRESS: "DeploymentConfigTypeDef" = {"Mode": "EXPRESS", "DisableRollback": False}


# The stubs have a type for the arguments of each operation. These name the parts that operations
# share.
class _Role(TypedDict):
    """The service role as an argument; empty when the operation has none."""

    RoleARN: NotRequired[str]


class _StackBody(TypedDict):
    """The arguments of CreateStack that say what the stack is."""

    StackName: str
    TemplateBody: str
    Parameters: "Sequence[ParameterTypeDef]"
    Tags: "Sequence[TagTypeDef]"
    Capabilities: "Sequence[CapabilityType]"
    DeploymentConfig: NotRequired["DeploymentConfigTypeDef"]
    RoleARN: NotRequired[str]


class _CreationOptions(TypedDict, total=False):
    """The arguments of CreateStack alone."""

    EnableTerminationProtection: bool
    OnFailure: "OnFailureType"


class CloudFormation:
    """The Stacks port on botocore. Reads stay within the rate budget; throttled calls are repeated.

    `role_arn` is the service role with which CloudFormation acts on resources. Without one it acts
    with the role that it keeps for the stack, or else as the caller.
    """

    def __init__(self, calls: CloudFormationCalls, role_arn: str = "") -> None:
        self._calls = calls
        self._role_arn = role_arn
        self._role: _Role = {"RoleARN": role_arn} if role_arn else {}

    def list(self, region: str) -> Mapping[str, Stack]:
        """DescribeStacks, every page: one call for each megabyte of the answer."""
        stacks: dict[str, Stack] = {}
        client = self._calls.client(region)
        with translated(f"listing the stacks of {region}"):
            for page in self._calls.pages(region, client.describe_stacks):
                for description in page["Stacks"]:
                    stacks[description["StackName"]] = _stack(description)
        return stacks

    def get(self, region: str, stack_id: str) -> Stack:
        """DescribeStacks of one stack by its id, which also gives a deleted one."""
        client = self._calls.client(region)
        with translated(f"describing {stack_id}"):
            answer = self._calls.read(region, client.describe_stacks, StackName=stack_id)
            return _stack(answer["Stacks"][0])

    def create(self, region: str, request: StackRequest) -> str:
        """CreateStack, without a change set: there is no stack to compare with."""
        client = self._calls.client(region)
        options: _CreationOptions = {}
        if request.protected:
            options["EnableTerminationProtection"] = True
        # Express mode states the rollback in its own configuration.
        if not request.express:
            options["OnFailure"] = "ROLLBACK"

        with translated(f"creating {request.name} in {region}"):
            try:
                answer = self._calls.call(
                    region,
                    client.create_stack,
                    ClientRequestToken=request.token,
                    **self._body(request),
                    **options,
                )
            except ClientError as error:
                if code_of(error) not in TAKEN:
                    raise
                message = f"creating {request.name} in {region}: {message_of(error)}"
                raise StackExists(message) from error
            return answer["StackId"]

    def update(self, region: str, request: StackRequest) -> str | None:
        """CreateChangeSet and ExecuteChangeSet; None when the change set contains no change."""
        client = self._calls.client(region)
        with translated(f"updating {request.name} in {region}"):
            options: ChangeSetOptions = {}
            if request.express:
                options["DeploymentConfig"] = EXPRESS
            if self._role_arn:
                options["RoleARN"] = self._role_arn
            if request.reverts_drift:
                options["DeploymentMode"] = "REVERT_DRIFT"
            change_set = create_change_set(self._calls, region, request, **options)
            description = wait_for_change_set(self._calls, region, change_set)

            if description["Status"] == "FAILED":
                unchanged = has_no_changes(description)
                # Read before the change set is deleted.
                reason = ""
                if not unchanged:
                    reason = failure_of(self._calls, region, change_set, description)
                self._calls.call(region, client.delete_change_set, ChangeSetName=change_set)
                if unchanged:
                    return None
                raise DeploytoolError(f"the change set failed: {reason}")

            # With any other execution status, an earlier run executed it before it was killed.
            if description.get("ExecutionStatus", "AVAILABLE") == "AVAILABLE":
                with self._begun_once(region, description["StackId"], request.token):
                    self._calls.call(
                        region,
                        client.execute_change_set,
                        ChangeSetName=change_set,
                        ClientRequestToken=request.token,
                    )
            return description["StackId"]

    @contextmanager
    def _begun_once(self, region: str, stack_id: str, token: str) -> Iterator[None]:
        """Start an operation in the block, which botocore repeats when an answer is lost.

        A refusal counts as success when an event of the stack has the token of the operation: then
        an earlier attempt of the same call has started it.
        """
        try:
            yield
        except ClientError as error:
            if code_of(error) not in WRONG_STATE:
                raise
            if not any(event.token == token for event in self.latest_events(region, stack_id)):
                raise

    def _body(self, request: StackRequest) -> _StackBody:
        body: _StackBody = {
            "StackName": request.name,
            "TemplateBody": request.body,
            "Parameters": api_parameters(request),
            "Tags": api_tags(request),
            "Capabilities": CAPABILITIES,
        }
        if request.express:
            body["DeploymentConfig"] = EXPRESS
        if self._role_arn:
            body["RoleARN"] = self._role_arn
        return body

    def delete(self, region: str, stack_id: str, token: str) -> None:
        """DeleteStack."""
        client = self._calls.client(region)
        doing = f"deleting {stack_id}"
        with translated(doing), self._begun_once(region, stack_id, token):
            self._calls.call(
                region,
                client.delete_stack,
                StackName=stack_id,
                ClientRequestToken=token,
                **self._role,
            )

    def continue_rollback(self, region: str, stack_id: str, token: str) -> None:
        """ContinueUpdateRollback."""
        client = self._calls.client(region)
        doing = f"continuing the rollback of {stack_id}"
        with translated(doing), self._begun_once(region, stack_id, token):
            self._calls.call(
                region,
                client.continue_update_rollback,
                StackName=stack_id,
                ClientRequestToken=token,
                **self._role,
            )

    def cancel_update(self, region: str, stack_id: str, token: str) -> None:
        """CancelUpdateStack."""
        client = self._calls.client(region)
        doing = f"cancelling the update of {stack_id}"
        with translated(doing), self._begun_once(region, stack_id, token):
            self._calls.call(
                region, client.cancel_update_stack, StackName=stack_id, ClientRequestToken=token
            )

    def protect(self, region: str, stack_id: str, *, on: bool) -> None:
        """UpdateTerminationProtection."""
        client = self._calls.client(region)
        state = "on" if on else "off"
        with translated(f"turning the termination protection of {stack_id} {state}"):
            self._calls.call(
                region,
                client.update_termination_protection,
                StackName=stack_id,
                EnableTerminationProtection=on,
            )

    def events(self, region: str, stack_id: str, *tokens: str) -> Sequence[StackEvent]:
        """DescribeStackEvents, newest first, up to the first page that ends in another operation."""
        events: list[StackEvent] = []
        client = self._calls.client(region)
        with translated(f"reading the events of {stack_id}"):
            pages = self._calls.pages(region, client.describe_stack_events, StackName=stack_id)
            for page in pages:
                # An older operation has other tokens, and the pages after it are older still.
                page_events = [_event(description) for description in page["StackEvents"]]
                events.extend(event for event in page_events if event.token in tokens)
                if page_events and page_events[-1].token not in tokens:
                    break
        return events

    def latest_events(self, region: str, stack_id: str) -> Sequence[StackEvent]:
        """The first page of DescribeStackEvents: the newest hundred."""
        client = self._calls.client(region)
        with translated(f"reading the events of {stack_id}"):
            page = self._calls.read(region, client.describe_stack_events, StackName=stack_id)
            return [_event(description) for description in page["StackEvents"]]

    def failure_report(self, region: str, stack_id: str, operation_id: str) -> FailureReport:
        """DescribeEvents of one operation, or of the stack's latest one when the id is empty."""
        return failures_of_operation(self._calls, region, stack_id, operation_id)


def _stack(description: "StackTypeDef") -> Stack:
    outputs = {
        output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])
    }
    tags = {tag["Key"]: tag["Value"] for tag in description.get("Tags", [])}
    parameters = {
        parameter["ParameterKey"]: parameter.get("ParameterValue", "")
        for parameter in description.get("Parameters", [])
    }
    resolved = {
        parameter["ParameterKey"]: parameter["ResolvedValue"]
        for parameter in description.get("Parameters", [])
        if "ResolvedValue" in parameter
    }
    changed_at = description.get("LastUpdatedTime", description["CreationTime"])
    return Stack(
        name=description["StackName"],
        id=description["StackId"],
        status=StackStatus(description["StackStatus"]),
        outputs=outputs,
        fingerprint=fingerprint_in(description.get("Description", "")),
        reason=description.get("StackStatusReason", ""),
        changed_at=changed_at.isoformat(),
        tags=tags,
        protected=description.get("EnableTerminationProtection", False),
        parameters=parameters,
        resolved=resolved,
    )


def _event(description: "StackEventTypeDef") -> StackEvent:
    return StackEvent(
        at=description["Timestamp"],
        logical_id=description["LogicalResourceId"],
        type=description["ResourceType"],
        status=description["ResourceStatus"],
        reason=description.get("ResourceStatusReason", ""),
        token=description.get("ClientRequestToken", ""),
        physical_id=description.get("PhysicalResourceId", ""),
        operation_id=description.get("OperationId", ""),
        detailed_status=description.get("DetailedStatus", ""),
    )
