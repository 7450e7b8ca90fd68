"""Stacks as CloudFormation holds them: statuses with predicates, outputs, events, and the first
cause of a failure. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

STACK_TYPE = "AWS::CloudFormation::Stack"


class StackOperation(StrEnum):
    """What CloudFormation is asked to do with a stack. The value is its text for people."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    DELETE_FAILED_CREATION = "delete the failed creation"
    CONTINUE_ROLLBACK = "continue the rollback"


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
        """An operation is under way; no other can begin. (An empty shell under review is not
        busy.)
        """
        return self.endswith("_IN_PROGRESS") and self is not StackStatus.REVIEW_IN_PROGRESS

    @property
    def is_updatable(self) -> bool:
        """The stack is whole: it has outputs and takes an update."""
        return self in _WHOLE

    @property
    def is_good_end(self) -> bool:
        """A create, update or delete ended as asked. At UPDATE_COMPLETE_CLEANUP_IN_PROGRESS the
        outputs are final.
        """
        return self in GOOD_ENDS

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
GOOD_ENDS = frozenset(
    {
        StackStatus.CREATE_COMPLETE,
        StackStatus.UPDATE_COMPLETE,
        StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS,
        StackStatus.DELETE_COMPLETE,
    }
)


@dataclass(frozen=True)
class Stack:
    """A deployed stack. `fingerprint` is None for one that is not ours; `changed_at` is when its
    last operation began.
    """

    name: str
    id: str
    status: StackStatus
    outputs: Mapping[str, str]
    fingerprint: str | None = None
    reason: str = ""
    changed_at: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False


@dataclass(frozen=True)
class StackRequest:
    """What to create, or to update to. `body` is the template's text, at most 51,200 bytes.

    `protected` turns termination protection on at the creation; `express` ends the operation before
    its resources are ready.
    """

    name: str
    body: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    token: str
    protected: bool = False
    express: bool = False


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


def end_of(events: Sequence[StackEvent], stack_id: str, *tokens: str) -> StackStatus | None:
    """The status with which the operation ended, or None while it runs. Events in any order.

    Believed from events with one of its `tokens` alone (a cancelled update has two: its own and the
    cancellation's): DescribeStacks can still show the state before the operation (aws-cdk-cli issue
    1802).
    """
    own = [event for event in _of_stack(events, stack_id) if event.token in tokens]
    last = StackStatus(own[-1].status) if own else None
    return last if last and last.is_end else None


def latest_of(events: Sequence[StackEvent], stack_id: str) -> StackEvent | None:
    """The latest event of the stack itself, whoever's operation that is. Events in any order."""
    own = _of_stack(events, stack_id)
    return own[-1] if own else None


def first_cause(events: Sequence[StackEvent], stack_id: str, *tokens: str) -> StackEvent | None:
    """The event that made the operation fail: the earliest failure that is no consequence of
    another. Events in any order.

    A resource that CloudFormation cancelled says so ("Resource creation cancelled"), and the
    stack's own events repeat. Without tokens, whichever operation the events are of.
    """
    failed = [
        event
        for event in events
        if event.status.endswith("_FAILED") and (event.token in tokens or not tokens)
    ]
    causes = [
        event
        for event in failed
        if "cancelled" not in event.reason.lower() and event.physical_id != stack_id
    ]
    said = [event for event in causes if event.reason]
    return min(said or causes or failed, key=lambda event: event.at, default=None)


def rollback_failures(events: Sequence[StackEvent], stack_id: str) -> tuple[str, ...]:
    """The resources (logical ids) that the latest rollback of an update could not take back. Events
    in any order.
    """
    begun = [
        event.at
        for event in _of_stack(events, stack_id)
        if event.status == StackStatus.UPDATE_ROLLBACK_IN_PROGRESS
    ]
    failed = [
        event
        for event in events
        if event.status == "UPDATE_FAILED" and event.physical_id != stack_id
    ]
    causes = {
        event.logical_id
        for event in failed
        if begun and event.at >= begun[-1] and "cancelled" not in event.reason.lower()
    }
    return tuple(sorted(causes))


def _of_stack(events: Sequence[StackEvent], stack_id: str) -> list[StackEvent]:
    """The stack's own events, oldest first; of those at the same time the one that CloudFormation
    lists first is the later.
    """
    own = [
        event
        for event in reversed(events)
        if event.type == STACK_TYPE and event.physical_id == stack_id
    ]
    return sorted(own, key=lambda event: event.at)
