"""What keeps a drill from leaving something broken: its record in the account, the guard, and the
restore itself.
"""

from datetime import datetime, timedelta
from uuid import uuid4

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import SCHEMA_VERSION, DrillRecord
from deploytool.core.errors import DrillRefused
from deploytool.core.service.service import Service
from deploytool.work.drill.faults import Fault
from deploytool.work.drill.undo import is_undone, undo

MARGIN = 60.0  # seconds of wall time that the guard leaves a drill beyond its longest


class Safety:
    """One drill's. `begin`, `expect_fault`, (the fault), `restore`, `clear`, in this order;
    `restore` and `clear` at any time.

    The guard is armed as long as the record exists: who is killed between leaves no record that
    nobody comes for.
    """

    def __init__(
        self,
        ports: DrillPorts,
        service: Service,
        fault: Fault,
        holder: str,
        *,
        with_guard: bool,
    ) -> None:
        self._ports, self._service, self._fault, self._holder = (
            ports,
            service,
            fault,
            holder,
        )
        self._steps = fault.undo()
        self._id = f"drill-{uuid4().hex[:12]}"
        self._guard = ports.guard if with_guard and fault.guarded else None
        self._begun = self._broken = False
        if with_guard and fault.guarded and ports.guard is None:
            stage = service.stage
            hint = f"deploytool deploy --stage {stage} makes it (infra/drill-guard.yaml); --no-guard drills without"
            raise DrillRefused(
                "the drill was not begun: no guard is there to restore when this process cannot",
                hint=hint,
            )

    def begin(self, started: str, seconds: float) -> None:
        """Arm the guard, and write the record: from here on another drill refuses. Raises
        DrillUnderWay when one was first.

        `seconds`: how long the drill can be at it, of wall time.
        """
        self._begun = True
        if self._guard:
            self._guard.arm(self._id, seconds + MARGIN)
        until = (datetime.fromisoformat(started) + timedelta(seconds=seconds + MARGIN)).isoformat()
        record = DrillRecord(
            SCHEMA_VERSION,
            self._id,
            self._fault.name,
            self._service.stage,
            self._holder,
            started,
            until,
            self._steps,
        )
        self._ports.records.write(record)

    def expect_fault(self) -> None:
        """From here on the fault counts as injected, until it has been verified that it is not."""
        self._broken = True

    def restore(self) -> bool:
        """Undo everything and read it back; whether it is undone."""
        undo(self._ports, self._steps)
        undone = is_undone(self._ports, self._steps)
        self._broken = not undone
        return undone

    def clear(self) -> None:
        """Delete the record and disarm the guard, unless something is still broken: then both stay
        for who restores it.
        """
        if self._broken or not self._begun:
            return
        self._ports.records.clear(self._id)
        if self._guard:
            self._guard.disarm(self._id)
