"""Puts right what a drill left behind, from any machine and as often as one likes."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import DrillRecord, RestoreHealthCheck, UndoStep
from deploytool.core.errors import DeploytoolError
from deploytool.core.service.service import Service
from deploytool.work.drill.undo import in_words, is_undone, undo


@dataclass(frozen=True)
class Restored:
    """What was undone (nothing when all was well), and the record of the drill that had left it."""

    steps: tuple[UndoStep, ...]
    record: DrillRecord | None


def restore(ports: DrillPorts, service: Service) -> Restored:
    """Undo what the drill's record says; without a record only an inverted health check can be
    known, and is put right.

    Raises DeploytoolError when it could not be verified; the record stays then, and so does the
    guard.
    """
    record = ports.records.read()
    steps: Sequence[UndoStep] = record.undo if record else _without_record(ports, service)
    undo(ports, steps)
    if not is_undone(ports, steps):
        said = "; ".join(map(in_words, steps))
        raise DeploytoolError(
            f"restored, but it reads otherwise: is a drill still running? ({said})"
        )
    if record:
        ports.records.clear(record.drill_id)
        if ports.guard:
            ports.guard.disarm(record.drill_id)
    return Restored(tuple(steps), record)


def _without_record(ports: DrillPorts, service: Service) -> tuple[UndoStep, ...]:
    inverted = ports.health_checks.get(service.health_check_id).config.inverted
    return (RestoreHealthCheck(service.health_check_id, inverted=False),) if inverted else ()
