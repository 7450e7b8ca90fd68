"""The ports that only a drill uses, and the bundle of all ports of a drill."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from deploytool.core.drill.record import DrillRecord
from deploytool.core.failover.ports import StandbyRecords, SwitchMetric
from deploytool.core.ports import Executor
from deploytool.core.service.ports import Functions, HealthChecks, Mappings, Probes


class DrillRecords(Protocol):
    """The record of a stage's drill, which has the steps that undo it. There is at most one.

    It is kept in the account, so that any other machine can restore.
    """

    def write(self, record: DrillRecord) -> None:
        """Create the record. Raises DrillUnderWay when another drill has one."""
        ...

    def read(self) -> DrillRecord | None:
        """Return the record of the drill under way, None without one.

        Raises DeploytoolError when this version cannot read it.
        """
        ...

    def clear(self, drill_id: str) -> None:
        """Delete the record if it is this drill's. Does nothing when there is none."""
        ...


class Guard(Protocol):
    """The dead man's switch: it restores by the record at a set time, even when the drill died."""

    def arm(self, drill_id: str, seconds: float) -> None:
        """Schedule the restore in `seconds` of wall time.

        EventBridge Scheduler starts it never earlier and at most a minute later.
        """
        ...

    def disarm(self, drill_id: str) -> None:
        """Cancel the restore. Can be repeated."""
        ...


class Deployments(Protocol):
    """The runs that change the stacks of a stage."""

    def describe(self) -> str:
        """Say who deploys the stage and since when; "" when nobody does."""
        ...


class Edges(Protocol):
    """The edges of the regions, on a target that can break them.

    A condition is serving, refusing, blackholed, slow or failing.
    """

    def set_condition(self, region: str, condition: str, seconds: float = 0.0) -> None:
        """Set the condition, and return when it is in force.

        `seconds` is the delay of a slow edge's answers; 0 means the target's default, which is
        longer than a check.
        """
        ...

    def condition(self, region: str) -> str:
        """Return the current condition of a region's edge."""
        ...


@dataclass(frozen=True)
class DrillPorts:
    """The ports with which a drill is run and undone.

    `edges` is None on AWS, where the edges of a region cannot be broken. `guard` is None when the
    stage has no stack for it, and `deployments` where nothing else changes a stage. `standby` and
    `switch` are the stage's records and its switch in the secondary region. `who` moves the switch,
    on which host, and `wall_time` returns the time of day (ISO 8601, UTC) for its record.
    `shortest_limit` is a lower bound of every time limit of the target's health checkers, in
    seconds of the clock.
    """

    probes: Probes
    executor: Executor
    health_checks: HealthChecks
    functions: Functions
    mappings: Mappings
    edges: Edges | None
    records: DrillRecords
    guard: Guard | None
    deployments: Deployments | None
    standby: StandbyRecords
    switch: SwitchMetric
    who: str
    wall_time: Callable[[], str]
    shortest_limit: float
