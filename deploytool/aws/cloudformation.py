"""CloudFormation as the deploy work sees it, within a rate budget a region."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from deploytool.aws.budget import Rate, RateBudget
from deploytool.aws.errors import THROTTLING, code_of, message_of, translated
from deploytool.aws.sessions import Clients
from deploytool.core.errors import DeploytoolError, StackExists
from deploytool.core.ports import Clock
from deploytool.core.project.template import fingerprint_in
from deploytool.core.stacks.stack import Stack, StackEvent, StackRequest, StackStatus

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
NO_CHANGES = (
    "The submitted information didn't contain changes",
    "No updates are to be performed",
)  # Developer Guide, change sets
TAKEN = {"AlreadyExistsException", "TokenAlreadyExistsException"}  # API reference of CreateStack
EXPRESS = {"Mode": "EXPRESS", "DisableRollback": False}
FIRST_WAIT, LONGEST_WAIT = 0.2, 3.0  # seconds between looks at a change set
PATIENCE = 900.0  # seconds for which a call that AWS throttles is made again


class CloudFormation:
    """The Stacks port on boto3. Reads are paid from the budget; whatever AWS throttles waits and is
    asked again.

    `role_arn` is the service role with which CloudFormation acts on resources; without one it acts
    as the caller, or with the role that it remembers of the stack.
    """

    def __init__(
        self, clients: Clients, clock: Clock, rate: Rate | None = None, role_arn: str = ""
    ) -> None:
        self._clients, self._clock, self._rate = clients, clock, rate or Rate()
        self._role = {"RoleARN": role_arn} if role_arn else {}
        self._lock = threading.Lock()
        self._budgets: dict[str, RateBudget] = {}

    def list(self, region: str) -> Mapping[str, Stack]:
        """Every stack of the region that is not deleted, by name: one call for each megabyte of
        answer.
        """
        with translated(f"listing the stacks of {region}"):
            return {
                each["StackName"]: _stack(each)
                for page in self._pages(region, "describe_stacks")
                for each in page["Stacks"]
            }

    def get(self, region: str, stack_id: str) -> Stack:
        """One stack by its id, deleted or not."""
        with translated(f"describing {stack_id}"):
            return _stack(self._read(region, "describe_stacks", StackName=stack_id)["Stacks"][0])

    def create(self, region: str, request: StackRequest) -> str:
        """CreateStack, without a change set: there is nothing to compare with."""
        more: dict[str, Any] = {"EnableTerminationProtection": True} if request.protected else {}
        more |= {} if request.express else {"OnFailure": "ROLLBACK"}
        with translated(f"creating {request.name} in {region}"):
            try:
                answer = self._call(
                    region,
                    "create_stack",
                    ClientRequestToken=request.token,
                    **_body(request),
                    **self._role,
                    **more,
                )
            except ClientError as error:
                if code_of(error) in TAKEN:
                    raise StackExists(
                        f"creating {request.name} in {region}: {message_of(error)}"
                    ) from error
                raise
            return str(answer["StackId"])

    def update(self, region: str, request: StackRequest) -> str | None:
        """A change set, and its execution; None when it holds no change."""
        with translated(f"updating {request.name} in {region}"):
            made = self._change_set(region, request)
            found = self._ready(region, made)
            if found is None:
                self._call(region, "delete_change_set", ChangeSetName=made)
                return None
            # Else an earlier run, which was killed, executed it
            if found.get("ExecutionStatus", "AVAILABLE") == "AVAILABLE":
                self._call(
                    region,
                    "execute_change_set",
                    ChangeSetName=made,
                    ClientRequestToken=request.token,
                )
            return str(found["StackId"])

    def _change_set(self, region: str, request: StackRequest) -> str:
        """The id of the change set; of the one that an earlier run made when there is one: its name
        tells what is in it.
        """
        name = {"ChangeSetName": request.token, "ClientToken": request.token}
        try:
            made = self._call(
                region,
                "create_change_set",
                **name,
                ChangeSetType="UPDATE",
                **_body(request),
                **self._role,
            )
        except ClientError as error:
            if code_of(error) not in TAKEN:
                raise
            found = self._read(
                region, "describe_change_set", StackName=request.name, ChangeSetName=request.token
            )
            return str(found["ChangeSetId"])
        return str(made["Id"])

    def _ready(self, region: str, change_set: str) -> Mapping[str, Any] | None:
        """The change set once it is there; None when it holds no change. Raises DeploytoolError
        when it could not be made.
        """
        wait = FIRST_WAIT
        while True:
            found = self._read(region, "describe_change_set", ChangeSetName=change_set)
            reason = str(found.get("StatusReason", ""))
            if found["Status"] == "CREATE_COMPLETE":
                return found
            if found["Status"] == "FAILED":
                if any(words in reason for words in NO_CHANGES):
                    return None
                self._call(region, "delete_change_set", ChangeSetName=change_set)
                raise DeploytoolError(f"the change set failed: {reason}")
            self._clock.sleep(wait)
            wait = min(1.5 * wait, LONGEST_WAIT)

    def delete(self, region: str, stack_id: str, token: str) -> None:
        """DeleteStack."""
        with translated(f"deleting {stack_id}"):
            self._call(
                region, "delete_stack", StackName=stack_id, ClientRequestToken=token, **self._role
            )

    def continue_rollback(self, region: str, stack_id: str, token: str) -> None:
        """ContinueUpdateRollback."""
        with translated(f"continuing the rollback of {stack_id}"):
            self._call(
                region,
                "continue_update_rollback",
                StackName=stack_id,
                ClientRequestToken=token,
                **self._role,
            )

    def cancel_update(self, region: str, stack_id: str, token: str) -> None:
        """CancelUpdateStack."""
        with translated(f"cancelling the update of {stack_id}"):
            self._call(region, "cancel_update_stack", StackName=stack_id, ClientRequestToken=token)

    def protect(self, region: str, stack_id: str, *, on: bool) -> None:
        """UpdateTerminationProtection."""
        with translated(
            f"turning the termination protection of {stack_id} {'on' if on else 'off'}"
        ):
            self._call(
                region,
                "update_termination_protection",
                StackName=stack_id,
                EnableTerminationProtection=on,
            )

    def events(self, region: str, stack_id: str, *tokens: str) -> Sequence[StackEvent]:
        """The events of one operation, newest first. Older operations' pages are not read."""
        found: list[StackEvent] = []
        with translated(f"reading the events of {stack_id}"):
            for page in self._pages(region, "describe_stack_events", StackName=stack_id):
                events = [_event(each) for each in page["StackEvents"]]
                found += [each for each in events if each.token in tokens]
                if events and events[-1].token not in tokens:
                    break
        return found

    def latest_events(self, region: str, stack_id: str) -> Sequence[StackEvent]:
        """The first page of events: the newest hundred."""
        with translated(f"reading the events of {stack_id}"):
            page = self._read(region, "describe_stack_events", StackName=stack_id)
            return [_event(each) for each in page["StackEvents"]]

    def _pages(self, region: str, method: str, **arguments: str) -> Iterator[Mapping[str, Any]]:
        while True:
            page = self._read(region, method, **arguments)
            yield page
            if not page.get("NextToken"):
                return
            arguments["NextToken"] = page["NextToken"]

    def _read(self, region: str, method: str, **arguments: str) -> Mapping[str, Any]:
        with self._lock:
            wait = self._budget(region).reserve()
        if wait:
            self._clock.sleep(wait)
        return self._call(region, method, **arguments)

    def _call(self, region: str, method: str, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401  # botocore checks them
        """Make a call; when AWS throttles it slow down and make it again."""
        call, deadline = (
            getattr(self._clients.get("cloudformation", region), method),
            self._clock.now() + PATIENCE,
        )
        while True:
            try:
                answer: Mapping[str, Any] = call(**arguments)
            except ClientError as error:
                if code_of(error) not in THROTTLING or self._clock.now() > deadline:
                    raise
                self._clock.sleep(self._slow_down(region))
                continue
            # Botocore had to ask more than once
            if answer.get("ResponseMetadata", {}).get("RetryAttempts"):
                self._slow_down(region)
            return answer

    def _slow_down(self, region: str) -> float:
        with self._lock:
            budget = self._budget(region)
            budget.throttled()
            return budget.reserve()

    def _budget(self, region: str) -> RateBudget:
        return self._budgets.setdefault(region, RateBudget(self._clock, self._rate))


def _body(request: StackRequest) -> dict[str, Any]:
    return {
        "StackName": request.name,
        "TemplateBody": request.body,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in request.parameters.items()
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in request.tags.items()],
        "Capabilities": CAPABILITIES,
    } | ({"DeploymentConfig": EXPRESS} if request.express else {})


def _stack(found: Mapping[str, Any]) -> Stack:
    return Stack(
        name=found["StackName"],
        id=found["StackId"],
        status=StackStatus(found["StackStatus"]),
        outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
        fingerprint=fingerprint_in(found.get("Description", "")),
        reason=found.get("StackStatusReason", ""),
        changed_at=found.get("LastUpdatedTime", found["CreationTime"]).isoformat(),
        tags={each["Key"]: each["Value"] for each in found.get("Tags", [])},
        protected=bool(found.get("EnableTerminationProtection", False)),
    )


def _event(found: Mapping[str, Any]) -> StackEvent:
    return StackEvent(
        at=found["Timestamp"],
        logical_id=found["LogicalResourceId"],
        type=found["ResourceType"],
        status=found["ResourceStatus"],
        reason=found.get("ResourceStatusReason", ""),
        token=found.get("ClientRequestToken", ""),
        physical_id=found.get("PhysicalResourceId", ""),
    )
