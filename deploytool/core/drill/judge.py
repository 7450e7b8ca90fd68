"""Judges a history: who served, how long each part took, and whether that passes. Pure; anywhere, and as often as one likes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from deploytool.core.drill.history import (
    FRESH,
    DnsAnswered,
    DrillAborted,
    DrillEnded,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    HealthSeen,
    PhaseBegan,
    Served,
)
from deploytool.core.drill.observed import AddressBook, HealthView
from deploytool.core.errors import InputError
from deploytool.core.route53.timing import FailoverTime, expected_failover
from deploytool.core.route53.zone import ALIAS_TTL


class Verdict(StrEnum):
    """How a drill is judged; of several findings the worst wins."""

    PASS = "pass"  # noqa: S105  # no password
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing that a checker found wrong."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class LaneMoved:
    """A lane is served by another region than before; None: it failed, or whose address that is was never learnt."""

    at: float
    lane: str
    region: str | None


@dataclass(frozen=True)
class HealthTurned:
    """The verdict on the health check turned."""

    at: float
    healthy: bool


TimelineEvent = Event | LaneMoved | HealthTurned


@dataclass(frozen=True)
class Movement:
    """How traffic moved from one region to the other. Seconds since the fault was injected (or undone); None: it did not.

    `detection`: the health check's verdict turned. `dns_first`, `dns`: the first and the last of the name servers answered with
    the other region, and stayed with it. `client`: the fresh client was served by it, well, and stayed so.
    """

    detection: float | None
    dns_first: float | None
    dns: float | None
    client: float | None


@dataclass(frozen=True)
class Requests:
    """What the fresh client's requests came to, over the whole drill."""

    total: int
    failed: int
    by_region: Mapping[str, int]


@dataclass(frozen=True)
class Judgement:
    """A history, judged. `reasons` say why it is no pass, or what passed; `expected` is the bound of the failover."""

    started: DrillStarted
    verdict: Verdict
    reasons: tuple[str, ...]
    served_by: Mapping[str, str | None]
    failover: Movement
    failback: Movement
    expected: FailoverTime
    requests: Requests
    restored: bool
    timeline: tuple[TimelineEvent, ...]


@dataclass(frozen=True)
class _Window:
    """The part of a history in which one movement happens: from `start` until `end`, to region `to`."""

    start: float | None
    end: float
    to: str

    def holds(self, at: float) -> bool:
        return self.start is not None and self.start <= at < self.end


class _Facts:
    """A history taken apart once, for the checkers to look at."""

    def __init__(self, events: Sequence[Event]) -> None:
        if not events or not isinstance(events[0], DrillStarted):
            raise InputError("the history does not begin with drill_started: it is not a drill's, or its first lines are lost")
        self.started = events[0]
        self.events = sorted(events, key=lambda event: (event.at, getattr(event, "lane", "")))
        self.ended = any(isinstance(event, DrillEnded) for event in events)
        self.aborted = [event.reason for event in events if isinstance(event, DrillAborted)]
        self.injected = _first_at(self.events, FaultInjected)
        self.restoring = _first_at(self.events, FaultRestoring)
        self.restored_at = _first_at(self.events, FaultRestored)
        self.restored = any(isinstance(event, FaultRestored) and event.verified for event in events)
        self.served = [event for event in self.events if isinstance(event, Served) and event.lane == FRESH]
        self.book = AddressBook()
        for event in self.events:
            self.book.learn(event)
        end = self.events[-1].at + 1.0
        self.failover = _Window(self.injected, end if self.restoring is None else self.restoring, self.started.secondary)
        self.failback = _Window(self.restored_at, end, self.started.primary)
        ttls = [event.ttl for event in self.answers() if event.ttl is not None]
        self.dns_ttl = float(max(ttls, default=ALIAS_TTL))

    @property
    def touched(self) -> bool:
        """Whether the fault may have been injected: from the moment that it was about to be."""
        return any(isinstance(event, FaultInjecting) for event in self.events)

    def answers(self) -> Iterator[DnsAnswered]:
        """What the name servers answered."""
        return (each for each in self.events if isinstance(each, DnsAnswered) and each.lane.startswith("name-server:"))

    def expected(self) -> FailoverTime:
        config = self.started.health_check.config
        return expected_failover(config, by_inverting=self.started.by_inverting, dns_ttl=self.dns_ttl)


def _first_at(events: Sequence[Event], kind: type[Event]) -> float | None:
    return next((event.at for event in events if isinstance(event, kind)), None)


def judge(events: Sequence[Event]) -> Judgement:
    """Judge a history, whole or cut short. Raises InputError when it does not begin with drill_started."""
    facts = _Facts(events)
    failover, failback = _movement(facts, facts.failover), _movement(facts, facts.failback)
    served_by = _served_by(facts)
    findings = [*_whole(facts), *_enough(facts), *_moved(facts, failover, failback), *_within(facts, failover, failback)]
    findings += _restored(facts)
    findings.sort(key=lambda each: list(Verdict).index(each.verdict), reverse=True)
    worst = findings[0].verdict if findings else Verdict.PASS
    reasons = tuple(each.reason for each in findings) or _praise(facts, failover, failback)
    return Judgement(
        started=facts.started,
        verdict=worst,
        reasons=reasons,
        served_by=served_by,
        failover=failover,
        failback=failback,
        expected=facts.expected(),
        requests=_requests(facts),
        restored=facts.restored or not facts.touched,
        timeline=tuple(_timeline(facts)),
    )


# --- measures


def _movement(facts: _Facts, window: _Window) -> Movement:
    lanes = {each.lane for each in facts.answers()}
    arrivals = [_arrival(_dns_points(facts, window, lane), window.to) for lane in sorted(lanes)]
    known = [each for each in arrivals if each is not None]
    client = _arrival([(e.at, e.region if e.good else None) for e in facts.served if window.holds(e.sent)], window.to)
    detection = _detection(facts, window)
    start = window.start or 0.0
    first = min(known, default=None)
    if detection is None or (first is not None and detection > first):
        detection = first  # a name server that answers so has heard of the verdict, whatever our slower reading shows

    def since(at: float | None) -> float | None:
        return None if at is None else at - start

    last = max(known) if known and len(known) == len(arrivals) else None
    return Movement(since(detection), since(first), since(last), since(client))


def _dns_points(facts: _Facts, window: _Window, lane: str) -> list[tuple[float, str | None]]:
    """Where a lane's answers pointed. A query without an answer, or with addresses that never served, tells nothing of it."""
    asked = (each for each in facts.answers() if each.lane == lane and window.holds(each.sent))
    return [(each.at, region) for each in asked if (region := facts.book.region_of(each.addresses))]


def _arrival(points: Sequence[tuple[float, str | None]], to: str) -> float | None:
    """When the points came to `to` and stayed there until the window's end; None when they did not."""
    arrived = None
    for at, region in points:
        if region != to:
            arrived = None
        elif arrived is None:
            arrived = at
    return arrived


def _detection(facts: _Facts, window: _Window) -> float | None:
    wanted = window.to == facts.started.primary
    return next((each.at for each in _verdicts(facts) if window.holds(each.at) and each.healthy is wanted), None)


def _verdicts(facts: _Facts) -> Iterator[HealthTurned]:
    """Each turn of the health check's verdict, its first one too."""
    view, before = HealthView(facts.started.health_check.config), None
    for event in facts.events:
        if isinstance(event, HealthSeen):
            view.observe(event)
            if view.healthy is not None and view.healthy is not before:
                before = view.healthy
                yield HealthTurned(event.at, view.healthy)


def _served_by(facts: _Facts) -> dict[str, str | None]:
    """The region that served the fresh client at the end of each phase, None when it was not lastingly one."""
    lasting = facts.started.scenario.lasting
    bounds = {
        "before": (0.0, facts.injected),
        "during": (facts.failover.start, facts.restoring),
        "after": (facts.failback.start, facts.failback.end),
    }
    result: dict[str, str | None] = {}
    for phase, (start, end) in bounds.items():
        until = facts.events[-1].at + 1.0 if end is None else end
        last = [] if start is None else [each for each in facts.served if start <= each.sent < until][-lasting:]
        regions = {each.region if each.good else None for each in last}
        result[phase] = regions.pop() if len(last) == lasting and len(regions) == 1 else None
    return result


def _requests(facts: _Facts) -> Requests:
    good = [each for each in facts.served if each.good]
    by_region = dict(Counter(each.region for each in good if each.region))
    return Requests(len(facts.served), len(facts.served) - len(good), by_region)


# --- checkers: each says what it finds wrong


def _whole(facts: _Facts) -> Iterator[Finding]:
    yield from (Finding(Verdict.INCONCLUSIVE, f"aborted: {reason}") for reason in facts.aborted)
    if not facts.ended and not facts.aborted:
        yield Finding(Verdict.INCONCLUSIVE, "the history was cut short: the drill did not come to its end")


def _enough(facts: _Facts) -> Iterator[Finding]:
    if facts.injected is None:
        return
    lasting = facts.started.scenario.lasting
    for name, window in (("failover", facts.failover), ("failback", facts.failback)):
        count = sum(window.holds(each.sent) for each in facts.served)
        if window.start is not None and count < lasting:
            yield Finding(Verdict.INCONCLUSIVE, f"too few requests during the {name} to tell: {count}, at least {lasting} needed")


def _moved(facts: _Facts, failover: Movement, failback: Movement) -> Iterator[Finding]:
    if facts.injected is None:
        return
    if failover.client is None:
        yield Finding(Verdict.FAIL, f"traffic did not move to {facts.started.secondary} for good: {_stuck(failover)}")
    if facts.restored_at is not None and facts.ended and failback.client is None:
        yield Finding(Verdict.FAIL, f"traffic did not come back to {facts.started.primary} for good: {_stuck(failback)}")


def _stuck(movement: Movement) -> str:
    if movement.detection is None:
        return "the health check's verdict did not turn"
    if movement.dns_first is None:
        return "no name server changed its answer"
    if movement.dns is None:
        return "not every name server changed its answer"
    return "DNS answered with it, but the client was not served by it lastingly"


def _within(facts: _Facts, failover: Movement, failback: Movement) -> Iterator[Finding]:
    wanted, bound = facts.started.objectives, facts.expected()
    slack = facts.started.scenario.client_interval  # no measurement is finer than the time between two probes
    for name, movement, limit, key in (
        ("failover", failover, wanted.rto_seconds, "rto_seconds"),
        ("failback", failback, wanted.failback_seconds, "failback_seconds"),
    ):
        if movement.client is None:
            continue
        if limit is not None and movement.client > limit:
            yield Finding(Verdict.FAIL, f"the {name} took {movement.client:.1f} s, over the objective {key} = {limit:g}")
        elif limit is None and movement.client > bound.total + slack:
            term = _exceeded(movement, bound, slack)
            took = f"the {name} took {movement.client:.1f} s"
            yield Finding(Verdict.FAIL, f"{took}, longer than the {bound.total:.0f} s that the rules predict ({term})")
    requests = _requests(facts)
    share = requests.failed / requests.total if requests.total else 0.0
    if wanted.failed_share is not None and share > wanted.failed_share:
        reason = f"{share:.1%} of the requests failed, over the objective failed_share = {wanted.failed_share:g}"
        yield Finding(Verdict.FAIL, reason)


def _exceeded(movement: Movement, bound: FailoverTime, slack: float) -> str:
    if movement.detection is not None and movement.detection > bound.detection + bound.propagation + slack:
        return f"the detection alone {movement.detection:.1f} s"
    if movement.dns is not None and movement.dns > bound.dns + slack:
        return f"until the last name server {movement.dns:.1f} s"
    return f"caches held the old answer longer than its TTL of {bound.dns_ttl:.0f} s"


def _restored(facts: _Facts) -> Iterator[Finding]:
    if facts.touched and not facts.restored:
        yield Finding(Verdict.FAIL, "the fault was not verified to be undone: run deploytool restore")


def _praise(facts: _Facts, failover: Movement, failback: Movement) -> tuple[str, ...]:
    primary, secondary = facts.started.primary, facts.started.secondary
    if failover.client is None or failback.client is None:
        return ("nothing was injected",)
    bound = facts.expected().total
    there, back = f"{failover.client:.1f} s", f"{failback.client:.1f} s"
    return (f"traffic moved to {secondary} in {there} and back to {primary} in {back} (bound: {bound:.0f} s)",)


# --- the timeline


def _timeline(facts: _Facts) -> list[TimelineEvent]:
    kinds = (DrillStarted, PhaseBegan, FaultInjecting, FaultInjected, FaultRestoring, FaultRestored, DrillAborted, DrillEnded)
    marks: list[TimelineEvent] = [event for event in facts.events if isinstance(event, kinds)]
    return sorted([*marks, *_verdicts(facts), *_lane_moves(facts)], key=lambda event: event.at)


def _lane_moves(facts: _Facts) -> Iterator[LaneMoved]:
    last: dict[str, str | None] = {}
    for event in facts.events:
        match event:
            case Served():
                region = event.region if event.good else None
            case DnsAnswered():
                region = facts.book.region_of(event.addresses)
            case _:
                continue
        if event.lane not in last or last[event.lane] != region:
            last[event.lane] = region
            yield LaneMoved(event.at, event.lane, region)
