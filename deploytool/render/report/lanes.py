"""What each observer saw, as stretches of equal answers: the data of a drill's picture. Pure.

A drill at 50 probes a second has a hundred thousand answers and a few dozen stretches.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from deploytool.core.drill.history import (
    FRESH_CLIENT,
    KEPT_CONNECTION_CLIENT,
    DnsAnswered,
    HealthSeen,
    Served,
)
from deploytool.core.drill.live_state import HealthView
from deploytool.core.drill.parsed_history import ParsedHistory

MOST_STRETCHES = 300  # of a lane; `condensed` joins those of a lane that has more


class Kind(StrEnum):
    """What was seen in a stretch, from the best to the worst.

    Where stretches of several kinds are joined, the worst is shown, so that no failure is lost.
    """

    SERVED = "served"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True)
class Stretch:
    """A time in which a lane got `probes` equal answers, in seconds since the drill began.

    `text` is the region that served or that DNS pointed to, the reason of a failure, or empty for
    a health check.
    """

    start: float
    end: float
    kind: Kind
    text: str = ""
    probes: int = 1


@dataclass(frozen=True)
class Lane:
    """An observer's name and what it saw, in order."""

    name: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class CheckerCount:
    """How many of the health checkers count the endpoint healthy, from the second `at` on."""

    at: float
    healthy: int
    total: int


@dataclass(frozen=True)
class Lanes:
    """Everything that was observed.

    `verdict` is that of the health check, `checkers` are its checkers, and `healthy` tells each
    change of how many of them count the endpoint healthy.
    """

    verdict: Lane
    checkers: tuple[Lane, ...]
    healthy: tuple[CheckerCount, ...]
    name_servers: tuple[Lane, ...]
    resolvers: tuple[Lane, ...]
    clients: tuple[Lane, ...]
    regions: tuple[Lane, ...]

    def answering(self) -> tuple[Lane, ...]:
        """Return the lanes that a region answers."""
        return self.name_servers + self.resolvers + self.clients + self.regions


def lanes(history: ParsedHistory) -> Lanes:
    """Take a history apart by lane."""
    end = history.events[-1].at
    verdicts = [_health(turned.at, healthy=turned.healthy) for turned in history.verdicts()]
    healthy, checkers = _checkers(history, end)

    answering = _answering_lanes(history, end)
    clients = _with_prefix(answering, "client:")
    # The fresh client first, because its movement is the result of the drill
    order = {FRESH_CLIENT: 0, KEPT_CONNECTION_CLIENT: 1}
    clients.sort(key=lambda lane: order.get(lane.name, len(order)))

    return Lanes(
        verdict=Lane("verdict", merged(verdicts, end)),
        checkers=tuple(checkers),
        healthy=tuple(healthy),
        name_servers=tuple(_with_prefix(answering, "name-server:")),
        resolvers=tuple(_with_prefix(answering, "resolver:")),
        clients=tuple(clients),
        regions=tuple(_with_prefix(answering, "region:")),
    )


def _answering_lanes(history: ParsedHistory, end: float) -> list[Lane]:
    """Return the lanes of requests and DNS queries, sorted by name."""
    answers: dict[str, list[Stretch]] = {}
    for event in history.events:
        if isinstance(event, Served | DnsAnswered):
            answers.setdefault(event.lane, []).append(_answer(history, event))
    return [Lane(name, condensed(merged(answers[name], end))) for name in sorted(answers)]


def _with_prefix(all_lanes: Iterable[Lane], prefix: str) -> list[Lane]:
    return [lane for lane in all_lanes if lane.name.startswith(prefix)]


def merged(points: Iterable[Stretch], end: float) -> tuple[Stretch, ...]:
    """Join neighbours that are equal. Each lasts until the next one, the last one until `end`."""
    runs = [list(run) for _, run in groupby(points, key=_content)]
    # Between two probes a lane is taken to be as the first of them saw it
    starts = [run[0].start for run in runs]
    next_starts = [*starts, end][1:]

    result: list[Stretch] = []
    for run, next_start in zip(runs, next_starts, strict=True):
        probes = sum(stretch.probes for stretch in run)
        result.append(replace(run[0], end=max(next_start, run[-1].end), probes=probes))
    return tuple(result)


def _content(stretch: Stretch) -> tuple[Kind, str]:
    return stretch.kind, stretch.text


def condensed(stretches: Sequence[Stretch], most: int = MOST_STRETCHES) -> tuple[Stretch, ...]:
    """Return at most `most` stretches.

    Where there are more, the time is divided into `most` equal parts. The stretches that begin in
    the same part become one, shown as the worst of them.
    """
    if len(stretches) <= most:
        return tuple(stretches)
    begin = stretches[0].start
    end = stretches[-1].end
    # When all stretches begin and end at the same moment, any length of a part will do
    part = (end - begin) / most or 1.0

    def part_number(stretch: Stretch) -> int:
        return min(int((stretch.start - begin) / part), most - 1)

    joined = [_joined(list(group)) for _, group in groupby(stretches, key=part_number)]
    return merged(joined, end)


def _joined(stretches: Sequence[Stretch]) -> Stretch:
    """Return one stretch in the place of several, shown as the worst of them."""
    severity = list(Kind)
    worst = max(stretches, key=lambda stretch: severity.index(stretch.kind))
    all_failed = all(stretch.kind is Kind.FAILED for stretch in stretches)
    text = worst.text
    if worst.kind is Kind.FAILED and not all_failed:
        text = f"{worst.text} at times"
    return Stretch(
        start=stretches[0].start,
        end=stretches[-1].end,
        kind=worst.kind,
        text=text,
        probes=sum(stretch.probes for stretch in stretches),
    )


def _answer(history: ParsedHistory, event: Served | DnsAnswered) -> Stretch:
    """Return what a single answer shows."""
    match event:
        case Served(region=str(region)) if event.good:
            return _point(event.at, Kind.SERVED, region)
        case Served():
            reason = event.failure or f"status {event.status}"
            return _point(event.at, Kind.FAILED, reason)
        case DnsAnswered():
            answered = history.address_book.region_of(event.addresses)
            if answered:
                return _point(event.at, Kind.SERVED, answered)
            # An address from which no region has served yet
            if event.addresses:
                return _point(event.at, Kind.UNKNOWN, ", ".join(event.addresses))
            return _point(event.at, Kind.FAILED, event.failure or event.rcode)


def _checkers(history: ParsedHistory, end: float) -> tuple[list[CheckerCount], list[Lane]]:
    """Return each change of the count of healthy checkers, and a lane for each checker."""
    view = HealthView(history.started.health_check.config)
    counts: list[CheckerCount] = []
    points: dict[tuple[str, str, int], list[Stretch]] = {}
    for event in history.events:
        # A reading that failed tells nothing about the checkers
        if not isinstance(event, HealthSeen) or event.failure:
            continue
        view.observe(event)
        healthy, total = view.checkers
        if not counts or (counts[-1].healthy, counts[-1].total) != (healthy, total):
            counts.append(CheckerCount(event.at, healthy, total))
        for key, state in view.states.items():
            stretch = _health(event.at, healthy=state.healthy)
            points.setdefault(key, []).append(stretch)

    names = _numbered([region for region, _, _ in points])
    checkers = [
        Lane(name, merged(stretches, end))
        for name, stretches in zip(names, points.values(), strict=True)
    ]
    return counts, checkers


def _numbered(regions: Sequence[str]) -> Iterator[str]:
    """Yield a name for each checker: its region, with a number where that has several."""
    for index, region in enumerate(regions):
        if regions.count(region) == 1:
            yield region
        else:
            number = regions[: index + 1].count(region)
            yield f"{region} {number}"


def _health(at: float, *, healthy: bool) -> Stretch:
    return _point(at, Kind.HEALTHY if healthy else Kind.UNHEALTHY)


def _point(at: float, kind: Kind, text: str = "") -> Stretch:
    """Return the stretch of a single answer. It has no length before it is merged."""
    return Stretch(at, at, kind, text)
