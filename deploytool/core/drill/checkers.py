"""The checks of a drill's history. Each one yields what is wrong. Pure.

A finding rests on what was observed, on the objectives of the stage and on what AWS publishes. It
never rests on an estimate of ours: a duration beyond the expected one is a note (notes.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from deploytool.core.drill.dns_checks import servers_behind
from deploytool.core.drill.history import DnsAnswered, Served, region_lane
from deploytool.core.drill.measures import Movement, Requests, Stay
from deploytool.core.drill.parsed_history import ParsedHistory, Window
from deploytool.core.route53.timing import LONGEST_PROPAGATION


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
    """Return the findings of all checks, in their order."""
    return [
        *_completeness(history),
        *_own_network(history),
        *_number_of_requests(history, failover),
        *_movements(history, failover, failback, stay),
        *_name_servers(history, history.failover, failover),
        *_name_servers(history, history.failback, failback),
        *_secondary(history),
        *_stay(history, stay),
        *_objective(
            history.failover, failover, "rto_seconds", history.started.objectives.rto_seconds
        ),
        *_objective(
            history.failback,
            failback,
            "failback_seconds",
            history.started.objectives.failback_seconds,
        ),
        *_failed_share(history, requests),
        *_restored(history),
    ]


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings in the order of their verdicts; those of one verdict keep their order."""
    order = list(Verdict)
    return sorted(findings, key=lambda finding: order.index(finding.verdict), reverse=True)


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


def _movements(
    history: ParsedHistory, failover: Movement, failback: Movement, stay: Stay | None
) -> Iterator[Finding]:
    if history.injected is None:
        return

    if failover.client is None:
        # A drill that was stopped early did not wait long enough to tell.
        verdict = Verdict.FAIL if history.waited_for_failover else Verdict.INCONCLUSIVE
        region = history.started.secondary
        obstacle = _obstacle(history.failover, failover)
        reason = f"traffic did not move to {region} permanently in {_waited(history.failover)}"
        yield Finding(Check.FAILOVER, verdict, f"{reason}: {obstacle}")

    # The failback of a history that was cut short may still have come.
    failback_due = history.failback.start is not None and history.ended
    if stay is not None and stay.returned is not None:
        # Traffic is back already, which is a finding of its own.
        failback_due = False
    if failback_due and failback.client is None:
        region = history.started.primary
        obstacle = _obstacle(history.failback, failback)
        reason = f"traffic did not return to {region} permanently in {_waited(history.failback)}"
        yield Finding(Check.FAILBACK, Verdict.FAIL, f"{reason}: {obstacle}")


def _name_servers(history: ParsedHistory, window: Window, movement: Movement) -> Iterator[Finding]:
    """Find the name servers that did not follow, although the client moved.

    One that is silent shows nothing of the stage: resolvers ask the others. One that answers
    otherwise sends clients elsewhere.
    """
    for server in servers_behind(history, window, movement):
        verdict = Verdict.INCONCLUSIVE if server.silent else Verdict.FAIL
        reason = (
            f"name server {server.name} did not answer with {window.to} in the {window.name}:"
            f" {server.told}; compare the name servers of the zone with those that its parent names"
        )
        yield Finding(Check(window.name), verdict, reason)


def _waited(window: Window) -> str:
    """Return how long the drill observed a movement. AWS promises no time, so the reason says it."""
    return f"the {window.end - (window.start or 0.0):.0f} s that the drill waited"


def _secondary(history: ParsedHistory) -> Iterator[Finding]:
    """Find a secondary that failed while clients depended on it, which makes a drill stop."""
    started = history.started
    window = history.phases["during"]
    if not history.abort_reasons or window.start is None:
        return

    requests = [
        each for each in history.served(region_lane(started.secondary)) if window.covers(each)
    ]
    last = requests[-started.scenario.lasting :]
    failed = sum(not request.good for request in last)
    if len(last) == started.scenario.lasting and 2 * failed >= len(last):
        reason = (
            f"the secondary, {started.secondary}, failed {failed} of its last {len(last)} requests"
            " while clients depended on it"
        )
        yield Finding(Check.FAILOVER, Verdict.FAIL, reason)


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

    # An aborted drill has its reason already. A shorter time would show nothing: the verdict might
    # still be on its way to the name servers.
    shown = stay.healthy_seconds is not None and stay.healthy_seconds >= LONGEST_PROPAGATION
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


def _objective(
    window: Window, movement: Movement, key: str, objective: float | None
) -> Iterator[Finding]:
    """Compare the duration of a movement with its objective, if the stage has one."""
    if movement.client is None or objective is None:
        return
    if movement.client > objective:
        reason = (
            f"the {window.name} took {movement.client:.1f} s, longer than the objective"
            f" {key} = {objective:g}"
        )
        yield Finding(Check.OBJECTIVES, Verdict.FAIL, reason)


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
