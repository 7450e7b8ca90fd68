"""Notes in the standby region how a stage's last drill ended, for `deploytool status`."""

from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.failover.records import SCHEMA_VERSION, LastDrill

# A parameter of the standard tier has at most 4 KB, and the report has the reasons in full
MOST_REASONS = 5
MOST_LETTERS = 300  # of a reason


def note_last_drill(ports: DrillPorts, judgement: Judgement) -> None:
    """Write the verdict of a drill that ended, was aborted or was interrupted.

    A drill that is killed writes none. Raises DeploytoolError when it could not be written; the
    verdict stands all the same.
    """
    started = judgement.started
    reasons = (*judgement.reasons[:MOST_REASONS], *_measured(judgement))
    record = LastDrill(
        schema_version=SCHEMA_VERSION,
        drill_id=started.drill_id,
        fault=started.scenario.fault,
        verdict=str(judgement.verdict),
        ended=ports.wall_time(),
        reasons=tuple(reason[:MOST_LETTERS] for reason in reasons),
    )
    ports.standby.write(record)


def _measured(judgement: Judgement) -> tuple[str, ...]:
    """Return what was measured of the term for which AWS publishes no number."""
    measured = {
        "failover": judgement.failover.propagation,
        "failback": judgement.failback.propagation,
    }
    parts = [
        f"{seconds:.1f} s ({name})" for name, seconds in measured.items() if seconds is not None
    ]
    if not parts:
        return ()
    return (f"the name servers followed the verdict after {' and '.join(parts)}",)
