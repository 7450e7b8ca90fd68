"""The safety of a drill: its record in the account, the guard, and the restore."""

from datetime import datetime, timedelta
from uuid import uuid4

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import SCHEMA_VERSION, DrillRecord, UndoStep
from deploytool.core.errors import DeploytoolError, DrillRefused
from deploytool.core.ports import Clock
from deploytool.core.service.service import Service
from deploytool.work.drill.faults import Fault
from deploytool.work.drill.preflight import refuse_during_deployment
from deploytool.work.drill.undo import is_undone, undo

# Seconds of wall time that the guard waits beyond the longest duration of a drill
MARGIN = 60.0
# Seconds of the target's clock between two looks at whether the drill's record is there
LOOK_SECONDS = 10.0
# How many looks in a row must miss the record
MISSED = 2


class Safety:
    """The safety of one drill.

    The order of the calls is `begin`, `expect_fault`, (the fault), `restore`, `release`, `clear`.
    The last three may be called at any time. The guard is armed for as long as the record exists,
    so a drill that is killed never leaves a record without a guard.

    `release` undoes the steps of `switch_steps`, after those of the fault: the switch is released
    before the record is deleted. So the function in the standby region never takes traffic that has
    not returned yet for a new failure.
    """

    def __init__(
        self,
        ports: DrillPorts,
        service: Service,
        fault: Fault,
        holder: str,
        *,
        with_guard: bool,
        switch_steps: tuple[UndoStep, ...] = (),
    ) -> None:
        guarded = with_guard and fault.guarded
        if guarded and ports.guard is None:
            hint = (
                f"deploytool deploy --stage {service.stage} deploys it (infra/drill-guard.yaml);"
                " --no-guard drills without it"
            )
            raise DrillRefused(
                "the drill was not begun: there is no guard that restores when this process cannot",
                hint=hint,
            )
        self._ports = ports
        self._service = service
        self._fault = fault
        self._holder = holder
        self._guard = ports.guard if guarded else None
        self._steps = fault.undo()
        self._switch_steps = switch_steps
        self.id = f"drill-{uuid4().hex[:12]}"
        self._begun = False
        # When the guard restores (ISO 8601), "" without one
        self.guarded_until = ""
        # The steps of the fault and those of the switch, as long as they are not undone
        self._pending: set[tuple[UndoStep, ...]] = set()

    def begin(self, started: str, seconds: float) -> None:
        """Arm the guard and write the record. From then on other drills are refused.

        `started` is the time of day (ISO 8601), `seconds` the longest duration of the drill in wall
        time. Raises DrillUnderWay when another drill's record exists, DrillRefused when a run
        deploys the stage.
        """
        self._begun = True
        if self._guard is not None:
            self._guard.arm(self.id, seconds + MARGIN)

        due = datetime.fromisoformat(started) + timedelta(seconds=seconds + MARGIN)
        until = due.isoformat(timespec="seconds")
        if self._guard is not None:
            self.guarded_until = until
        record = DrillRecord(
            schema_version=SCHEMA_VERSION,
            drill_id=self.id,
            fault=self._fault.name,
            stage=self._service.stage,
            holder=self._holder,
            started=started,
            until=until,
            undo=(*self._steps, *self._switch_steps),
        )
        self._ports.records.write(record)
        # A deployment that takes its lease from now on sees the record. One before that is seen here
        refuse_during_deployment(self._ports)

    @property
    def _is_broken(self) -> bool:
        """Whether a step is not undone. No steps are undone from the start."""
        return any(self._pending)

    def require_record(self) -> None:
        """Raise DeploytoolError when the record is gone: somebody has restored and disarmed the guard.

        A fault that is injected then would be undone by nobody when this process dies.
        """
        record = self._ports.records.read()
        if record is None or record.drill_id != self.id:
            raise DeploytoolError(
                "nothing was injected: the drill's record is gone",
                hint="a restore has ended this drill; run it again",
            )

    def expect_fault(self) -> None:
        """Count the fault as injected until its restore is verified, and the switch released."""
        self._pending = {self._steps, self._switch_steps}

    def restore(self) -> bool:
        """Undo the fault, read it back, and return whether it is undone."""
        return self._undo(self._steps)

    def release(self) -> bool:
        """Undo what the drill did with the switch beside the fault, as `restore` does."""
        return self._undo(self._switch_steps)

    def _undo(self, steps: tuple[UndoStep, ...]) -> bool:
        undo(self._ports, steps)
        undone = is_undone(self._ports, steps)
        if undone:
            self._pending.discard(steps)
        return undone

    def clear(self) -> None:
        """Delete the record and disarm the guard.

        Both remain when something is still broken: `deploytool restore` and the guard need them.
        """
        if self._is_broken or not self._begun:
            return
        self._ports.records.clear(self.id)
        if self._guard is not None:
            self._guard.disarm(self.id)


class RecordWatch:
    """Notices that somebody else has ended the drill, as `deploytool restore` and the guard do.

    They undo the fault and delete the record. What the drill sees from then on proves nothing.
    `clock` is the target's.
    """

    def __init__(self, ports: DrillPorts, clock: Clock, drill_id: str) -> None:
        self._ports = ports
        self._clock = clock
        self._drill_id = drill_id
        self._due: float | None = None
        self._missed = 0

    @property
    def is_gone(self) -> bool:
        """Whether the record is gone, or that of another drill."""
        return self._missed >= MISSED

    def start(self) -> None:
        """Look at the record from now on."""
        self._due = self._clock.now() + LOOK_SECONDS

    def tick(self) -> None:
        """Look beside the caller when it is due."""
        if self._due is not None and self._clock.now() >= self._due:
            self.start()
            self._ports.executor.start(self._look)

    def _look(self) -> None:
        try:
            record = self._ports.records.read()
        except DeploytoolError:
            return  # an API that does not answer says nothing about the record
        is_ours = record is not None and record.drill_id == self._drill_id
        self._missed = 0 if is_ours else self._missed + 1
