"""Markdown: a drill's report for a pull request, a wiki or the summary of a CI run."""

from collections.abc import Iterable, Iterator

from deploytool.core.drill.judge import Judgement, Verdict
from deploytool.core.drill.measures import Latency
from deploytool.render.report.figures import (
    PHASES,
    figures,
    likely_words,
    milliseconds,
    notable,
    requests_words,
    seconds,
    served_words,
)

MARKS = {Verdict.PASS: "✅", Verdict.INCONCLUSIVE: "❔", Verdict.FAIL: "❌"}


def markdown(judgement: Judgement) -> str:
    """The verdict and why, the durations measured and expected, requests, latency, who served, the
    timeline.
    """
    return "\n".join(_lines(judgement)) + "\n"


def _lines(judgement: Judgement) -> Iterator[str]:
    started = judgement.started
    yield f"# Failover drill of {_safe(started.domain)}: {MARKS[judgement.verdict]} {judgement.verdict}"
    yield ""
    yield from (f"- {_safe(reason)}" for reason in judgement.reasons)
    yield ""
    yield from _table(
        ("", "measured", "likely", "bound"),
        (
            (
                f"{each.movement}: {each.name}",
                seconds(each.measured),
                likely_words(each.likely),
                seconds(each.bound),
            )
            for each in figures(judgement)
        ),
    )
    yield ""
    yield from _table(("", ""), _facts(judgement))
    yield ""
    yield from _table(
        ("latency", "p50", "p95", "p99"),
        (
            (phase, *map(milliseconds, (each.p50, each.p95, each.p99)))
            for phase, each in _latency(judgement)
        ),
    )
    yield ""
    yield "## Timeline"
    yield ""
    yield from _table(
        ("second", "what happened"), ((f"{at:.1f}", text) for at, text in notable(judgement))
    )
    yield ""
    yield "Seconds of the timeline count from the injection."
    if started.speed != 1:
        yield f"They are the local cloud's, which passed {started.speed:g} times as fast as real ones; latencies are real."


def _facts(judgement: Judgement) -> Iterator[tuple[str, str]]:
    started = judgement.started
    yield "served by", served_words(judgement)
    yield "requests", requests_words(judgement)
    yield (
        "fault",
        f"{started.scenario.fault}, {'restored and verified' if judgement.restored else '**NOT restored**'}",
    )
    yield (
        "stage",
        f"{started.stage}, {started.primary} and {started.secondary}, target {started.target}",
    )
    yield "began", f"{started.wall_time}, deploytool {started.tool}"


def _latency(judgement: Judgement) -> Iterator[tuple[str, Latency]]:
    return ((phase, judgement.latency[phase]) for phase in PHASES)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row(("---",) * len(head))
    yield from (_row(map(_safe, row)) for row in rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    """A text that cannot leave its table cell, nor be HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
