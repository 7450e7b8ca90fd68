"""The state of a run, stack by stack, gathered from its events. Every display of a run reads it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from typing import assert_never

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.events import (
    Event,
    RunStarted,
    StackCancelled,
    StackDone,
    StackFailed,
    StackHeld,
    StackLeft,
    StackStarted,
    StackWaiting,
)
from deploytool.core.stacks.plan import Action
from deploytool.render.marks import State

# The count of several stacks with an action; other actions are shown as they are
COUNTED_AS = {str(Action.NOT_CHOSEN): "not chosen"}
PAST = {"create": "created", "update": "updated", "delete": "deleted"}


UNFINISHED = (State.WAITING, State.BLOCKED, State.RUNNING)


@dataclass(frozen=True)
class Row:
    """One stack. Times are in seconds of the run's clock.

    `begun` is None for a stack with which nothing was done. `needs` are the stacks that must be
    done before. `note` is the first cause of a failure, or what blocks the stack.
    """

    node: NodeId
    needs: tuple[NodeId, ...] = ()
    state: State = State.WAITING
    action: str = ""
    begun: float | None = None
    ended: float | None = None
    expected: float | None = None
    note: str = ""
    hint: str = ""

    @property
    def quiet(self) -> bool:
        """Whether the stack is done and nothing had to be done."""
        return self.state is State.DONE and self.begun is None

    def seconds(self, now: float) -> float | None:
        """Return how long the stack has run until now, or ran until it ended."""
        if self.begun is None:
            return None
        end = now if self.ended is None else self.ended
        return end - self.begun

    @property
    def activity(self) -> str:
        """What is being done or was done with the stack."""
        match self.state:
            case State.DONE:
                return PAST.get(self.action, self.action)
            case State.FAILED:
                # A stack can fail before anything was started: then it has no action
                return f"{self.action} failed".strip()
            case _:
                return self.action or str(self.state)


RowEvent = StackStarted | StackWaiting | StackHeld | StackDone | StackFailed | StackCancelled


def row_after(row: Row, event: RowEvent) -> Row:
    """Return the row of a stack after an event of that stack."""
    match event:
        case StackStarted(at, _, action, expected):
            # A failed creation is deleted and then created anew: both count as one
            begun = at if row.begun is None else row.begun
            return replace(
                row, state=State.RUNNING, action=action, begun=begun, expected=expected, note=""
            )
        case StackWaiting(_, _, status):
            note = f"for another operation ({status})"
            return replace(row, state=State.BLOCKED, note=note)
        case StackHeld(_, _, standby):
            note = f"until {standby} has passed its check"
            return replace(row, state=State.BLOCKED, note=note)
        case StackDone(at, _, action):
            return replace(row, state=State.DONE, action=action, ended=at, note="")
        case StackFailed(at, _, cause, hint):
            return replace(row, state=State.FAILED, ended=at, note=cause, hint=hint)
        case StackCancelled(_, _, because):
            return replace(row, state=State.NOT_STARTED, needs=because)
        case _:
            assert_never(event)


@dataclass(frozen=True)
class Remaining:
    """The time to the end of a run. `exact` is False when it is only the least, in seconds."""

    seconds: float
    exact: bool


@dataclass
class RunState:
    """Every stack of a run, in the order of the graph. It is a listener for the run's events.

    `left` are the stacks that are not as desired because an API does not answer, with the reason.
    """

    started: float = 0.0
    now: float = 0.0
    rows: dict[NodeId, Row] = field(default_factory=dict)
    left: dict[NodeId, str] = field(default_factory=dict)
    over: bool = False

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        self.now = event.at
        if isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, StackLeft):
            self.left[event.node] = event.reason
        elif isinstance(event, RowEvent):
            self.rows[event.node] = row_after(self.rows[event.node], event)

    def _start(self, event: RunStarted) -> None:
        self.started = event.at
        for node in event.nodes:
            needs = event.needs.get(node, ())
            self.rows[node] = Row(node, tuple(sorted(needs)))

    def close(self) -> None:
        """End the run, also one that was stopped: what still waits was not started."""
        self.over = True
        for row in self.in_state(State.WAITING, State.BLOCKED):
            needs = tuple(self.unfinished_needs(row))
            self.rows[row.node] = replace(row, state=State.NOT_STARTED, needs=needs)

    def in_state(self, *states: State) -> list[Row]:
        """Return the rows in one of these states, in the order of the graph."""
        return [row for row in self.rows.values() if row.state in states]

    @property
    def shown(self) -> list[Row]:
        """The rows of all stacks with which something had to be done."""
        return [row for row in self.rows.values() if not row.quiet]

    @property
    def quiet_counts(self) -> list[str]:
        """How many stacks needed nothing, by what is reported of them, like `14 unchanged`."""
        counts = Counter(row.action for row in self.rows.values() if row.quiet)
        return [f"{count} {COUNTED_AS.get(action, action)}" for action, count in counts.items()]

    def unfinished_needs(self, row: Row) -> Iterator[NodeId]:
        """Yield the stacks that a waiting stack still waits for."""
        for need in row.needs:
            if need in self.rows and self.rows[need].state is not State.DONE:
                yield need

    def remaining(self, now: float) -> Remaining | None:
        """Return the time to the end of the run, along the longest chain of unfinished stacks.

        It is the least when some duration in it is not known. Returns None when nothing is known
        of what runs, or when the run is over.
        """
        if self.over:
            return None
        # For each unfinished stack, the seconds until it is done
        until_done: dict[NodeId, float] = {}
        exact = True
        for node in TopologicalSorter(self._unfinished_graph()).static_order():
            row = self.rows[node]
            expected = self._expected(row)
            if expected is None:
                exact = False
                expected = 0.0
            # A stack that takes longer than expected can be done at any moment
            own = max(expected - (row.seconds(now) or 0.0), 0.0)
            needs_done = max((until_done.get(need, 0.0) for need in row.needs), default=0.0)
            until_done[node] = needs_done + own

        longest = max(until_done.values(), default=0.0)
        if longest == 0:
            return None
        return Remaining(longest, exact)

    def _unfinished_graph(self) -> dict[NodeId, list[NodeId]]:
        """Return each unfinished stack with the unfinished stacks that it needs."""
        unfinished = {row.node: row for row in self.in_state(*UNFINISHED)}
        graph: dict[NodeId, list[NodeId]] = {}
        for node, row in unfinished.items():
            graph[node] = [need for need in row.needs if need in unfinished]
        return graph

    def _expected(self, row: Row) -> float | None:
        """Return the expected seconds of a stack: its own, or those of its twin in another region.

        A stack that has not started does not know its own.
        """
        if row.expected is not None:
            return row.expected
        for twin in self.rows.values():
            if twin.node.stack == row.node.stack and twin.expected is not None:
                return twin.expected
        return None
