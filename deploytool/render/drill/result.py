"""The judgement of a drill: lines for a person, and the document drill.json for programs."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from deploytool.core.drill.history import SCHEMA_VERSION, to_document
from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.measures import Latency, Movement, Stay
from deploytool.core.route53.timing import FailoverTime
from deploytool.render.drill.figures import (
    request_counts,
    seconds,
    serving_regions,
    stay_note,
    time_note,
)
from deploytool.render.marks import ATTENTION, VERDICTS
from deploytool.render.text import escape


def drill_document(judgement: Judgement) -> dict[str, Any]:
    """Return drill.json; docs/reference/drill-report.md describes its fields.

    Seconds count from the injection, those of the failback from the restore or from the explicit
    failback. None: it did not happen.
    """
    started = judgement.started
    stay = judgement.stay
    return {
        "schema_version": SCHEMA_VERSION,
        "id": started.drill_id,
        "verdict": str(judgement.verdict),
        "reasons": list(judgement.reasons),
        "notes": list(judgement.notes),
        "domain": started.domain,
        "stage": started.stage,
        "primary": started.primary,
        "secondary": started.secondary,
        "fault": started.scenario.fault,
        "target": started.target,
        "speed": started.speed,
        "started": started.wall_time,
        "served_by": dict(judgement.served_by),
        "seconds": _main_figures(judgement),
        "expected_seconds": _terms(judgement.expected.failover),
        "expected_failback_seconds": _terms(judgement.expected.failback),
        "likely_seconds": {name: asdict(likely) for name, likely in judgement.likely.items()},
        "measures": {
            "failover": _measures(judgement.failover),
            "failback": _measures(judgement.failback),
        },
        "switch": started.switch,
        "stay": None if stay is None else _measures(stay),
        "requests": asdict(judgement.requests),
        "latency_seconds": {
            phase: _measures(latency) for phase, latency in judgement.latency.items()
        },
        "restored": judgement.restored,
        "timeline": [to_document(event) for event in judgement.timeline],
    }


def _main_figures(judgement: Judgement) -> dict[str, float | None]:
    """Return the four figures to quote."""
    failover = judgement.failover
    return {
        "detection": _rounded(failover.detection),
        "dns": _rounded(failover.dns),
        "client": _rounded(failover.client),
        "failback": _rounded(judgement.failback.client),
    }


def _terms(bound: FailoverTime) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in bound.terms().items()}


def _measures(measures: Movement | Latency | Stay) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in asdict(measures).items()}


def _rounded(value: float | None) -> float | None:
    """Round seconds to a millisecond."""
    return None if value is None else round(value, 3)


def drill_lines(judgement: Judgement) -> Iterator[str]:
    """Yield the judgement as lines with rich's markup."""
    color = VERDICTS[judgement.verdict].style
    reasons = escape("; ".join(judgement.reasons))
    yield f"[bold {color}]{judgement.verdict.upper()}[/]  {reasons}"
    yield f"served by   {escape(serving_regions(judgement, arrow='->'))}"

    yield from _durations(judgement)
    if judgement.stay is not None:
        yield f"stayed      {escape(stay_note(judgement.stay))}"

    yield f"requests    {escape(request_counts(judgement))}"
    restored = "yes" if judgement.restored else "[red]NO: run deploytool restore[/]"
    yield f"restored    {restored}"
    for remark in judgement.notes:
        yield f"{ATTENTION.markup} {escape(remark)}"
    note = time_note(judgement)
    if note:
        yield f"[dim]{note}[/]"


def _durations(judgement: Judgement) -> Iterator[str]:
    """Yield a table of the measured and the expected durations."""
    failover = judgement.failover
    failback = judgement.failback
    there = judgement.expected.failover
    back = judgement.expected.failback
    rows = (
        ("detection", failover.detection, failback.detection, there.detection, back.detection),
        (
            "propagation",
            failover.propagation,
            failback.propagation,
            there.propagation,
            back.propagation,
        ),
        ("DNS", failover.dns, failback.dns, there.dns, back.dns),
        ("client", failover.client, failback.client, there.total, back.total),
    )
    if there == back:
        yield f"{'':12}{'failover':>10}{'failback':>10}{'expected':>10}"
        for name, moved, returned, most, _ in rows:
            yield f"{name:12}{seconds(moved):>10}{seconds(returned):>10}{seconds(most):>10}"
        return

    yield f"{'':12}{'failover':>10}{'expected':>10}{'failback':>10}{'expected':>10}"
    for name, moved, returned, most, most_back in rows:
        yield (
            f"{name:12}{seconds(moved):>10}{seconds(most):>10}"
            f"{seconds(returned):>10}{seconds(most_back):>10}"
        )
