"""A drill's report as Markdown, for a pull request, a wiki or the summary of a CI run."""

from collections.abc import Iterator

from deploytool.core.drill.judge import Judgement
from deploytool.render.drill.figures import (
    NO_STAGE,
    PHASES,
    figures,
    likely_range,
    milliseconds,
    request_counts,
    seconds,
    serving_regions,
    stay_note,
    time_note,
)
from deploytool.render.drill.timeline import timeline_rows
from deploytool.render.markdown import table, text
from deploytool.render.marks import ATTENTION, VERDICT_EMOJI


def markdown(judgement: Judgement) -> str:
    """Return the report: the verdict, the durations, the facts, the latency and the timeline."""
    return "\n".join(_lines(judgement)) + "\n"


def _lines(judgement: Judgement) -> Iterator[str]:
    domain = text(judgement.started.domain)
    verdict = judgement.verdict
    yield f"# Failover drill of {domain}: {VERDICT_EMOJI[verdict]} {verdict}"
    yield ""
    for reason in judgement.reasons:
        yield f"- {text(reason)}"
    for remark in judgement.notes:
        yield f"- {ATTENTION.symbol} {text(remark)}"
    yield ""

    yield from table(("", "measured", "likely", "expected"), _duration_rows(judgement))
    yield from table(("", ""), _fact_rows(judgement))
    yield from table(("latency", "p50", "p95", "p99"), _latency_rows(judgement))

    yield "## Timeline"
    yield ""
    rows = ((f"{at:.1f}", text(event)) for at, event in timeline_rows(judgement))
    yield from table(("second", "what happened"), rows)
    yield "Seconds of the timeline count from the injection."
    note = time_note(judgement)
    if note:
        yield note


def _duration_rows(judgement: Judgement) -> Iterator[tuple[str, ...]]:
    for figure in figures(judgement):
        yield (
            f"{figure.movement}: {figure.name}",
            seconds(figure.measured),
            likely_range(figure.likely),
            seconds(figure.bound),
        )


def _fact_rows(judgement: Judgement) -> Iterator[tuple[str, str]]:
    started = judgement.started
    restored = "restored and verified" if judgement.restored else "**NOT restored**"
    regions = f"{started.primary} and {started.secondary}"

    yield "served by", text(serving_regions(judgement))
    if judgement.stay is not None:
        yield "stayed with the secondary", text(stay_note(judgement.stay))
    yield "requests", text(request_counts(judgement))
    yield "fault", f"{text(started.scenario.fault)}, {restored}"
    yield "stage", text(f"{started.stage or NO_STAGE}, {regions}, target {started.target}")
    yield "started", text(f"{started.wall_time}, deploytool {started.tool}")


def _latency_rows(judgement: Judgement) -> Iterator[tuple[str, ...]]:
    for phase in PHASES:
        latency = judgement.latency[phase]
        yield (
            phase,
            milliseconds(latency.p50),
            milliseconds(latency.p95),
            milliseconds(latency.p99),
        )
