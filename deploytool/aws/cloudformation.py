"""CloudFormation as the deploy work sees it."""

from collections.abc import Mapping, Sequence
from typing import Any

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients
from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Clock
from deploytool.core.stacks import Stack, StackEvent, StackRequest, StackStatus
from deploytool.core.template import fingerprint_in

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
NO_CHANGES = (
    "The submitted information didn't contain changes",
    "No updates are to be performed",
)  # Developer Guide, change sets
FIRST_WAIT, LONGEST_WAIT = 0.2, 3.0  # seconds between looks at a change set


class CloudFormation:
    """The Stacks port on boto3."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients, self._clock = clients, clock

    def list(self, region: str) -> Mapping[str, Stack]:
        """Every stack of the region that is not deleted, by name: one call for each megabyte of answer."""
        with translated(f"listing the stacks of {region}"):
            pages = self._client(region).get_paginator("describe_stacks").paginate()
            return {each["StackName"]: _stack(each) for page in pages for each in page["Stacks"]}

    def get(self, region: str, stack_id: str) -> Stack:
        """One stack by its id, deleted or not."""
        with translated(f"describing {stack_id}"):
            return _stack(self._client(region).describe_stacks(StackName=stack_id)["Stacks"][0])

    def create(self, region: str, request: StackRequest) -> str:
        """CreateStack, without a change set: there is nothing to compare with."""
        with translated(f"creating {request.name} in {region}"):
            answer = self._client(region).create_stack(
                StackName=request.name, ClientRequestToken=request.token, OnFailure="ROLLBACK", **_body(request)
            )
            return str(answer["StackId"])

    def update(self, region: str, request: StackRequest) -> str | None:
        """A change set, and its execution; None when it holds no change."""
        client = self._client(region)
        with translated(f"updating {request.name} in {region}"):
            made = client.create_change_set(
                StackName=request.name,
                ChangeSetName=request.token,
                ClientToken=request.token,
                ChangeSetType="UPDATE",
                **_body(request),
            )
            if not self._is_ready(client, made["Id"]):
                client.delete_change_set(ChangeSetName=made["Id"])
                return None
            client.execute_change_set(ChangeSetName=made["Id"], ClientRequestToken=request.token)
            return str(made["StackId"])

    def _is_ready(self, client: Any, change_set: str) -> bool:  # noqa: ANN401  # a boto3 client
        """Wait for the change set; whether it holds changes. Raises DeploytoolError when it could not be made."""
        wait = FIRST_WAIT
        while True:
            found = client.describe_change_set(ChangeSetName=change_set)
            reason = str(found.get("StatusReason", ""))
            if found["Status"] == "CREATE_COMPLETE":
                return True
            if found["Status"] == "FAILED":
                if any(words in reason for words in NO_CHANGES):
                    return False
                raise DeploytoolError(f"the change set failed: {reason}")
            self._clock.sleep(wait)
            wait = min(1.5 * wait, LONGEST_WAIT)

    def delete(self, region: str, stack_id: str, token: str) -> None:
        """DeleteStack."""
        with translated(f"deleting {stack_id}"):
            self._client(region).delete_stack(StackName=stack_id, ClientRequestToken=token)

    def events(self, region: str, stack_id: str, token: str) -> Sequence[StackEvent]:
        """The events of one operation, newest first. Older operations' pages are not read."""
        found: list[StackEvent] = []
        with translated(f"reading the events of {stack_id}"):
            for page in self._client(region).get_paginator("describe_stack_events").paginate(StackName=stack_id):
                events = [_event(each) for each in page["StackEvents"]]
                found += [each for each in events if each.token == token]
                if events and events[-1].token != token:
                    break
        return found

    def _client(self, region: str) -> Any:  # noqa: ANN401  # a boto3 client
        return self._clients.get("cloudformation", region)


def _body(request: StackRequest) -> dict[str, Any]:
    return {
        "TemplateBody": request.body,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in request.parameters.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in request.tags.items()],
        "Capabilities": CAPABILITIES,
    }


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
