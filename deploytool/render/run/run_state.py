"""A run as it stands, stack by stack, gathered from its events alone. What every renderer of
progress reads.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.events import (
    Event,
    RunStarted,
    StackCancelled,
    StackDone,
    StackFailed,
    StackHeld,
    StackStarted,
    StackWaiting,
)

PAST = {"create": "created", "update": "updated", "delete": "deleted"}


class State(StrEnum):
    """Where a stack is in the run."""

    WAITING = "waiting"
    BLOCKED = "blocked"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    NOT_STARTED = "not started"


@dataclass(frozen=True)
class Row:
    """One stack. Times in seconds of the run's clock; `begun` is None for one with which nothing
    was done.

    `note` is the first cause of a failure, or the status that blocks it.
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
        """It ended and nothing had to be done."""
        return self.state is State.DONE and self.begun is None

    def seconds(self, now: float) -> float | None:
        """How long it has run, or ran."""
        return (
            None if self.begun is None else (now if self.ended is None else self.ended) - self.begun
        )

    @property
    def said(self) -> str:
        """What is or was done with it."""
        if self.state is State.DONE:
            return PAST.get(self.action, self.action)
        return (
            f"{self.action} failed".strip()
            if self.state is State.FAILED
            else self.action or str(self.state)
        )


@dataclass
class RunState:
    """Every stack of a run. A listener for its events."""

    started: float = 0.0
    now: float = 0.0
    rows: dict[NodeId, Row] = field(default_factory=dict)
    over: bool = False

    def __call__(self, event: Event) -> None:
        self.now = event.at
        match event:
            case RunStarted():
                self.started = event.at
                self.rows = {
                    node: Row(node, tuple(sorted(event.waits.get(node, ()))))
                    for node in event.nodes
                }
            case StackStarted():
                begun = self.rows[event.node].begun
                self._set(
                    event.node,
                    state=State.RUNNING,
                    action=event.action,
                    begun=event.at if begun is None else begun,
                    expected=event.expected,
                    note="",
                )
            case StackWaiting():
                self._set(
                    event.node, state=State.BLOCKED, note=f"is {event.status} by someone else"
                )
            case StackHeld():
                self._set(
                    event.node,
                    state=State.BLOCKED,
                    note=f"until {event.standby} has passed its check",
                )
            case StackDone():
                self._set(
                    event.node, state=State.DONE, action=event.action, ended=event.at, note=""
                )
            case StackFailed():
                self._set(
                    event.node,
                    state=State.FAILED,
                    ended=event.at,
                    note=event.cause,
                    hint=event.hint,
                )
            case StackCancelled():
                self._set(event.node, state=State.NOT_STARTED, needs=event.because)
            case _:
                pass

    def close(self) -> None:
        """The run is over, perhaps because it was stopped: what still waits was not started."""
        self.over = True
        for row in self.of(State.WAITING, State.BLOCKED):
            self._set(row.node, state=State.NOT_STARTED, needs=tuple(self.unfinished_needs(row)))

    def _set(self, node: NodeId, **changes: object) -> None:
        self.rows[node] = replace(self.rows[node], **changes)  # type: ignore[arg-type]  # each of the type of its field

    def of(self, *states: State) -> list[Row]:
        """The rows in one of these states, in the order of the graph."""
        return [row for row in self.rows.values() if row.state in states]

    @property
    def shown(self) -> list[Row]:
        """The rows that say something: all but those with which nothing had to be done."""
        return [row for row in self.rows.values() if not row.quiet]

    @property
    def quiet(self) -> list[str]:
        """How many stacks were left as they are, by what is said of them: `14 unchanged`."""
        return [
            f"{count} {action}"
            for action, count in Counter(
                row.action for row in self.rows.values() if row.quiet
            ).items()
        ]

    def unfinished_needs(self, row: Row) -> list[NodeId]:
        """What a waiting stack still waits for."""
        return [
            need
            for need in row.needs
            if need in self.rows and self.rows[need].state is not State.DONE
        ]

    def remaining(self, now: float) -> tuple[float, bool] | None:
        """Seconds to the run's end along the longest chain, and whether every duration in it is
        known (else it is the least).

        None when nothing is known of what runs, or the run is over.
        """
        left: dict[NodeId, float] = {}
        known = True
        for row in self._in_order():
            expected = self._expected(row)
            if row.state not in (State.WAITING, State.BLOCKED, State.RUNNING):
                continue
            known = known and expected is not None
            own = max((expected or 0.0) - (row.seconds(now) or 0.0), 0.0)
            left[row.node] = own + max((left.get(need, 0.0) for need in row.needs), default=0.0)
        longest = max(left.values(), default=0.0)
        return (longest, known) if longest > 0 and not self.over else None

    def _expected(self, row: Row) -> float | None:
        """A stack's own expected duration, else what its twin in another region is expected to take
        or took.
        """
        twins = [row, *(each for each in self.rows.values() if each.node.stack == row.node.stack)]
        return next((each.expected for each in twins if each.expected is not None), None)

    def _in_order(self) -> Iterator[Row]:
        """Each row after those it needs."""
        left = dict(self.rows)
        while left:
            ready = [
                node for node, row in left.items() if not any(need in left for need in row.needs)
            ]
            for node in ready or list(left):
                yield left.pop(node)
