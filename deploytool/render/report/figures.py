"""The words that every form of a drill's report shares: events as sentences, seconds, and the
measured beside the expected.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from deploytool.core.drill.history import (
    DrillAborted,
    DrillEnded,
    DrillStarted,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    PhaseBegan,
)
from deploytool.core.drill.judge import Judgement, LaneMoved, TimelineEvent
from deploytool.core.drill.measures import Movement
from deploytool.core.drill.parsed_history import HealthTurned
from deploytool.core.drill.simulation import Range

PHASES = ("before", "during", "after")
MOST_ROWS = 200  # of a timeline; a lane that flaps has more, and they are in history.jsonl


@dataclass(frozen=True)
class Figure:
    """One duration: of which movement, what was measured (None: it did not happen), what is likely,
    and its bound; in seconds.
    """

    movement: str
    name: str
    measured: float | None
    likely: Range
    bound: float


def figures(judgement: Judgement) -> list[Figure]:
    """The durations that have an expected value: detection, DNS and client, of failover and
    failback.
    """
    bound = judgement.expected
    bounds = {"detection": bound.detection, "dns": bound.dns, "client": bound.total}
    movements: dict[str, Movement] = {
        "failover": judgement.failover,
        "failback": judgement.failback,
    }
    return [
        Figure(
            movement,
            name,
            getattr(measured, name),
            getattr(judgement.likely[movement], name),
            bounds[name],
        )
        for movement, measured in movements.items()
        for name in bounds
    ]


def said(event: TimelineEvent) -> str:  # noqa: C901, PLR0911  # one case an event
    """An event in words; nothing for one that is no news."""
    match event:
        case DrillStarted():
            return (
                f"drill of https://{event.domain}{event.path}: {event.primary} -> {event.secondary}"
            )
        case PhaseBegan(_, phase):
            return f"waiting for the {phase.replace('-', ' ')}"
        case FaultInjecting(_, fault):
            return f"injecting the fault {fault}"
        case FaultInjected():
            return "the fault is in force"
        case FaultRestoring():
            return "restoring"
        case FaultRestored(_, verified):
            return "restored, and verified" if verified else "NOT restored: run deploytool restore"
        case DrillAborted(_, reason):
            return f"aborted: {reason}"
        case DrillEnded():
            return "the drill is over"
        case HealthTurned(_, healthy):
            return f"health check: {'healthy' if healthy else 'unhealthy'}"
        case LaneMoved(_, lane, region):
            return f"{lane}: {region or 'no answer'}"
        case _:
            return ""


def epoch(judgement: Judgement) -> float:
    """The second that reports count from: the injection's, the drill's first one when nothing was
    injected.
    """
    return next(
        (each.at for each in judgement.timeline if isinstance(each, FaultInjected)),
        judgement.started.at,
    )


def notable(judgement: Judgement) -> Iterator[tuple[float, str]]:
    """The timeline in words, in seconds since the injection, without where each lane began; at most
    MOST_ROWS rows.
    """
    start, lanes, rows = epoch(judgement), set[str](), 0
    for event in judgement.timeline:
        if isinstance(event, LaneMoved) and event.lane not in lanes:
            lanes.add(event.lane)
            if event.region is not None:
                continue
        if text := said(event):
            rows += 1
            if rows > MOST_ROWS:
                yield event.at - start, "and more: history.jsonl has everything"
                return
            yield event.at - start, text


def seconds(value: float | None) -> str:
    """A duration, a dash when there is none."""
    return "–" if value is None else f"{value:.1f} s"  # noqa: RUF001  # a dash, meant


def likely_words(likely: Range) -> str:
    """A range as its ends and its median."""
    if likely.most == 0:
        return "at once"
    return f"{likely.least:.0f} to {likely.most:.0f} s, median {likely.median:.0f}"


def milliseconds(value: float | None) -> str:
    """A latency, a dash when there is none."""
    return "–" if value is None else f"{value * 1000:.0f} ms"  # noqa: RUF001  # a dash, meant


def requests_words(judgement: Judgement) -> str:
    """How many requests there were, how many failed, and who served them."""
    requests = judgement.requests
    by_region = ", ".join(
        f"{count} by {region}" for region, count in sorted(requests.by_region.items())
    )
    return f"{requests.total}, {requests.failed} failed ({requests.failed_share:.1%})" + (
        f"; {by_region}" if by_region else ""
    )


def served_words(judgement: Judgement) -> str:
    """Who served before, during and after."""
    return " → ".join(judgement.served_by[phase] or "nobody lastingly" for phase in PHASES)
