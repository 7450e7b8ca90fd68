"""Restores what an interrupted drill left behind: from any machine, and repeatably."""

from dataclasses import dataclass, replace

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
    knows whether the health check is inverted. `failures` are of the steps that could not be undone,
    and of the deletion of the record or the guard, which then remain too.
    """

    steps: tuple[UndoStep, ...]
    record: DrillRecord | None
    waiting: tuple[Missing, ...] = ()
    failures: tuple[DeploytoolError, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether everything is as before the drill, and known to be."""
        return not self.waiting and not self.failures


def restore(ports: DrillPorts, service: Service) -> Restored:
    """Undo what the drill's record lists, as far as the APIs that it needs answer.

    Without a record only an inverted health check is recognised and restored. What fails is part of
    the result, beside what was undone. Raises ApiUnavailable when the record cannot be read.
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

    result = _undo_reachable(ports, steps, record)
    if record is None or not result.is_complete:
        return result
    try:
        ports.records.clear(record.drill_id)
        if ports.guard is not None:
            ports.guard.disarm(record.drill_id)
    except DeploytoolError as error:
        return replace(result, failures=(error,))
    return result


def _undo_reachable(
    ports: DrillPorts, steps: tuple[UndoStep, ...], record: DrillRecord | None
) -> Restored:
    """Undo every step even if one fails."""
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
    return Restored(tuple(undone), record, tuple(waiting), tuple(failures))


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
