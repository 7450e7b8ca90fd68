"""What an operation on a node is to the engine, and how a whole run ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.stack import GOOD_ENDS, Stack, StackStatus


@dataclass(frozen=True)
class Started:
    """An operation that CloudFormation accepted. It ends when an event with `token` (or `also`, its
    cancellation's) says so.

    `before` is the stack as it was shown before: a listing that still shows that says nothing.
    `expected` is in seconds. `more`: another operation on the same node follows. `resumed`: an
    earlier run, which was killed, began it.
    """

    action: str
    name: str
    stack_id: str
    token: str
    before: Stack | None = None
    expected: float | None = None
    wanted: frozenset[StackStatus] = GOOD_ENDS
    also: tuple[str, ...] = ()
    more: bool = False
    resumed: bool = False

    @property
    def tokens(self) -> tuple[str, ...]:
        return (self.token, *self.also)

    def is_shown_by(self, stack: Stack) -> bool:
        """Whether this answer of DescribeStacks can be from after the beginning of the
        operation.
        """
        return self.before is None or (stack.status, stack.changed_at) != (
            self.before.status,
            self.before.changed_at,
        )


@dataclass(frozen=True)
class Unchanged:
    """There was nothing to do, or nothing is left to wait for."""

    action: str
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class WaitingForOther:
    """Someone else's operation is under way (its token is `holder`); `begin` is called again when
    it has ended.
    """

    stack_id: str
    status: StackStatus
    holder: str = ""


@dataclass(frozen=True)
class RetryAfter:
    """Something outside the graph is missing; `begin` is called again after so many seconds."""

    seconds: float


StartResult = Started | Unchanged | WaitingForOther | RetryAfter


class Operation(Protocol):
    """What to do with a node. Each method runs beside others; it may call the cloud but not wait
    for a stack.
    """

    def begin(self, node: NodeId, outputs: Mapping[NodeId, Mapping[str, str]]) -> StartResult: ...

    def after(self, node: NodeId, stack: Stack) -> StartResult | None:
        """Called when an operation ended well: the next one for the same node, if there is one."""
        ...

    def cancel(self, node: NodeId, begun: Started) -> str | None:
        """Cancel what was begun; the cancellation's token, or None when it is best waited for."""
        ...


@dataclass
class Outcome:
    """How a run ended: what was done with each node, which failed (with the cause), which were not
    begun because of those.

    `stopped` are those that the user's interrupt kept from being done, with what became of them.
    """

    done: dict[NodeId, str] = field(default_factory=dict)
    failed: dict[NodeId, str] = field(default_factory=dict)
    cancelled: dict[NodeId, tuple[NodeId, ...]] = field(default_factory=dict)
    stopped: dict[NodeId, str] = field(default_factory=dict)
    outputs: dict[NodeId, Mapping[str, str]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.failed and not self.cancelled and not self.stopped
