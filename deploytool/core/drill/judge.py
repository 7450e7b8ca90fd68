"""Judges a history: pass, fail or inconclusive, with reasons. Pure, so it can be repeated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from deploytool.core.drill.history import (
    DnsAnswered,
    DrillAborted,
    DrillEnded,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    PhaseBegan,
    Served,
)
from deploytool.core.drill.measures import (
    Latency,
    Movement,
    Requests,
    latency,
    movement,
    requests,
    served_by,
)
from deploytool.core.drill.parsed_history import HealthTurned, ParsedHistory, Window
from deploytool.core.drill.simulation import SimulatedMovement, simulate_movement
from deploytool.core.route53.timing import FailoverTime


class Verdict(StrEnum):
    """How a drill is judged; of several findings the worst wins."""

    PASS = "pass"  # noqa: S105  # no password
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"


class Check(StrEnum):
    """What is judged."""

    HISTORY = "history"
    FAILOVER = "failover"
    FAILBACK = "failback"
    OBJECTIVES = "objectives"
    RESTORED = "restored"


@dataclass(frozen=True)
class Finding:
    """One thing that a check found wrong."""

    check: Check
    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class LaneMoved:
    """From second `at` on another region serves the probes of a lane.

    The region is None when a probe failed, or when the region of its address is not known.
    """

    at: float
    lane: str
    region: str | None


TimelineEvent = Event | LaneMoved | HealthTurned


@dataclass(frozen=True)
class Judgement:
    """The judgement of a history.

    `reasons` tell why the verdict is not a pass, or what passed. `expected` is the upper bound of a
    failover. `served_by` and `latency` are by phase: before, during, after. `likely` is by movement
    (failover, failback): the durations of many simulated movements with the same settings.
    """

    history: ParsedHistory
    verdict: Verdict
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    served_by: Mapping[str, str | None]
    failover: Movement
    failback: Movement
    expected: FailoverTime
    likely: Mapping[str, SimulatedMovement]
    requests: Requests
    latency: Mapping[str, Latency]
    restored: bool
    timeline: tuple[TimelineEvent, ...]

    @property
    def started(self) -> DrillStarted:
        """The settings of the drill."""
        return self.history.started


def judge(events: Sequence[Event]) -> Judgement:
    """Judge a history, whole or cut short.

    Raises InputError when it does not begin with drill_started.
    """
    history = ParsedHistory.from_events(events)
    failover = movement(history, history.failover)
    failback = movement(history, history.failback)
    counted = requests(history)
    findings = [
        *_whole(history),
        *_own_network(history),
        *_enough(history, failover),
        *_moved(history, failover, failback),
    ]
    findings += [
        *_within(history, failover, failback),
        *_errors(history, counted),
        *_restored(history),
    ]
    # The verdicts are declared in their order, the worst last
    order = list(Verdict)
    findings.sort(key=lambda finding: order.index(finding.verdict), reverse=True)
    return Judgement(
        history=history,
        verdict=findings[0].verdict if findings else Verdict.PASS,
        reasons=tuple(finding.reason for finding in findings)
        or _passed(history, failover, failback),
        findings=tuple(findings),
        served_by=served_by(history),
        failover=failover,
        failback=failback,
        expected=history.expected,
        likely={
            "failover": _likely(history, failing=True),
            "failback": _likely(history, failing=False),
        },
        requests=counted,
        latency=latency(history),
        restored=history.restored or not history.fault_attempted,
        timeline=tuple(_timeline(history)),
    )


def _likely(history: ParsedHistory, *, failing: bool) -> SimulatedMovement:
    started = history.started
    attempt = started.attempt if failing else 0.0
    config, ttl = started.health_check.config, history.dns_ttl
    return simulate_movement(
        config, by_inverting=started.by_inverting, failing=failing, attempt=attempt, dns_ttl=ttl
    )


# --- checkers: each yields what is wrong


def _whole(history: ParsedHistory) -> Iterator[Finding]:
    yield from (
        Finding(Check.HISTORY, Verdict.INCONCLUSIVE, f"aborted: {reason}")
        for reason in history.abort_reasons
    )
    if not history.ended and not history.abort_reasons:
        yield Finding(
            Check.HISTORY,
            Verdict.INCONCLUSIVE,
            "the history was cut short: the drill did not come to its end",
        )


def _own_network(history: ParsedHistory) -> Iterator[Finding]:
    """Find a time in which no region and no name server answered.

    It tells about the network of the drill and not about the service.
    """
    lanes = {event.lane for event in history.events if isinstance(event, Served | DnsAnswered)}
    failing: set[str] = set()
    for event in history.events:
        match event:
            case Served():
                bad = event.status is None
            case DnsAnswered():
                bad = bool(event.failure)
            case _:
                continue
        if bad:
            failing.add(event.lane)
        else:
            failing.discard(event.lane)
        if failing == lanes:
            reason = f"nothing answered at second {event.at:.1f}, not even the standby: the drill's own network was down"
            yield Finding(Check.HISTORY, Verdict.INCONCLUSIVE, reason)
            return


def _enough(history: ParsedHistory, failover: Movement) -> Iterator[Finding]:
    lasting = history.started.scenario.lasting
    windows = (
        [history.failover] if failover.client is None else [history.failover, history.failback]
    )
    for window in windows:
        count = sum(window.covers(each) for each in history.served())
        if window.start is not None and count < lasting:
            reason = f"too few requests during the {window.name} to tell: {count}, at least {lasting} needed"
            yield Finding(Check(window.name), Verdict.INCONCLUSIVE, reason)


def _moved(history: ParsedHistory, failover: Movement, failback: Movement) -> Iterator[Finding]:
    if history.injected is None:
        return
    if failover.client is None:
        yield Finding(
            Check.FAILOVER,
            Verdict.FAIL,
            f"traffic did not move to {history.started.secondary} for good: {_stuck(failover)}",
        )
    if history.failback.start is not None and history.ended and failback.client is None:
        yield Finding(
            Check.FAILBACK,
            Verdict.FAIL,
            f"traffic did not come back to {history.started.primary} for good: {_stuck(failback)}",
        )


def _stuck(movement: Movement) -> str:
    if movement.detection is None:
        return "the health check's verdict did not turn"
    if movement.dns_first is None:
        return "no name server changed its answer"
    if movement.dns is None:
        return "not every name server changed its answer"
    return "DNS answered with it, but the client was not served by it lastingly"


def _within(history: ParsedHistory, failover: Movement, failback: Movement) -> Iterator[Finding]:
    objectives = history.started.objectives
    bound = history.expected
    # A measurement cannot be finer than the time between two probes
    slack = history.started.scenario.client_interval
    limits: list[tuple[Window, Movement, float | None, str]] = [
        (history.failover, failover, objectives.rto_seconds, "rto_seconds"),
        (history.failback, failback, objectives.failback_seconds, "failback_seconds"),
    ]
    for window, found, limit, key in limits:
        if found.client is None:
            continue
        took = f"the {window.name} took {found.client:.1f} s"
        if limit is not None and found.client > limit:
            yield Finding(
                Check.OBJECTIVES, Verdict.FAIL, f"{took}, over the objective {key} = {limit:g}"
            )
        elif limit is None and found.client > bound.total + slack:
            term = _exceeded(found, bound, slack)
            yield Finding(
                Check(window.name),
                Verdict.FAIL,
                f"{took}, longer than the {bound.total:.0f} s that the rules predict ({term})",
            )


def _exceeded(found: Movement, bound: FailoverTime, slack: float) -> str:
    if (
        found.detection is not None
        and found.detection > bound.detection + bound.propagation + slack
    ):
        return f"the detection alone {found.detection:.1f} s"
    if found.dns is not None and found.dns > bound.dns + slack:
        return f"until the last name server {found.dns:.1f} s"
    return f"caches held the old answer longer than its TTL of {bound.dns_ttl:.0f} s"


def _errors(history: ParsedHistory, counted: Requests) -> Iterator[Finding]:
    allowed = history.started.objectives.failed_share
    if allowed is not None and counted.failed_share > allowed:
        reason = f"{counted.failed_share:.1%} of the requests failed, over the objective failed_share = {allowed:g}"
        yield Finding(Check.OBJECTIVES, Verdict.FAIL, reason)


def _restored(history: ParsedHistory) -> Iterator[Finding]:
    if history.fault_attempted and not history.restored:
        yield Finding(
            Check.RESTORED,
            Verdict.FAIL,
            "the fault was not verified to be undone: run deploytool restore",
        )


def _passed(history: ParsedHistory, failover: Movement, failback: Movement) -> tuple[str, ...]:
    primary, secondary = history.started.primary, history.started.secondary
    if failover.client is None or failback.client is None:
        return ("nothing was injected",)
    bound = history.expected.total
    there, back = f"{failover.client:.1f} s", f"{failback.client:.1f} s"
    return (
        f"traffic moved to {secondary} in {there} and back to {primary} in {back} (bound: {bound:.0f} s)",
    )


# --- the timeline


def _timeline(history: ParsedHistory) -> list[TimelineEvent]:
    kinds = (
        DrillStarted,
        PhaseBegan,
        FaultInjecting,
        FaultInjected,
        FaultRestoring,
        FaultRestored,
        DrillAborted,
        DrillEnded,
    )
    marks: list[TimelineEvent] = [event for event in history.events if isinstance(event, kinds)]
    return sorted([*marks, *history.verdicts(), *_lane_moves(history)], key=lambda event: event.at)


def _lane_moves(history: ParsedHistory) -> Iterator[LaneMoved]:
    last: dict[str, str | None] = {}
    probes = [event for event in history.events if isinstance(event, Served | DnsAnswered)]
    # A late answer tells about the time at which the probe was sent
    for event in sorted(probes, key=lambda each: each.sent):
        region = _region(history, event)
        if event.lane not in last or last[event.lane] != region:
            last[event.lane] = region
            yield LaneMoved(event.sent, event.lane, region)


def _region(history: ParsedHistory, event: Served | DnsAnswered) -> str | None:
    if isinstance(event, DnsAnswered):
        return history.address_book.region_of(event.addresses)
    return event.region if event.good else None
