"""What each observer saw, as stretches of equal answers: what a picture of a drill is drawn from.
Pure.

A drill at 50 probes a second has a hundred thousand answers and a few dozen stretches.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from deploytool.core.drill.history import FRESH, KEPT, DnsAnswered, HealthSeen, Served
from deploytool.core.drill.live_state import HealthView
from deploytool.core.drill.parsed_history import ParsedHistory

MOST_STRETCHES = 300  # of a lane; one that changes more often is condensed, see `condensed`


class Kind(StrEnum):
    """What a stretch is; where a condensed one holds several, the last of these in order is shown:
    a failure is never lost.
    """

    SERVED = "served"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"
    FAILED = "failed"


@dataclass(frozen=True)
class Stretch:
    """From `start` until `end` (seconds since the drill began) `probes` answers of a lane were
    alike.

    `text`: the region that served or that DNS pointed to; why it failed; nothing for a health
    check.
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
class Lanes:
    """Everything that was observed.

    `verdict` is the health check's; `checkers` what each of its checkers counts; `healthy` how many
    of how many count the endpoint healthy from a second on.
    """

    verdict: Lane
    checkers: tuple[Lane, ...]
    healthy: tuple[tuple[float, int, int], ...]
    name_servers: tuple[Lane, ...]
    resolvers: tuple[Lane, ...]
    clients: tuple[Lane, ...]
    regions: tuple[Lane, ...]

    def answering(self) -> tuple[Lane, ...]:
        """The lanes that a region answers."""
        return self.name_servers + self.resolvers + self.clients + self.regions


def lanes(facts: ParsedHistory) -> Lanes:
    """Take a history apart by lane."""
    end = facts.events[-1].at
    seen: dict[str, list[Stretch]] = {}
    for event in facts.events:
        if isinstance(event, Served | DnsAnswered):
            seen.setdefault(event.lane, []).append(_answer(facts, event))
    made = [Lane(name, condensed(merged(points, end))) for name, points in sorted(seen.items())]
    verdict = [
        Stretch(each.at, each.at, _health(healthy=each.healthy)) for each in facts.verdicts()
    ]
    healthy, checkers = _checkers(facts, end)

    def those(prefix: str) -> tuple[Lane, ...]:
        return tuple(each for each in made if each.name.startswith(prefix))

    clients = sorted(
        those("client:"),
        key=lambda lane: (FRESH, KEPT).index(lane.name) if lane.name in (FRESH, KEPT) else 2,
    )
    return Lanes(
        verdict=Lane("verdict", merged(verdict, end)),
        checkers=checkers,
        healthy=healthy,
        name_servers=those("name-server:"),
        resolvers=those("resolver:"),
        clients=tuple(clients),
        regions=those("region:"),
    )


def merged(points: Iterable[Stretch], end: float) -> tuple[Stretch, ...]:
    """One stretch for all neighbours that are alike, each until the next one's start and the last
    until `end`.
    """
    runs = [list(run) for _, run in groupby(points, key=lambda each: (each.kind, each.text))]
    starts = [run[0].start for run in runs] + [end]
    return tuple(
        replace(run[0], end=max(until, run[-1].end), probes=sum(each.probes for each in run))
        for run, until in zip(runs, starts[1:], strict=True)
    )


def condensed(stretches: Sequence[Stretch], most: int = MOST_STRETCHES) -> tuple[Stretch, ...]:
    """At most `most` stretches: those that begin within the same fraction of the time become one,
    shown as the worst of them.
    """
    if len(stretches) <= most:
        return tuple(stretches)
    begin, end = stretches[0].start, stretches[-1].end
    step = (end - begin) / most or 1.0
    buckets = groupby(stretches, key=lambda each: min(int((each.start - begin) / step), most - 1))
    return merged((_worst(list(bucket)) for _, bucket in buckets), end)


def _worst(stretches: Sequence[Stretch]) -> Stretch:
    worst = max(stretches, key=lambda each: list(Kind).index(each.kind))
    mixed = worst.kind is Kind.FAILED and any(each.kind is not Kind.FAILED for each in stretches)
    return Stretch(
        stretches[0].start,
        stretches[-1].end,
        worst.kind,
        f"{worst.text} at times" if mixed else worst.text,
        sum(each.probes for each in stretches),
    )


def _answer(facts: ParsedHistory, event: Served | DnsAnswered) -> Stretch:
    match event:
        case Served(region=str(region)) if event.good:
            return Stretch(event.at, event.at, Kind.SERVED, region)
        case Served():
            return Stretch(
                event.at, event.at, Kind.FAILED, event.failure or f"status {event.status}"
            )
        case DnsAnswered():
            if region_ := facts.address_book.region_of(event.addresses):
                return Stretch(event.at, event.at, Kind.SERVED, region_)
            if event.addresses:
                return Stretch(event.at, event.at, Kind.UNKNOWN, ", ".join(event.addresses))
            return Stretch(event.at, event.at, Kind.FAILED, event.failure or event.rcode)


def _checkers(
    facts: ParsedHistory, end: float
) -> tuple[tuple[tuple[float, int, int], ...], tuple[Lane, ...]]:
    view = HealthView(facts.started.health_check.config)
    counts: list[tuple[float, int, int]] = []
    points: dict[tuple[str, str, int], list[Stretch]] = {}
    for event in facts.events:
        if not isinstance(event, HealthSeen) or event.failure:
            continue
        view.observe(event)
        if not counts or counts[-1][1:] != view.checkers:
            counts.append((event.at, *view.checkers))
        for key, state in view.states.items():
            points.setdefault(key, []).append(
                Stretch(event.at, event.at, _health(healthy=state.healthy))
            )
    regions = [region for region, _, _ in points]
    named = list(_numbered(regions))
    return tuple(counts), tuple(
        Lane(name, merged(each, end)) for name, each in zip(named, points.values(), strict=True)
    )


def _numbered(regions: Sequence[str]) -> Iterator[str]:
    """A region's name, numbered where it has several checkers."""
    for index, region in enumerate(regions):
        number = regions[: index + 1].count(region)
        yield f"{region} {number}" if regions.count(region) > 1 else region


def _health(*, healthy: bool) -> Kind:
    return Kind.HEALTHY if healthy else Kind.UNHEALTHY
