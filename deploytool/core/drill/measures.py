"""Measures a drill: how traffic moved, how requests ended, how long they took. Pure.

Every duration is in seconds of the target's clock. No figure is finer than the time between two
probes of a lane.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deploytool.core.drill.history import FRESH_CLIENT, KEPT_CONNECTION_CLIENT, Served
from deploytool.core.drill.live_state import consistent_region
from deploytool.core.drill.parsed_history import ParsedHistory, Window

# The region that a lane reached at each second, None for a failure, in the order of the probes
Points = Sequence[tuple[float, str | None]]


@dataclass(frozen=True)
class Movement:
    """How traffic moved from one region to the other. None: it did not, or was not observed.

    Seconds since the fault was injected (failover) or undone (failback), or since the switch was
    released (explicit failback):

    - `detection`: the verdict of the health check changed.
    - `dns_first`, `dns`: the first and the last name server answered with the other region and
      stayed with it. `resolver_first` and `resolver` are the same for the resolvers.
    - `propagation`: seconds from the detection until `dns`. AWS publishes no number for it, so that
      this is what tells how long it takes. Inverting needs no detection: it counts from the call.
      None where the switch moves traffic, because its verdict cannot be read.
    - `kept_connection`: the client that keeps its connection was served by the other region and
      stayed with it.

    Of the fresh client:

    - `client`: seconds from its first failed or misrouted request to the first of its last good
      requests to the other region.
    - `both_served`: seconds in which both regions served it in turn.
    - `failed`, `misrouted`: its requests before it moved that failed, or that the region to leave
      served.

    `flaps` counts how often the fresh client or a name server returned to the region to leave.
    """

    detection: float | None
    dns_first: float | None
    dns: float | None
    propagation: float | None
    resolver_first: float | None
    resolver: float | None
    client: float | None
    kept_connection: float | None
    both_served: float
    failed: int
    misrouted: int
    flaps: int


@dataclass(frozen=True)
class Stay:
    """How traffic stayed with the secondary, from the restore until the explicit failback.

    `seconds` is how long that was. `healthy_seconds` is how long the check of the primary's endpoint
    was healthy meanwhile, so that nothing but the switch kept traffic away; None when it was not
    healthy at the end. `returned` is when the primary was first seen to serve clients or to be
    answered by a name server, in seconds since the restore; None when it was not.
    """

    seconds: float
    healthy_seconds: float | None
    returned: float | None


@dataclass(frozen=True)
class Requests:
    """The fresh client's requests over the whole drill."""

    total: int
    failed: int
    by_region: Mapping[str, int]

    @property
    def failed_share(self) -> float:
        """The share of failed requests, from 0 to 1; 0 when there was no request."""
        if self.total == 0:
            return 0.0
        return self.failed / self.total


@dataclass(frozen=True)
class Latency:
    """Percentiles of the duration of good requests, in seconds of wall time.

    They are None when there was no request.
    """

    p50: float | None
    p95: float | None
    p99: float | None


def measure_movement(history: ParsedHistory, window: Window) -> Movement:
    """Measure one movement."""
    start = window.start or 0.0

    def since(at: float | None) -> float | None:
        return None if at is None else at - start

    name_servers = _dns_lanes(history, window, "name-server:")
    first_name_server, last_name_server = _arrivals(name_servers, window.to)
    resolvers = _dns_lanes(history, window, "resolver:")
    first_resolver, last_resolver = _arrivals(resolvers, window.to)

    requests = _requests_in(history, window)
    client = _points(requests)
    moved = client_span(history, window)
    kept_client = _points(_requests_in(history, window, KEPT_CONNECTION_CLIENT))

    # All requests when the client did not move
    before_arrival = requests[: _arrival_index(client, window.to)]
    failed = [request for request in before_arrival if not request.good]
    misrouted = [request for request in before_arrival if request.good_region == window.away]

    flaps = 0
    for points in (client, *name_servers):
        flaps += _flaps(points, window.to)

    detection = since(_detection(history, window, first_name_server))
    dns = since(last_name_server)
    return Movement(
        detection=detection,
        dns_first=since(first_name_server),
        dns=dns,
        propagation=_propagation(history, window, detection, dns),
        resolver_first=since(first_resolver),
        resolver=since(last_resolver),
        client=None if moved is None else moved[1] - moved[0],
        kept_connection=since(_arrival(kept_client, window.to)),
        both_served=_both_served(requests, window),
        failed=len(failed),
        misrouted=len(misrouted),
        flaps=flaps,
    )


def measure_stay(history: ParsedHistory) -> Stay | None:
    """Measure how traffic stayed; None for a drill without an explicit failback."""
    window = history.stay
    if window is None or window.start is None:
        return None

    points = list(_points(_requests_in(history, window)))
    for lane in _dns_lanes(history, window, "name-server:"):
        points.extend(lane)
    returned = [at for at, region in points if region == window.away]

    healthy_since: float | None = None
    for change in history.verdicts():
        if change.at < window.end:
            healthy_since = change.at if change.healthy else None
    if healthy_since is not None:
        healthy_since = max(healthy_since, window.start)

    return Stay(
        seconds=window.end - window.start,
        healthy_seconds=None if healthy_since is None else window.end - healthy_since,
        returned=min(returned) - window.start if returned else None,
    )


def client_span(history: ParsedHistory, window: Window) -> tuple[float, float] | None:
    """Return the time in which the fresh client moved, in seconds since the drill began.

    It lasts from the first failed or misrouted request to the first of the last good requests that
    the new region served. None when the client did not move.
    """
    requests = _requests_in(history, window)
    index = _arrival_index(_points(requests), window.to)
    if index is None:
        return None

    end = requests[index].at
    for request in requests[:index]:
        if request.good_region in (None, window.away):
            return min(request.sent, end), end
    # No request failed or was misrouted.
    return end, end


def count_requests(history: ParsedHistory) -> Requests:
    """Count the fresh client's requests."""
    regions = [request.good_region for request in history.served()]
    by_region = Counter(region for region in regions if region is not None)
    return Requests(len(regions), regions.count(None), dict(by_region))


def measure_latency(history: ParsedHistory) -> dict[str, Latency]:
    """Return the fresh client's latency before, during and after the failover."""
    result = {}
    for phase, window in history.phases.items():
        durations = []
        for request in _requests_in(history, window):
            if request.good:
                # From seconds of the target's clock to seconds of wall time
                durations.append((request.at - request.sent) / history.started.speed)

        durations.sort()
        result[phase] = Latency(
            p50=_percentile(durations, 50),
            p95=_percentile(durations, 95),
            p99=_percentile(durations, 99),
        )
    return result


def final_regions(history: ParsedHistory) -> dict[str, str | None]:
    """Return the region that served the fresh client at the end of each phase.

    None when its last requests were not all served by one region.
    """
    lasting = history.started.scenario.lasting
    result: dict[str, str | None] = {}
    for phase, window in history.phases.items():
        result[phase] = consistent_region(_requests_in(history, window), lasting)
    return result


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """Return a percentile of sorted values by the nearest rank, always a measured value."""
    if not values:
        return None
    rank = math.ceil(percent / 100 * len(values))
    return values[rank - 1]


def _requests_in(history: ParsedHistory, window: Window, lane: str = FRESH_CLIENT) -> list[Served]:
    return [request for request in history.served(lane) if window.covers(request)]


def _points(requests: Iterable[Served]) -> Points:
    return [(request.at, request.good_region) for request in requests]


def _dns_lanes(history: ParsedHistory, window: Window, prefix: str) -> list[Points]:
    """Return the points of each DNS lane with a prefix.

    Failures, and answers whose addresses never served, are left out.
    """
    lanes: dict[str, list[tuple[float, str | None]]] = {}
    for answer in history.answers(prefix):
        points = lanes.setdefault(answer.lane, [])
        region = history.address_book.region_of(answer.addresses)
        if region is not None and window.covers(answer):
            points.append((answer.at, region))
    return list(lanes.values())


def _arrivals(lanes: Sequence[Points], to: str) -> tuple[float | None, float | None]:
    """Return when the first and the last of some lanes arrived at a region.

    The last is None when one of them did not arrive.
    """
    arrivals: list[float] = []
    for points in lanes:
        arrival = _arrival(points, to)
        if arrival is not None:
            arrivals.append(arrival)

    if not arrivals:
        return None, None
    all_arrived = len(arrivals) == len(lanes)
    return min(arrivals), max(arrivals) if all_arrived else None


def _arrival(points: Points, to: str) -> float | None:
    """Return when the points reached a region and stayed there; None when they did not."""
    index = _arrival_index(points, to)
    return None if index is None else points[index][0]


def _arrival_index(points: Points, to: str) -> int | None:
    """Return the index from which all points are at a region; None when the last one is not."""
    # From the last point backwards: an earlier visit to the region was not permanent.
    index = len(points)
    while index > 0 and points[index - 1][1] == to:
        index -= 1
    return index if index < len(points) else None


def _detection(
    history: ParsedHistory, window: Window, first_name_server: float | None
) -> float | None:
    """Return when the verdict changed.

    The switch has a health check whose verdict cannot be read, so the first name server tells it. A
    name server that answers with the other region knows the verdict, even when our slower reading
    of the health check does not show it yet.
    """
    if window.by_switch:
        return first_name_server
    # Route 53 answers with the primary while the health check is healthy.
    healthy = window.to == history.started.primary
    for change in history.verdicts():
        if window.contains(change.at) and change.healthy is healthy:
            return change.at if first_name_server is None else min(change.at, first_name_server)
    return first_name_server


def _propagation(
    history: ParsedHistory, window: Window, detection: float | None, dns: float | None
) -> float | None:
    """Return the seconds from the detection until the last name server answered so."""
    if window.by_switch or dns is None:
        return None
    if history.started.by_inverting:
        return dns
    return None if detection is None else dns - detection


def _both_served(requests: Sequence[Served], window: Window) -> float:
    """Return the seconds from the first request to the new region to the last to the old one."""
    new = [request.sent for request in requests if request.good_region == window.to]
    old = [request.sent for request in requests if request.good_region == window.away]
    if not new or not old:
        return 0.0
    return max(max(old) - min(new), 0.0)


def _flaps(points: Points, to: str) -> int:
    """Return how often the points left the region again."""
    flaps = 0
    for (_, before), (_, after) in pairwise(points):
        if before == to and after != to:
            flaps += 1
    return flaps
