"""The switch of a stage as a drill moves it: the record first, then the metric. Repeatable.

The function in the standby region repeats the metric from the record. With the other order it might
repeat the old value after the new one.
"""

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.failover.records import COMMAND, DRILL, SCHEMA_VERSION, SwitchRecord


def hold(ports: DrillPorts, why: str) -> None:
    """Hold the switch: traffic stays at the secondary."""
    _move(ports, held=True, why=why)


def release(ports: DrillPorts, why: str) -> None:
    """Release the switch, and note that traffic is returning to the primary.

    While it returns, the secondary serves because of the delay and not because of a new failure.
    """
    _move(ports, held=False, why=why)


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
