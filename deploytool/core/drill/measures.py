"""Measures a drill: how traffic moved, how requests ended, how long they took. Pure.

Every duration is in seconds of the target's clock. No figure is finer than the time between two
probes of a lane.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deploytool.core.drill.history import KEPT, DnsAnswered, Served
from deploytool.core.drill.parsed_history import ParsedHistory, Window

PERCENTILES = (50, 95, 99)
Points = Sequence[tuple[float, str | None]]


@dataclass(frozen=True)
class Movement:
    """How traffic moved from one region to the other. None: it did not, or was not observed.

    Since the fault was injected (or undone): `detection`, the health check's verdict turned;
    `dns_first` and `dns`, the first and the last of the name servers answered with the other region
    and stayed with it; `resolver_first` and `resolver` the same of the resolvers;
    `kept_connection`, the client that keeps its connection was served by it and stayed so.

    `client`: from the fresh client's first failed or misrouted request until the first of its
    lasting run of good ones from the other region. `both_served`: for how long both regions served
    it in turn. `failed` and `misrouted` (served by the region to leave) count its requests until
    then; `flaps` how often it or a name server went back again.
    """

    detection: float | None
    dns_first: float | None
    dns: float | None
    resolver_first: float | None
    resolver: float | None
    client: float | None
    kept_connection: float | None
    both_served: float
    failed: int
    misrouted: int
    flaps: int


@dataclass(frozen=True)
class Requests:
    """The fresh client's requests over the whole drill."""

    total: int
    failed: int
    by_region: Mapping[str, int]

    @property
    def failed_share(self) -> float:
        """From 0 to 1; 0 when there was none."""
        return self.failed / self.total if self.total else 0.0


@dataclass(frozen=True)
class Latency:
    """Percentiles of the duration of good requests, in seconds of wall time.

    They are None when there was no request.
    """

    p50: float | None
    p95: float | None
    p99: float | None


def movement(history: ParsedHistory, window: Window) -> Movement:
    """Measure one movement."""
    start = window.start or 0.0

    def since(at: float | None) -> float | None:
        return None if at is None else at - start

    first, last = _dns(history, window, "name-server:")
    resolver_first, resolver = _dns(history, window, "resolver:")
    served = [each for each in history.served() if window.covers(each)]
    span = client_span(history, window)
    until = served[: _last_run(_clients(served), window.to)]
    kept = [each for each in history.served(KEPT) if window.covers(each)]
    return Movement(
        detection=since(_detection(history, window, first)),
        dns_first=since(first),
        dns=since(last),
        resolver_first=since(resolver_first),
        resolver=since(resolver),
        client=None if span is None else span[1] - span[0],
        kept_connection=since(_arrival(_clients(kept), window.to)),
        both_served=_both_served(served, window),
        failed=sum(not each.good for each in until),
        misrouted=sum(each.good and each.region == window.away for each in until),
        flaps=_flaps(_clients(served), window.to)
        + sum(_flaps(points, window.to) for points in _lanes(history, window, "name-server:")),
    )


def client_span(history: ParsedHistory, window: Window) -> tuple[float, float] | None:
    """Return the time in which the fresh client moved, in seconds since the drill began.

    It lasts from the first failed or misrouted request to the beginning of the lasting run of good
    ones. None when that run did not come.
    """
    served = [each for each in history.served() if window.covers(each)]
    arrival = _last_run(_clients(served), window.to)
    if arrival is None:
        return None
    bad = (each.sent for each in served[:arrival] if not each.good or each.region == window.away)
    return min([served[arrival].at, *bad]), served[arrival].at


def requests(history: ParsedHistory) -> Requests:
    """Count the fresh client's requests."""
    served = history.served()
    good = [each for each in served if each.good]
    return Requests(
        len(served),
        len(served) - len(good),
        dict(Counter(each.region for each in good if each.region)),
    )


def latency(history: ParsedHistory) -> dict[str, Latency]:
    """Return the fresh client's latency before, during and after the failover."""
    result = {}
    for phase, window in history.phases.items():
        good = (each for each in history.served() if each.good and window.covers(each))
        took = sorted((each.at - each.sent) / history.started.speed for each in good)
        result[phase] = Latency(*(_percentile(took, percent) for percent in PERCENTILES))
    return result


def served_by(history: ParsedHistory) -> dict[str, str | None]:
    """Return the region that served the fresh client at the end of each phase.

    None when its last requests were not all served by one region.
    """
    lasting = history.started.scenario.lasting
    result: dict[str, str | None] = {}
    for phase, window in history.phases.items():
        last = [each for each in history.served() if window.covers(each)][-lasting:]
        regions = {each.region if each.good else None for each in last}
        result[phase] = regions.pop() if len(last) == lasting and len(regions) == 1 else None
    return result


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """Return a percentile by the nearest rank, which is always a measured value."""
    return values[math.ceil(percent / 100 * len(values)) - 1] if values else None


def _clients(served: Iterable[Served]) -> Points:
    return [(each.at, each.region if each.good else None) for each in served]


def _lanes(history: ParsedHistory, window: Window, prefix: str) -> list[Points]:
    """Return the regions that each DNS lane answered with.

    Failures, and answers whose addresses never served, are left out.
    """
    lanes: dict[str, list[DnsAnswered]] = {}
    for each in history.answers(prefix):
        lanes.setdefault(each.lane, [])
        if window.covers(each):
            lanes[each.lane].append(each)
    return [
        [
            (each.at, region)
            for each in answers
            if (region := history.address_book.region_of(each.addresses))
        ]
        for _, answers in sorted(lanes.items())
    ]


def _dns(history: ParsedHistory, window: Window, prefix: str) -> tuple[float | None, float | None]:
    """Return when the first and the last lane of a kind arrived at the new region."""
    arrivals = [_arrival(points, window.to) for points in _lanes(history, window, prefix)]
    known = [each for each in arrivals if each is not None]
    return min(known, default=None), max(known) if known and len(known) == len(arrivals) else None


def _arrival(points: Points, to: str) -> float | None:
    """Return when the points reached a region and stayed there; None when they did not."""
    first = _last_run(points, to)
    return None if first is None else points[first][0]


def _last_run(points: Points, to: str) -> int | None:
    """Return the index from which all points are at a region; None when the last one is not."""
    elsewhere = max(
        (number for number, (_, region) in enumerate(points) if region != to), default=-1
    )
    return elsewhere + 1 if elsewhere + 1 < len(points) else None


def _detection(history: ParsedHistory, window: Window, dns_first: float | None) -> float | None:
    """Return when the verdict changed.

    A name server that answers with the other region knows the verdict, even when our slower reading
    of the health check does not show it yet.
    """
    wanted = window.to == history.started.primary
    turned = next(
        (
            each.at
            for each in history.verdicts()
            if window.contains(each.at) and each.healthy is wanted
        ),
        None,
    )
    return min((each for each in (turned, dns_first) if each is not None), default=None)


def _both_served(served: Sequence[Served], window: Window) -> float:
    new = min(
        (each.sent for each in served if each.good and each.region == window.to), default=math.inf
    )
    old = max(
        (each.sent for each in served if each.good and each.region == window.away),
        default=-math.inf,
    )
    return max(old - new, 0.0)


def _flaps(points: Points, to: str) -> int:
    """Return how often the points left the region again."""
    return sum(before == to != after for (_, before), (_, after) in pairwise(points))
