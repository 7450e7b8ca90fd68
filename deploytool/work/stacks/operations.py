"""Operations on stacks: their interface to the engine, and those that CloudFormation offers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from deploytool.core.errors import ApiUnavailable, CloudRefused
from deploytool.core.project.graph import Node, NodeId
from deploytool.core.project.template import digest
from deploytool.core.stacks.durations import earlier_seconds
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.ports import Stacks
from deploytool.core.stacks.stack import GOOD_ENDS, Stack, StackOperation, StackStatus, latest_of
from deploytool.core.stacks.tokens import read_token, token_for

Outputs = Mapping[NodeId, Mapping[str, str]]


@dataclass(frozen=True)
class Started:
    """An operation that CloudFormation accepted.

    It ends when an event with `token` says so, or one with the token of its cancellation
    (`cancel_token`). `before` is the stack as DescribeStacks showed it before: an answer that still
    shows that state tells nothing. `expected` is in seconds. `good_ends` are the statuses that mean
    success. With `continues` another operation on the same node follows. `resumed`: an earlier run,
    which was killed, started it.
    """

    operation: StackOperation
    stack_name: str
    stack_id: str
    token: str
    before: Stack | None = None
    expected: float | None = None
    good_ends: frozenset[StackStatus] = GOOD_ENDS
    cancel_token: str = ""
    continues: bool = False
    resumed: bool = False

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens of the events that belong to the operation."""
        if not self.cancel_token:
            return (self.token,)
        return (self.token, self.cancel_token)

    def is_shown_by(self, stack: Stack) -> bool:
        """Return whether DescribeStacks may have answered this after the operation started."""
        if self.before is None:
            return True
        old = (self.before.status, self.before.changed_at)
        return (stack.status, stack.changed_at) != old


@dataclass(frozen=True)
class Unchanged:
    """There was nothing to do; `action` says why.

    `left` says why a stack that is not as desired was left: an API does not answer.
    """

    action: Action
    outputs: Mapping[str, str]
    left: str = ""


@dataclass(frozen=True)
class WaitingForOther:
    """Someone else's operation runs on the stack; `holder` is its token.

    The engine starts the node again when that operation has ended.
    """

    stack_id: str
    status: StackStatus
    holder: str = ""


@dataclass(frozen=True)
class RetryAfter:
    """Something outside the graph is missing. The engine starts the node again after `seconds`."""

    seconds: float


StartResult = Started | Unchanged | WaitingForOther | RetryAfter


class Operation(Protocol):
    """What to do with each node.

    The engine calls each method beside others. A method may call the cloud, but does not wait for
    a stack.
    """

    def start(self, node: NodeId, outputs: Outputs) -> StartResult:
        """Start the node's operation. `outputs` are those of all nodes that are done."""
        ...

    def follow(self, node: NodeId, stack: Stack) -> StartResult | None:
        """Start the next operation on a node whose last one ended well, or return None."""
        ...

    def cancel(self, node: NodeId, started: Started) -> str | None:
        """Cancel an operation and return the cancellation's token.

        None means that the operation cannot be cancelled and is waited for.
        """
        ...


@dataclass
class Outcome:
    """How a run ended.

    `done` says what was done with a node, `failed` the first cause, `cancelled` which nodes it
    needed and did not get. `stopped` are the nodes that the user's interrupt kept from being done,
    with what became of them. `left` are those of the nodes in `done` that are not as desired,
    because an API does not answer, with the reason. `unanswered` has the region whose API did not
    answer, for those of the nodes in `failed` that failed because of that. `kept` names the inputs
    of a stack that kept the deployed value, because the API of a region in `unreachable` does not
    answer.
    """

    done: dict[NodeId, StackOperation | Action] = field(default_factory=dict)
    failed: dict[NodeId, str] = field(default_factory=dict)
    cancelled: dict[NodeId, tuple[NodeId, ...]] = field(default_factory=dict)
    stopped: dict[NodeId, str] = field(default_factory=dict)
    outputs: dict[NodeId, Mapping[str, str]] = field(default_factory=dict)
    seconds: float = 0.0
    left: dict[NodeId, str] = field(default_factory=dict)
    unanswered: dict[NodeId, str] = field(default_factory=dict)
    kept: dict[NodeId, tuple[str, ...]] = field(default_factory=dict)
    unreachable: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every node is done, and none is left."""
        return not (self.failed or self.cancelled or self.stopped or self.left)

    @property
    def is_incomplete(self) -> bool:
        """Whether nothing is wrong except that an API did not answer."""
        if self.ok or self.stopped:
            return False
        return self.failed.keys() == self.unanswered.keys()


# An operation in one of these states, left by a run that was killed, can be continued.
_RESUMABLE = {
    StackStatus.CREATE_IN_PROGRESS: StackOperation.CREATE,
    StackStatus.UPDATE_IN_PROGRESS: StackOperation.UPDATE,
    StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: StackOperation.UPDATE,
}


def resume_or_wait(
    stacks: Stacks, node: Node, stack: Stack, fingerprint: str, expected: float | None
) -> Started | WaitingForOther:
    """Continue an operation that leads to the desired state, or wait for it as for another's.

    The token of the stack's latest event tells which of the two it is.
    """
    last = latest_of(stacks.latest_events(node.id.region, stack.id), stack.id)
    token = last.token if last else ""
    ours = read_token(token)
    operation = _RESUMABLE.get(stack.status)

    if operation is None or ours is None:
        return WaitingForOther(stack.id, stack.status, token)
    if ours.fingerprint != fingerprint or ours.operation != operation:
        return WaitingForOther(stack.id, stack.status, token)
    return Started(operation, node.stack_name, stack.id, token, expected=expected, resumed=True)


def start_deletion(stacks: Stacks, region: str, stack: Stack) -> str:
    """Delete a stack, after its termination protection, and return the token.

    A second attempt after a failed one has a token of its own, so that CloudFormation does not
    take it for a repetition of the first call.
    """
    if stack.protected:
        stacks.protect(region, stack.id, on=False)

    attempt = ""
    if stack.status is StackStatus.DELETE_FAILED:
        attempt = _last_attempt(stacks, region, stack)
    token = token_for("delete", digest([stack.id])[:16], stack.changed_at, attempt)
    stacks.delete(region, stack.id, token)
    return token


def start_continuation(stacks: Stacks, region: str, stack: Stack) -> str:
    """Continue the rollback of a stack in UPDATE_ROLLBACK_FAILED, and return the token."""
    attempt = _last_attempt(stacks, region, stack)
    token = token_for("continue", digest([stack.id])[:16], stack.changed_at, attempt)
    stacks.continue_rollback(region, stack.id, token)
    return token


def earlier_update(stacks: Stacks, region: str, stack_id: str) -> float | None:
    """Return the seconds of the stack's latest good update, if its events still show it."""
    try:
        events = stacks.latest_events(region, stack_id)
    except (CloudRefused, ApiUnavailable):
        return None  # only the estimate is lost: the update has started and is waited for
    return earlier_seconds(events, stack_id, "UPDATE")


def cancel(stacks: Stacks, region: str, started: Started) -> str | None:
    """Cancel an operation and return the cancellation's token, or None to wait for it.

    An update is rolled back. A creation is deleted, but never a stack that was ever complete: it
    may serve.
    """
    if started.operation not in (StackOperation.CREATE, StackOperation.UPDATE):
        return None

    stack = stacks.get(region, started.stack_id)
    if stack.status is StackStatus.UPDATE_IN_PROGRESS:
        token = token_for("cancel", digest([started.stack_id])[:16], started.token)
        stacks.cancel_update(region, started.stack_id, token)
        return token

    creating = started.operation is StackOperation.CREATE
    if creating and stack.status is StackStatus.CREATE_IN_PROGRESS:
        return start_deletion(stacks, region, stack)
    return None


def _last_attempt(stacks: Stacks, region: str, stack: Stack) -> str:
    """Return when the stack's latest operation ended, which tells one attempt from the next."""
    last = latest_of(stacks.latest_events(region, stack.id), stack.id)
    return last.at.isoformat() if last else ""
