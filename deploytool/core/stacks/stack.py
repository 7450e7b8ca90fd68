"""Stacks as CloudFormation describes them, and what their events tell. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from deploytool.core.open_enum import OpenStrEnum

STACK_TYPE = "AWS::CloudFormation::Stack"

# A detailed status of an event (API reference of StackEvent).
VALIDATION_FAILED = "VALIDATION_FAILED"


class StackOperation(StrEnum):
    """What CloudFormation is asked to do with a stack. The value is its text for people."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    DELETE_FAILED_CREATION = "delete the failed creation"
    CONTINUE_ROLLBACK = "continue the rollback"


class StackStatus(OpenStrEnum):
    """Every status of a stack (API reference of Stack). AWS may add others."""

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
        """Whether an operation is under way, so that no other can start."""
        # In REVIEW_IN_PROGRESS the stack is empty and waits for its first change set.
        return self.endswith("_IN_PROGRESS") and self is not StackStatus.REVIEW_IN_PROGRESS

    @property
    def is_updatable(self) -> bool:
        """Whether the stack is complete: it has outputs and accepts an update."""
        return self in _UPDATABLE

    @property
    def is_good_end(self) -> bool:
        """Whether a creation, update or deletion has succeeded."""
        return self in GOOD_ENDS

    @property
    def is_end(self) -> bool:
        """Whether the operation has ended, successfully or not."""
        return self.is_good_end or not self.endswith("_IN_PROGRESS")


_UPDATABLE = frozenset(
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
        # The outputs are final; only replaced resources are still being deleted.
        StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS,
        StackStatus.DELETE_COMPLETE,
    }
)


@dataclass(frozen=True)
class Stack:
    """A deployed stack.

    `fingerprint` is None when another tool created it. `changed_at` is when its last operation
    started, as CloudFormation writes it. `parameters` are as DescribeStacks shows them: asterisks in
    place of the value of a NoEcho parameter. `resolved` has the values that CloudFormation took from
    Parameter Store, for the parameters that name one. `outdated` are those of them whose stored
    value is another now, as far as a run has looked, and `unread` says why it is not known.
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
    parameters: Mapping[str, str] = field(default_factory=dict)
    resolved: Mapping[str, str] = field(default_factory=dict)
    outdated: frozenset[str] = frozenset()
    unread: str = ""


@dataclass(frozen=True)
class StackRequest:
    """The desired state of a stack, for a creation or an update.

    `body` is the template's text, at most 51,200 bytes. `protected` turns termination protection on
    at the creation. With `express` the operation ends before its resources are ready. An update
    leaves the parameters in `kept` as they are deployed, whatever their values here. With
    `reverts_drift` it also brings back what was changed or deleted outside CloudFormation.
    """

    name: str
    body: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    token: str
    protected: bool = False
    express: bool = False
    kept: frozenset[str] = frozenset()
    reverts_drift: bool = False


@dataclass(frozen=True)
class StackEvent:
    """One event of a stack.

    `token` is the ClientRequestToken of its operation, `operation_id` the id that CloudFormation gave
    to it, empty where CloudFormation shows none. `detailed_status` is VALIDATION_FAILED on the event
    that a failed validation has before the rollback starts.
    """

    at: datetime
    logical_id: str
    type: str
    status: str
    reason: str
    token: str
    physical_id: str = ""
    operation_id: str = ""
    detailed_status: str = ""


def end_of(events: Sequence[StackEvent], stack_id: str, *tokens: str) -> StackStatus | None:
    """Return the status with which the operation ended, or None while it runs.

    Only events with one of its `tokens` count: DescribeStacks can still show the state before the
    operation (aws-cdk-cli issue 1802). A cancelled update has two tokens, its own and that of the
    cancellation. The events may have any order.
    """
    own = [event for event in own_events(events, stack_id) if event.token in tokens]
    # A failed validation has an event of its own, with CREATE_FAILED or UPDATE_FAILED, and the
    # rollback follows (MiniStack's notes of what AWS did on 2026-10-16).
    if not own or own[-1].detailed_status == VALIDATION_FAILED:
        return None
    status = StackStatus(own[-1].status)
    return status if status.is_end else None


def latest_of(events: Sequence[StackEvent], stack_id: str) -> StackEvent | None:
    """Return the latest event of the stack itself, of any operation. The order may be any."""
    own = own_events(events, stack_id)
    return own[-1] if own else None


def first_cause(events: Sequence[StackEvent], stack_id: str, *tokens: str) -> StackEvent | None:
    """Return the event that made the operation fail, or None when nothing failed.

    It is the earliest failure that no other failure caused. Without tokens the events of all
    operations count. The events may have any order.
    """
    failures = [event for event in events if event.status.endswith("_FAILED")]
    if tokens:
        failures = [event for event in failures if event.token in tokens]

    # The stack's own event repeats the failure of a resource.
    causes = [
        event for event in failures if event.physical_id != stack_id and not _is_cancelled(event)
    ]
    with_reason = [event for event in causes if event.reason]
    return min(with_reason or causes or failures, key=_time_of, default=None)


def rollback_failures(events: Sequence[StackEvent], stack_id: str) -> tuple[str, ...]:
    """Return the logical ids of the resources that the latest rollback could not restore, sorted.

    The events may have any order.
    """
    rollback = StackStatus.UPDATE_ROLLBACK_IN_PROGRESS
    starts = [event.at for event in own_events(events, stack_id) if event.status == rollback]
    if not starts:
        return ()

    logical_ids = set()
    for event in events:
        failed = event.status == "UPDATE_FAILED" and event.physical_id != stack_id
        if failed and event.at >= starts[-1] and not _is_cancelled(event):
            logical_ids.add(event.logical_id)
    return tuple(sorted(logical_ids))


def _is_cancelled(event: StackEvent) -> bool:
    """Return whether CloudFormation cancelled the resource because another one had failed."""
    return "cancelled" in event.reason.lower()  # as in "Resource creation cancelled"


def _time_of(event: StackEvent) -> datetime:
    return event.at


def own_events(events: Sequence[StackEvent], stack_id: str) -> list[StackEvent]:
    """Return the stack's own events, oldest first."""
    # CloudFormation lists the newest event first. The sort is stable, so of two events with the
    # same time the one that is listed first comes last.
    oldest_first = list(reversed(events))
    oldest_first.sort(key=_time_of)
    # A nested stack has events of this type too, with a physical id of its own.
    return [
        event
        for event in oldest_first
        if event.type == STACK_TYPE and event.physical_id == stack_id
    ]
