"""DescribeEvents: the reasons of a failed operation that no event of a stack has."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from deploytool.aws.breaker import NoAnswer
from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.errors import code_of, message_of
from deploytool.aws.refusals import PERMISSIONS
from deploytool.core.stacks.failures import FailureReport, OperationFailure

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import OperationEventTypeDef

PERMISSION = "cloudformation:DescribeEvents"


def failures_of_change_set(
    calls: CloudFormationCalls, region: str, change_set: str
) -> FailureReport:
    """Return why a change set failed. `change_set` is its ARN.

    Its name alone is refused (aws-cloudformation/cloudformation-cli issue 1116).
    """
    return _read(calls, region, ChangeSetName=change_set)


def failures_of_operation(
    calls: CloudFormationCalls, region: str, stack_id: str, operation_id: str
) -> FailureReport:
    """Return why an operation on a stack failed; without an id, why its latest operation failed."""
    if operation_id:
        return _read(calls, region, OperationId=operation_id)
    return _read(calls, region, StackName=stack_id)


def _read(calls: CloudFormationCalls, region: str, **what: str) -> FailureReport:
    """Read every page of the failed events.

    This call only adds to an error that is known already. So an error of its own becomes a part of
    the report: it must not take the place of the first one (aws-cdk-cli pull request 1406).
    """
    client = calls.client(region)
    failures: list[OperationFailure] = []
    try:
        pages = calls.pages(
            region,
            client.describe_events,
            Filters={"FailedEvents": True},
            **what,
        )
        for page in pages:
            failures.extend(_failures(page["OperationEvents"]))
    except ClientError as error:
        return FailureReport(unread=_reason(error))
    except (BotoCoreError, NoAnswer) as error:
        return FailureReport(unread=str(error))
    return FailureReport(tuple(failures))


def _reason(error: ClientError) -> str:
    if code_of(error) in PERMISSIONS:
        return f"the role or user of this command lacks the permission {PERMISSION}"
    return f"{message_of(error)} ({code_of(error)})"


def _failures(events: "list[OperationEventTypeDef]") -> list[OperationFailure]:
    """Return the failures among the events. A failed event with mode WARN stopped nothing."""
    failures: list[OperationFailure] = []
    for event in events:
        modes = (event.get("ValidationFailureMode"), event.get("HookFailureMode"))
        reason = (
            event.get("ValidationStatusReason")
            or event.get("HookStatusReason")
            or (event.get("ResourceStatusReason") if not _is_of_stack(event) else "")
        )
        if not reason or "WARN" in modes:
            continue
        failures.append(
            OperationFailure(
                event.get("LogicalResourceId", ""),
                event.get("ResourceType", ""),
                reason,
                event.get("ValidationPath", ""),
            )
        )
    return failures


def _is_of_stack(event: "OperationEventTypeDef") -> bool:
    """Return whether an event is the stack's own: it repeats that a validation failed."""
    return event.get("PhysicalResourceId", "") == event.get("StackId")
