"""What a list of drills says of each. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


def _seconds(value: Any) -> float | None:  # noqa: ANN401  # of a document that anybody may have changed
    return None if value is None else float(value)
