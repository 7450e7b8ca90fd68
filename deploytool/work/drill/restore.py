"""Restores what an interrupted drill left behind: from any machine, and repeatably."""

from dataclasses import dataclass

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import DrillRecord, RestoreHealthCheck, UndoStep
from deploytool.core.errors import ApiUnavailable, DeploytoolError
from deploytool.core.service.missing import Missing
from deploytool.core.service.service import Service
from deploytool.work.drill.undo import in_words, is_undone, undo


@dataclass(frozen=True)
class Restored:
    """The steps that were undone, and the record of the drill that needed them.

    `steps` is empty when there was nothing to restore. `waiting` are the steps that have to wait
    for an API that does not answer; then the record remains. Without a record it says that nobody
    knows whether the health check is inverted.
    """

    steps: tuple[UndoStep, ...]
    record: DrillRecord | None
    waiting: tuple[Missing, ...] = ()


def restore(ports: DrillPorts, service: Service) -> Restored:
    """Undo what the drill's record lists, as far as the APIs that it needs answer.

    Without a record only an inverted health check is recognised and restored. Raises
    DeploytoolError when the result could not be verified; record and guard then remain. Raises
    ApiUnavailable when the record cannot be read.
    """
    record = ports.records.read()
    if record is not None:
        steps = record.undo
    else:
        try:
            steps = _without_record(ports, service)
        except ApiUnavailable as error:
            what = "whether the health check is inverted"
            return Restored((), None, (Missing(what, error.region, str(error)),))

    undone, waiting = _undo_reachable(ports, steps)
    if record is not None and not waiting:
        ports.records.clear(record.drill_id)
        if ports.guard is not None:
            ports.guard.disarm(record.drill_id)
    return Restored(undone, record, waiting)


def _undo_reachable(
    ports: DrillPorts, steps: tuple[UndoStep, ...]
) -> tuple[tuple[UndoStep, ...], tuple[Missing, ...]]:
    """Undo every step even if one fails. Return those undone, and those that have to wait.

    Raises the first failure, at the end.
    """
    undone: list[UndoStep] = []
    waiting: list[Missing] = []
    failures: list[DeploytoolError] = []
    for step in steps:
        try:
            _undo_verified(ports, step)
            undone.append(step)
        except ApiUnavailable as error:
            waiting.append(Missing(in_words(step), error.region, str(error)))
        except DeploytoolError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return tuple(undone), tuple(waiting)


def _undo_verified(ports: DrillPorts, step: UndoStep) -> None:
    """Undo a step and read it back. Raises DeploytoolError when AWS returns another value."""
    undo(ports, (step,))
    if not is_undone(ports, (step,)):
        raise DeploytoolError(
            "the restore was written, but AWS returns other values:"
            f" is a drill still running? ({in_words(step)})"
        )


def _without_record(ports: DrillPorts, service: Service) -> tuple[UndoStep, ...]:
    # A stage whose DNS is hosted elsewhere may have none
    if not service.health_check_id:
        return ()
    health_check = ports.health_checks.get(service.health_check_id)
    if not health_check.config.inverted:
        return ()
    return (RestoreHealthCheck(service.health_check_id, inverted=False),)
