"""Why CloudFormation refused an operation before it touched a resource. Pure.

CloudFormation validates a template before it provisions: property syntax and names that exist (User
Guide, "Validate stack deployments"). A failure has no event of a resource. The change set or the
stack only says that a validation failed, and the reasons are in the answer of DescribeEvents
(aws-cdk-cli issue 1000, aws-sam-cli issue 9154).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from deploytool.core.stacks.stack import StackEvent, own_events

# The reason of an event that only says who started the operation.
STARTED_BY_USER = "User Initiated"


@dataclass(frozen=True)
class OperationFailure:
    """One reason why an operation failed.

    `path` is the place in the template, such as /Resources/Api/Properties/Name, empty when
    CloudFormation gives none.
    """

    logical_id: str
    type: str
    reason: str
    path: str = ""

    def __str__(self) -> str:
        place = f" (at {self.path})" if self.path else ""
        if not self.logical_id:
            return f"{self.reason}{place}"
        return f"{self.logical_id} ({self.type}): {self.reason}{place}"


@dataclass(frozen=True)
class FailureReport:
    """The reasons of a failed operation. `unread` says why they cannot be read, empty if they can."""

    failures: tuple[OperationFailure, ...] = ()
    unread: str = ""

    def explain(self, summary: str) -> str:
        """Return the reasons on one line, or `summary` where there is none."""
        if self.failures:
            # One fault can be reported by several validations.
            return "; ".join(dict.fromkeys(map(str, self.failures)))
        if self.unread:
            return f"{summary} (the details cannot be read: {self.unread})"
        return summary


def stack_reason(events: Sequence[StackEvent], stack_id: str, *tokens: str) -> str:
    """Return the reason on the stack's own events for the failure of an operation, empty without one.

    It is the earliest one: a rollback may start without a failed resource, and the reason is then on
    the event ROLLBACK_IN_PROGRESS (rancher/kontainer-engine pull request 103).
    """
    for event in own_events(events, stack_id):
        is_failure = "ROLLBACK" in event.status or event.status.endswith("_FAILED")
        if event.token in tokens and is_failure and event.reason not in ("", STARTED_BY_USER):
            return event.reason
    return ""


def operation_of(events: Sequence[StackEvent], stack_id: str, *tokens: str) -> str:
    """Return the id of the operation, empty when the events have none.

    The rollback of a failed operation is an operation of its own, with another id (awslabs/mcp pull
    request 4280). The failure belongs to the first one.
    """
    ids = [event.operation_id for event in own_events(events, stack_id) if event.token in tokens]
    return next((operation_id for operation_id in ids if operation_id), "")
