"""Stacks as CloudFormation holds them: statuses with predicates, outputs, events, and the first cause of a failure. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

STACK_TYPE = "AWS::CloudFormation::Stack"


class StackStatus(StrEnum):
    """Every status of a stack (API reference of Stack)."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    CREATE_FAILED = "CREATE_FAILED"
    CREATE_COMPLETE = "CREATE_COMPLETE"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"
    ROLLBACK_COMPLETE = "ROLLBACK_COMPLETE"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETE_FAILED = "DELETE_FAILED"
    DELETE_COMPLETE = "DELETE_COMPLETE"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    UPDATE_COMPLETE_CLEANUP_IN_PROGRESS = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    UPDATE_COMPLETE = "UPDATE_COMPLETE"
    UPDATE_FAILED = "UPDATE_FAILED"
    UPDATE_ROLLBACK_IN_PROGRESS = "UPDATE_ROLLBACK_IN_PROGRESS"
    UPDATE_ROLLBACK_FAILED = "UPDATE_ROLLBACK_FAILED"
    UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
    UPDATE_ROLLBACK_COMPLETE = "UPDATE_ROLLBACK_COMPLETE"
    REVIEW_IN_PROGRESS = "REVIEW_IN_PROGRESS"
    IMPORT_IN_PROGRESS = "IMPORT_IN_PROGRESS"
    IMPORT_COMPLETE = "IMPORT_COMPLETE"
    IMPORT_ROLLBACK_IN_PROGRESS = "IMPORT_ROLLBACK_IN_PROGRESS"
    IMPORT_ROLLBACK_FAILED = "IMPORT_ROLLBACK_FAILED"
    IMPORT_ROLLBACK_COMPLETE = "IMPORT_ROLLBACK_COMPLETE"

    @property
    def is_busy(self) -> bool:
        """An operation is under way; no other can begin. (An empty shell under review is not busy.)"""
        return self.endswith("_IN_PROGRESS") and self is not StackStatus.REVIEW_IN_PROGRESS

    @property
    def is_updatable(self) -> bool:
        """The stack is whole: it has outputs and takes an update."""
        return self in _WHOLE

    @property
    def is_good_end(self) -> bool:
        """A create, update or delete ended as asked. At UPDATE_COMPLETE_CLEANUP_IN_PROGRESS the outputs are final."""
        return self in _GOOD_ENDS

    @property
    def is_end(self) -> bool:
        """Whatever was asked has ended, well or not."""
        return self.is_good_end or not self.endswith("_IN_PROGRESS")


_WHOLE = frozenset(
    {
        StackStatus.CREATE_COMPLETE,
        StackStatus.UPDATE_COMPLETE,
        StackStatus.UPDATE_ROLLBACK_COMPLETE,
        StackStatus.IMPORT_COMPLETE,
        StackStatus.IMPORT_ROLLBACK_COMPLETE,
    }
)
_GOOD_ENDS = frozenset(
    {
        StackStatus.CREATE_COMPLETE,
        StackStatus.UPDATE_COMPLETE,
        StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS,
        StackStatus.DELETE_COMPLETE,
    }
)


@dataclass(frozen=True)
class Stack:
    """A deployed stack. `fingerprint` is None for one that is not ours; `changed_at` is when its last operation began."""

    name: str
    id: str
    status: StackStatus
    outputs: Mapping[str, str]
    fingerprint: str | None = None
    reason: str = ""
    changed_at: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StackRequest:
    """What to create, or to update to. `body` is the template's text, at most 51,200 bytes."""

    name: str
    body: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    token: str


@dataclass(frozen=True)
class StackEvent:
    """One event of a stack: `token` is the operation's ClientRequestToken."""

    at: datetime
    logical_id: str
    type: str
    status: str
    reason: str
    token: str
    physical_id: str = ""


def end_of(events: Sequence[StackEvent], stack_id: str, token: str) -> StackStatus | None:
    """The status with which the operation `token` ended, or None while it runs. Events in any order.

    Believed from events alone: DescribeStacks can still show the state before the operation (aws-cdk-cli issue 1802).
    """
    own = [event for event in events if event.token == token and event.type == STACK_TYPE and event.physical_id == stack_id]
    ends = [StackStatus(event.status) for event in sorted(own, key=lambda event: event.at) if StackStatus(event.status).is_end]
    return ends[-1] if ends else None


def first_cause(events: Sequence[StackEvent], token: str) -> StackEvent | None:
    """The event that made the operation fail: the earliest failure that is no consequence of another. Events in any order.

    A resource that CloudFormation cancelled says so ("Resource creation cancelled"), and the stack's own events repeat.
    """
    failed = [event for event in events if event.token == token and event.status.endswith("_FAILED")]
    causes = [event for event in failed if "cancelled" not in event.reason and event.type != STACK_TYPE]
    return min(causes or failed, key=lambda event: event.at, default=None)
