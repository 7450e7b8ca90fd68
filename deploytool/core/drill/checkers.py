"""The checks of a drill's history. Each one yields what is wrong. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from deploytool.core.drill.history import DnsAnswered, Served
from deploytool.core.drill.measures import Movement, Requests, Stay
from deploytool.core.drill.parsed_history import ParsedHistory, Window
from deploytool.core.route53.timing import PROPAGATION_SECONDS, FailoverTime


class Verdict(StrEnum):
    """The result of a drill, from the best to the worst. The worst of several findings wins."""

    PASS = "pass"  # noqa: S105  # no password
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"


class Check(StrEnum):
    """The subject of a check."""

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


def run_checks(
    history: ParsedHistory,
    failover: Movement,
    failback: Movement,
    stay: Stay | None,
    requests: Requests,
) -> list[Finding]:
    """Return the findings of all checks, the worst first."""
    findings = [
        *_completeness(history),
        *_own_network(history),
        *_number_of_requests(history, failover),
        *_movements(history, failover, failback),
        *_stay(history, stay),
        *_duration(history, history.failover, failover),
        *_duration(history, history.failback, failback),
        *_failed_share(history, requests),
        *_restored(history),
    ]
    # The sort is stable, so findings of one verdict stay in the order of the checks.
    order = list(Verdict)
    findings.sort(key=lambda finding: order.index(finding.verdict), reverse=True)
    return findings


def _completeness(history: ParsedHistory) -> Iterator[Finding]:
    reasons = [f"the drill was aborted: {reason}" for reason in history.abort_reasons]
    if not history.ended and not reasons:
        reasons.append("the history is cut short: the drill did not reach its end")
    for reason in reasons:
        yield Finding(Check.HISTORY, Verdict.INCONCLUSIVE, reason)


def _own_network(history: ParsedHistory) -> Iterator[Finding]:
    """Find a time in which no region and no name server answered.

    It tells about the network of the drill and not about the service.
    """
    # The secondary is probed too, so one region that is down does not stop all lanes.
    lanes = {event.lane for event in history.events if isinstance(event, Served | DnsAnswered)}
    failing: set[str] = set()
    for event in history.events:
        match event:
            case Served():
                # An error status is an answer too: the network works.
                failed = event.status is None
            case DnsAnswered():
                failed = bool(event.failure)
            case _:
                continue

        if failed:
            failing.add(event.lane)
        else:
            failing.discard(event.lane)

        if failing == lanes:
            reason = (
                f"nothing answered at second {event.at:.1f}, not even the secondary: the network "
                "of the drill itself was down"
            )
            yield Finding(Check.HISTORY, Verdict.INCONCLUSIVE, reason)
            return


def _number_of_requests(history: ParsedHistory, failover: Movement) -> Iterator[Finding]:
    needed = history.started.scenario.lasting
    windows = [history.failover]
    # Without a failover there is nothing to fail back from.
    if failover.client is not None:
        windows.append(history.failback)

    for window in windows:
        count = sum(window.covers(request) for request in history.served())
        if window.start is not None and count < needed:
            reason = (
                f"the {window.name} has too few requests to judge it: {count} of at least {needed}"
            )
            yield Finding(Check(window.name), Verdict.INCONCLUSIVE, reason)


def _movements(history: ParsedHistory, failover: Movement, failback: Movement) -> Iterator[Finding]:
    if history.injected is None:
        return

    if failover.client is None:
        region = history.started.secondary
        reason = (
            f"traffic did not move to {region} permanently: {_obstacle(history.failover, failover)}"
        )
        yield Finding(Check.FAILOVER, Verdict.FAIL, reason)

    # The failback of a history that was cut short may still have come.
    failback_due = history.failback.start is not None and history.ended
    if failback_due and failback.client is None:
        region = history.started.primary
        reason = f"traffic did not return to {region} permanently: {_obstacle(history.failback, failback)}"
        yield Finding(Check.FAILBACK, Verdict.FAIL, reason)


def _stay(history: ParsedHistory, stay: Stay | None) -> Iterator[Finding]:
    """Judge whether traffic stayed with the secondary until the explicit failback."""
    if stay is None:
        return

    started = history.started
    if stay.returned is not None:
        reason = (
            f"traffic moved back to {started.primary} by itself {stay.returned:.1f} s after the"
            " fault was undone, although the stage has a manual failback"
        )
        yield Finding(Check.FAILBACK, Verdict.FAIL, reason)
        return

    # An aborted drill has its reason already.
    shown = stay.healthy_seconds is not None and stay.healthy_seconds >= PROPAGATION_SECONDS
    if history.ended and not shown:
        reason = (
            f"the health check of {started.primary} was not healthy long enough before the failback"
            " to show that traffic stays by the switch"
        )
        yield Finding(Check.FAILBACK, Verdict.INCONCLUSIVE, reason)


def _obstacle(window: Window, movement: Movement) -> str:
    """Return the first step that a movement did not reach."""
    if movement.detection is None and not window.by_switch:
        return "the verdict of the health check did not change"
    if movement.dns_first is None:
        return "no name server changed its answer"
    if movement.dns is None:
        return "not every name server changed its answer"
    return "DNS answered with that region, but it did not serve the client consistently"


def _duration(history: ParsedHistory, window: Window, movement: Movement) -> Iterator[Finding]:
    """Compare the duration of a movement with its objective, or with the bound without one."""
    if movement.client is None:
        return

    if window == history.failover:
        key = "rto_seconds"
        objective = history.started.objectives.rto_seconds
        bound = history.expected.failover
    else:
        key = "failback_seconds"
        objective = history.started.objectives.failback_seconds
        bound = history.expected.failback

    duration = f"the {window.name} took {movement.client:.1f} s"
    if objective is not None:
        if movement.client > objective:
            reason = f"{duration}, longer than the objective {key} = {objective:g}"
            yield Finding(Check.OBJECTIVES, Verdict.FAIL, reason)
        return

    # A measurement cannot be finer than the time between two probes.
    slack = history.started.scenario.client_interval
    if movement.client > bound.total + slack:
        cause = _longest_term(movement, bound, slack)
        reason = f"{duration}, longer than the {bound.total:.0f} s that the rules predict ({cause})"
        yield Finding(Check(window.name), Verdict.FAIL, reason)


def _longest_term(movement: Movement, bound: FailoverTime, slack: float) -> str:
    """Return the first term of the bound that the movement exceeded."""
    # To aggregate the checkers' results is a part of the propagation time.
    detection_limit = bound.detection + bound.propagation + slack
    if movement.detection is not None and movement.detection > detection_limit:
        return f"the detection alone took {movement.detection:.1f} s"
    if movement.dns is not None and movement.dns > bound.dns + slack:
        return f"the last name server changed after {movement.dns:.1f} s"
    return f"caches kept the old answer longer than its TTL of {bound.dns_ttl:.0f} s"


def _failed_share(history: ParsedHistory, requests: Requests) -> Iterator[Finding]:
    allowed = history.started.objectives.failed_share
    if allowed is not None and requests.failed_share > allowed:
        reason = (
            f"{requests.failed_share:.1%} of the requests failed, more than the objective "
            f"failed_share = {allowed:g}"
        )
        yield Finding(Check.OBJECTIVES, Verdict.FAIL, reason)


def _restored(history: ParsedHistory) -> Iterator[Finding]:
    if history.fault_attempted and not history.restored:
        what = "the fault is undone"
        if history.switch_held:
            what += " and the switch released"
        reason = f"it was not verified that {what}: run deploytool restore"
        yield Finding(Check.RESTORED, Verdict.FAIL, reason)
