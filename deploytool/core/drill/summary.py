"""What a list of drills says of each. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploytool.core.drill.checkers import Verdict
from deploytool.core.drill.history import SCHEMA_VERSION
from deploytool.core.drill.judge import Judgement

SECONDS = ("detection", "dns", "client", "failback")


@dataclass(frozen=True)
class DrillSummary:
    """One drill of a list.

    `started` is ISO 8601. `seconds` has the four figures of drill.json, None for what did not
    happen. `reason` is the first of the verdict's reasons.
    """

    id: str
    started: str
    stage: str
    domain: str
    fault: str
    target: str
    verdict: str
    reason: str
    restored: bool
    seconds: Mapping[str, float | None]


def summary_of(judgement: Judgement) -> DrillSummary:
    """Return the summary of a drill from its judgement."""
    started = judgement.started
    failover = judgement.failover
    figures = (failover.detection, failover.dns, failover.client, judgement.failback.client)
    return DrillSummary(
        id=started.drill_id,
        started=started.wall_time,
        stage=started.stage,
        domain=started.domain,
        fault=started.scenario.fault,
        target=started.target,
        verdict=str(judgement.verdict),
        reason=judgement.reasons[0],
        restored=judgement.restored,
        seconds=dict(zip(SECONDS, figures, strict=True)),
    )


def read_summary(text: str) -> DrillSummary | None:
    """Return the summary in a drill.json, which takes less time than to judge the history again.

    None when the text is no drill.json of this version.
    """
    try:
        document = json.loads(text)
        if document["schema_version"] != SCHEMA_VERSION:
            return None
        seconds = {name: _seconds(document["seconds"][name]) for name in SECONDS}
        return DrillSummary(
            id=str(document["id"]),
            started=str(document["started"]),
            stage=str(document["stage"]),
            domain=str(document["domain"]),
            fault=str(document["fault"]),
            target=str(document["target"]),
            verdict=str(document["verdict"]),
            reason=str(document["reasons"][0]),
            restored=document["restored"] is True,
            seconds=seconds,
        )
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None


def last_pass(drills: Iterable[DrillSummary]) -> DrillSummary | None:
    """Return the drill that passed and began last, None when none has."""
    passed = [drill for drill in drills if drill.verdict == Verdict.PASS and _unix(drill)]
    return max(passed, key=_unix, default=None)


def is_overdue(drills: Iterable[DrillSummary], now: float, max_age: float) -> bool:
    """Return whether no drill that passed is younger than `max_age` seconds at the Unix time `now`."""
    last = last_pass(drills)
    return last is None or now - _unix(last) > max_age


def _unix(drill: DrillSummary) -> float:
    """Return when a drill began, in Unix seconds; 0 when its report does not tell."""
    try:
        return datetime.fromisoformat(drill.started).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _seconds(value: Any) -> float | None:  # noqa: ANN401  # of a document that anybody may have changed
    return None if value is None else float(value)
