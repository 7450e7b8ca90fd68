"""What the faults of an edge share: the local cloud's way into the primary region is broken for
real.
"""

from typing import ClassVar

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import RestoreEdge, UndoStep
from deploytool.core.errors import DrillRefused
from deploytool.core.service.service import Service


class BrokenEdge:
    """A condition of the primary's edge. The guard's function runs inside the local cloud and
    cannot mend the cloud itself.
    """

    name: ClassVar[str]
    condition: ClassVar[str]
    proves = "the checkers' time limits and the clients' own"
    blast_radius = "every client of the primary, on the local cloud"
    by_inverting = False
    guarded = False
    attempt = 0.0

    def __init__(self, ports: DrillPorts, service: Service) -> None:
        if ports.edges is None:
            raise DrillRefused(
                f"the fault {self.name} breaks a region of the local cloud; AWS has no such switch (use --local)"
            )
        self._edges, self._region = ports.edges, service.primary

    def undo(self) -> tuple[UndoStep, ...]:
        """Let it serve again."""
        return (RestoreEdge(self._region),)

    def inject(self) -> None:
        """Break it."""
        self._edges.set_condition(self._region, self.condition)

    def calls(self) -> tuple[str, ...]:
        """The one call."""
        return (f"the local cloud's edge of {self._region}: {self.condition}",)
