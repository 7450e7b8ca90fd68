"""The ports of a drill beside those of the service, and the bundle of all of them."""

from dataclasses import dataclass
from typing import Protocol

from deploytool.core.drill.record import DrillRecord
from deploytool.core.ports import Executor
from deploytool.core.service.ports import Functions, HealthChecks, Mappings, Probes


class DrillRecords(Protocol):
    """Where a stage's drill writes down what to undo: in the account, so that any other machine
    finds it. At most one.
    """

    def write(self, record: DrillRecord) -> None:
        """Create the record. Raises DrillUnderWay when another drill's is there."""
        ...

    def read(self) -> DrillRecord | None:
        """The record of the drill under way. Raises DeploytoolError when this version cannot read
        it.
        """
        ...

    def clear(self, drill_id: str) -> None:
        """Delete the record if it is this drill's; once it is gone there is nothing to do."""
        ...


class Guard(Protocol):
    """The dead-man's switch: restores what the record says when its time has come, whatever has
    become of us.
    """

    def arm(self, drill_id: str, seconds: float) -> None:
        """Restore `seconds` of wall time from now, never earlier and at most a minute later
        (EventBridge Scheduler).
        """
        ...

    def disarm(self, drill_id: str) -> None:
        """Restore no more. As often as one likes."""
        ...


class Edges(Protocol):
    """The regions' edges, where the target lets them be broken. Conditions: serving, refusing,
    blackholed, slow, failing.
    """

    def set_condition(self, region: str, condition: str, seconds: float = 0.0) -> None:
        """Returns once it holds. `seconds`: how late a slow edge answers, 0 for the target's own
        choice (longer than a check).
        """
        ...

    def condition(self, region: str) -> str:
        """What a client of the region meets now."""
        ...


@dataclass(frozen=True)
class DrillPorts:
    """The ports with which a drill is run and undone.

    `edges` is None on AWS, where the edges of a region cannot be broken. `guard` is None when the
    stage has no stack for it. `shortest_limit` is a lower bound of every time limit of the target's
    health checkers, in seconds of the clock.
    """

    probes: Probes
    executor: Executor
    health_checks: HealthChecks
    functions: Functions
    mappings: Mappings
    edges: Edges | None
    records: DrillRecords
    guard: Guard | None
    shortest_limit: float
