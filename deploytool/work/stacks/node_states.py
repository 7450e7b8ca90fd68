"""The states of a node in a run, and what leads from one to the next. Pure.

A node waits for others, is started, and runs until CloudFormation is done with its stack. Done,
Failed, Cancelled and Stopped are ends: no transition leaves them.

    Waiting -> Starting -> Running -> Starting (when another operation follows) -> Done
                  |          |
                  |          +-> Failed, Stopped
                  +-> Blocked (until another's operation ends) -> Starting
                  +-> Postponed (for some seconds) -> Starting
                  +-> Done, Failed, Stopped
    Waiting, Blocked, Postponed -> Stopped (when the user asks to stop)
    Waiting -> Cancelled (when a node that it needs failed)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from deploytool.core.errors import ApiUnavailable, CloudRefused, DeploytoolError
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.stack import Stack, StackOperation, StackStatus
from deploytool.work.stacks.completion import Completed
from deploytool.work.stacks.operations import (
    Outcome,
    Outputs,
    RetryAfter,
    Started,
    StartResult,
    Unchanged,
    WaitingForOther,
)

# How often in a row reading a stack's events may be refused; botocore repeats each call itself.
REFUSALS = 5

NOT_STARTED = "not started"
LEFT = "left to CloudFormation"


@dataclass(frozen=True)
class Waiting:
    """The node waits until the nodes that it needs are done."""

    needs: frozenset[NodeId]


@dataclass(frozen=True)
class Starting:
    """Its operation is being started, first at `began`, in seconds of the clock."""

    began: float


@dataclass(frozen=True)
class Running:
    """CloudFormation works on the stack since `since`.

    `checking`: its events are being read. `unchanged` counts the listings that still showed the
    state before the operation, `unconfirmed` the ends that no event of the operation confirmed,
    `refused` the refused attempts to read the events. `cancelling`: it is being cancelled.
    """

    started: Started
    began: float
    since: float
    checking: bool = False
    unchanged: int = 0
    unconfirmed: int = 0
    refused: int = 0
    cancelling: bool = False


@dataclass(frozen=True)
class Blocked:
    """Someone else's operation on the stack must end first."""

    began: float
    stack_id: str


@dataclass(frozen=True)
class Postponed:
    """The node is started again at `until`."""

    began: float
    until: float


@dataclass(frozen=True)
class Done:
    """The stack is as desired, after `seconds`, unless it was `left` for the reason given."""

    action: StackOperation | Action
    outputs: Mapping[str, str]
    seconds: float
    left: str = ""


@dataclass(frozen=True)
class Failed:
    """The stack is not as desired; `hint` says what to do.

    `unanswered` is the region whose API did not answer, when that is the cause.
    """

    cause: str
    hint: str = ""
    unanswered: str = ""


@dataclass(frozen=True)
class Cancelled:
    """The node was not started, because these nodes failed or were cancelled themselves."""

    because: tuple[NodeId, ...]


@dataclass(frozen=True)
class Stopped:
    """The user asked to stop; `text` says what became of the node."""

    text: str


End = Done | Failed | Cancelled | Stopped
NodeState = Waiting | Starting | Running | Blocked | Postponed | End
States = Mapping[NodeId, NodeState]


def first_states(edges: Mapping[NodeId, frozenset[NodeId]]) -> dict[NodeId, NodeState]:
    """Return the states at the start of a run; `edges` says what each node needs."""
    return {node: Waiting(needs) for node, needs in edges.items()}


def is_finished(states: States) -> bool:
    """Return whether every node has reached an end."""
    return all(isinstance(state, Done | Failed | Cancelled | Stopped) for state in states.values())


def ready(states: States) -> list[NodeId]:
    """Return the waiting nodes whose needs are all done."""
    return [
        node
        for node, state in states.items()
        if isinstance(state, Waiting)
        and all(isinstance(states[need], Done) for need in state.needs)
    ]


def cancelled_by(states: States, node: NodeId) -> tuple[NodeId, ...]:
    """Return the needs of a waiting node that failed or were cancelled."""
    state = states[node]
    if not isinstance(state, Waiting):
        return ()
    return tuple(
        need for need in sorted(state.needs) if isinstance(states[need], Failed | Cancelled)
    )


def after_start(
    state: Starting, result: StartResult | DeploytoolError, now: float, *, stopping: bool
) -> NodeState:
    """Return the state after the attempt to start a node."""
    match result:
        case Started():
            return Running(result, state.began, now)
        case Unchanged(action, outputs, left):
            return Done(action, outputs, now - state.began, left)
        case WaitingForOther() | RetryAfter() if stopping:
            return Stopped(NOT_STARTED)
        case WaitingForOther(stack_id):
            return Blocked(state.began, stack_id)
        case RetryAfter(seconds):
            return Postponed(state.began, now + seconds)
        case DeploytoolError():
            return failed_by(result)
    assert_never(result)


def after_listing(state: Running, stack: Stack | None) -> tuple[Running, bool]:
    """Return the state after a listing of the region, and whether to read the stack's events.

    `stack` is the listed stack, None when the listing does not have it. A stack that shows no sign
    of the operation is not read after every listing, but after the 1st, 2nd, 4th, 8th and so on:
    its answer may be stale, or the operation may have left no trace.
    """
    started = state.started
    if stack is not None and started.is_shown_by(stack):
        return state, stack.status.is_end

    unchanged = state.unchanged + 1
    waited = replace(state, unchanged=unchanged)
    deleting = StackStatus.DELETE_COMPLETE in started.good_ends and started.before is not None
    if stack is None and deleting:
        return waited, True  # a deleted stack is in no listing
    return waited, _is_power_of_two(unchanged)


def _is_power_of_two(number: int) -> bool:
    return number.bit_count() == 1


def after_check(
    state: Running, result: Completed | DeploytoolError | None
) -> Running | Completed | Failed:
    """Return the state after the stack's events were read; Completed when the operation ended."""
    state = replace(state, checking=False)
    match result:
        case None:
            return replace(state, unconfirmed=state.unconfirmed + 1)
        case CloudRefused() | ApiUnavailable() if state.refused < REFUSALS:
            return replace(state, refused=state.refused + 1)
        case DeploytoolError():
            return failed_by(result)
        case Completed():
            return result
    assert_never(result)


def failed_by(error: DeploytoolError) -> Failed:
    """Return the state of a node that failed because of an error."""
    unanswered = error.region if isinstance(error, ApiUnavailable) else ""
    return Failed(str(error), error.hint, unanswered)


def after_loss(error: ApiUnavailable) -> Failed:
    """Return the state of a node whose operation cannot be followed to its end any more."""
    return Failed(
        f"its state is unknown: {error}",
        f"run the command again when the API of {error.region} answers: it waits for what is under"
        " way there and continues",
        error.region,
    )


def after_end(state: Running, end: Completed, *, stopping: bool) -> Starting | Failed | Stopped:
    """Return the state after an operation ended.

    Starting means that it ended well: the next operation on the node, if there is one, is being
    started.
    """
    operation = state.started.operation
    gone = end.stack is None or end.status is StackStatus.DELETE_COMPLETE
    if state.cancelling and gone:
        return Stopped(f"{operation} cancelled")
    if end.stack is None:
        return Failed(end.cause, end.hint)
    if stopping and state.started.continues:
        return Stopped(f"{operation}; nothing more was started")
    return Starting(state.began)


def not_started(states: States) -> Iterable[NodeId]:
    """Return the nodes that a request to stop keeps from being started."""
    waiting = (Waiting, Blocked, Postponed)
    return [node for node, state in states.items() if isinstance(state, waiting)]


def in_progress(states: States) -> tuple[NodeId, ...]:
    """Return the nodes that are being started or run, sorted."""
    nodes = [node for node, state in states.items() if isinstance(state, Starting | Running)]
    return tuple(sorted(nodes))


def outputs_of(states: States) -> Outputs:
    """Return the outputs of the nodes that are done."""
    return {node: state.outputs for node, state in states.items() if isinstance(state, Done)}


def outcome_of(states: States, seconds: float) -> Outcome:
    """Return how a run ended that took `seconds`. Every node must have reached an end."""
    outcome = Outcome(outputs=dict(outputs_of(states)), seconds=seconds)
    for node, state in states.items():
        match state:
            case Done(action, _, _, left):
                outcome.done[node] = action
                if left:
                    outcome.left[node] = left
            case Failed(cause, _, unanswered):
                outcome.failed[node] = cause
                if unanswered:
                    outcome.unanswered[node] = unanswered
            case Cancelled(because):
                outcome.cancelled[node] = because
            case Stopped(text):
                outcome.stopped[node] = text
            case Waiting() | Starting() | Running() | Blocked() | Postponed():
                raise AssertionError(f"{node} has not reached an end")
            case _:
                assert_never(state)
    return outcome
