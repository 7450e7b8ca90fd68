"""The faults of an edge: clients cannot use the primary region's entry point on the local cloud."""

from dataclasses import dataclass
from typing import ClassVar

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import RestoreEdge, UndoStep
from deploytool.core.errors import DrillRefused
from deploytool.core.service.service import Service


@dataclass(frozen=True)
class EdgeFault:
    """Puts the primary's edge into a condition.

    The guard cannot undo it: its function runs inside the local cloud and has no access to the
    edges.
    """

    ports: DrillPorts
    service: Service

    name: ClassVar[str]
    condition: ClassVar[str]
    attempt: ClassVar[float] = 0.0
    proves: ClassVar[str] = "the time limits of the health checkers and of the clients"
    blast_radius: ClassVar[str] = (
        "every client that the local cloud sends to the primary region meets the broken edge"
    )
    by_inverting: ClassVar[bool] = False
    by_switch: ClassVar[bool] = False
    guarded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.ports.edges is None:
            raise DrillRefused(
                f"the fault {self.name} breaks a region of the local cloud;"
                " AWS has no such switch (use --local)"
            )

    def undo(self) -> tuple[UndoStep, ...]:
        """Return the step that lets the edge serve again."""
        return (RestoreEdge(self.service.primary),)

    def inject(self) -> None:
        """Break the edge."""
        if self.ports.edges is not None:
            self.ports.edges.set_condition(self.service.primary, self.condition)

    def calls(self) -> tuple[str, ...]:
        """Return the one call."""
        return (f"the local cloud's edge of {self.service.primary}: {self.condition}",)


class Blackhole(EdgeFault):
    """The edge does not answer. A check fails when its limit for the connection is over, 4 s."""

    name = "blackhole"
    condition = "blackholed"
    attempt = 4.0


class Error(EdgeFault):
    """The edge answers 503. A check fails at once."""

    name = "error"
    condition = "failing"


class Refuse(EdgeFault):
    """The edge refuses connections. A check and a client fail at once."""

    name = "refuse"
    condition = "refusing"


class Slow(EdgeFault):
    """The edge answers late. A check fails after its limit of 2 s; a patient client is served."""

    name = "slow"
    condition = "slow"
    attempt = 2.0
