"""Restores what an interrupted drill left behind: from any machine, and repeatably."""

from dataclasses import dataclass

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import DrillRecord, RestoreHealthCheck, UndoStep
from deploytool.core.errors import DeploytoolError
from deploytool.core.service.service import Service
from deploytool.work.drill.undo import in_words, is_undone, undo


@dataclass(frozen=True)
class Restored:
    """The steps that were undone, and the record of the drill that needed them.

    `steps` is empty when there was nothing to restore.
    """

    steps: tuple[UndoStep, ...]
    record: DrillRecord | None


def restore(ports: DrillPorts, service: Service) -> Restored:
    """Undo what the drill's record lists.

    Without a record only an inverted health check is recognised and restored. Raises
    DeploytoolError when the result could not be verified; record and guard then remain.
    """
    record = ports.records.read()
    steps = _without_record(ports, service) if record is None else record.undo
    undo(ports, steps)

    if not is_undone(ports, steps):
        unverified = "; ".join(in_words(step) for step in steps)
        raise DeploytoolError(
            "the restore was written, but AWS returns other values:"
            f" is a drill still running? ({unverified})"
        )

    if record is not None:
        ports.records.clear(record.drill_id)
        if ports.guard is not None:
            ports.guard.disarm(record.drill_id)
    return Restored(steps, record)


def _without_record(ports: DrillPorts, service: Service) -> tuple[UndoStep, ...]:
    health_check = ports.health_checks.get(service.health_check_id)
    if not health_check.config.inverted:
        return ()
    return (RestoreHealthCheck(service.health_check_id, inverted=False),)
