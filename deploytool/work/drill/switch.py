"""The switch of a stage as a drill moves it: the record first, then the metric. Repeatable.

The function in the standby region repeats the metric from the record. With the other order it might
repeat the old value after the new one.
"""

from collections.abc import Callable

from deploytool.core.drill.history import Event, SwitchMetricFailed
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.errors import DeploytoolError
from deploytool.core.failover.direction import arrived
from deploytool.core.failover.records import COMMAND, DRILL, SCHEMA_VERSION, SwitchRecord
from deploytool.core.ports import Clock

Emit = Callable[[Event], None]

# Seconds of the target's clock between two data points of the metric, as the commands repeat it
REPEAT_SECONDS = 20.0


def hold(ports: DrillPorts, why: str) -> None:
    """Hold the switch: traffic stays at the secondary."""
    _move(ports, held=True, why=why)


def release(ports: DrillPorts, why: str) -> None:
    """Release the switch, and note that traffic is returning to the primary.

    While it returns, the secondary serves because of the delay and not because of a new failure.
    """
    _move(ports, held=False, why=why)


def note_arrival(ports: DrillPorts) -> None:
    """Write down that traffic has returned to the primary, as `deploytool failback` does.

    From then on the secondary serves because of a new failure. The function in the standby region
    may have written it already.
    """
    record = ports.standby.read(SwitchRecord)
    if record is not None and record.returning:
        ports.standby.write(arrived(record))


def is_held_by_command(record: SwitchRecord | None) -> bool:
    """Return whether `deploytool failover` holds the switch."""
    return record is not None and record.held and record.how == COMMAND


def _move(ports: DrillPorts, *, held: bool, why: str) -> None:
    record = SwitchRecord(
        schema_version=SCHEMA_VERSION,
        held=held,
        since=ports.wall_time(),
        who=ports.who,
        why=why,
        how=DRILL,
        returning=not held,
    )
    ports.standby.write(record)
    ports.switch.put(held=held)


class RepeatedMetric:
    """Repeats the metric of the switch while a drill waits, so that it hangs on no single data point.

    It repeats what the record says, as the function in the standby region does. So it never works
    against a command that moves the switch meanwhile. `clock` is the target's.
    """

    def __init__(self, ports: DrillPorts, clock: Clock, emit: Emit) -> None:
        self._ports = ports
        self._clock = clock
        self._emit = emit
        self._due: float | None = None

    def start(self) -> None:
        """Repeat the metric from now on."""
        self._due = self._clock.now() + REPEAT_SECONDS

    def tick(self) -> None:
        """Put the metric beside the caller when it is due."""
        if self._due is not None and self._clock.now() >= self._due:
            self.start()
            self._ports.executor.start(self._put)

    def _put(self) -> None:
        try:
            record = self._ports.standby.read(SwitchRecord)
            self._ports.switch.put(held=record is not None and record.held)
        except DeploytoolError as error:
            self._emit(SwitchMetricFailed(self._clock.now(), str(error)))
