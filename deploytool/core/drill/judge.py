"""Judges a history: pass, fail or inconclusive, with reasons. Pure, so it can be repeated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploytool.core.drill.bounds import Bounds
from deploytool.core.drill.checkers import Finding, Verdict, run_checks, worst_first
from deploytool.core.drill.history import DrillStarted, Event
from deploytool.core.drill.lateness import doubted
from deploytool.core.drill.measures import (
    Latency,
    Movement,
    Requests,
    Stay,
    count_requests,
    final_regions,
    measure_latency,
    measure_movement,
    measure_stay,
)
from deploytool.core.drill.notes import notes_of
from deploytool.core.drill.parsed_history import ParsedHistory, Window
from deploytool.core.drill.simulation import SimulatedMovement, simulate_movement, simulate_switch
from deploytool.core.drill.timeline import TimelineEvent, timeline


@dataclass(frozen=True)
class Judgement:
    """The judgement of a history.

    `reasons` tell why the verdict is not a pass, or what passed. `notes` tell what is worth a look
    and decides nothing. `stay` tells how traffic stayed
    with the secondary until an explicit failback; it is None where a drill has none. `expected` has
    the longest time that each movement is expected to take. `served_by` and `latency` are by phase: before, during,
    after. `likely` is by movement (failover, failback): the durations of many simulated movements
    with the same settings.
    """

    history: ParsedHistory
    verdict: Verdict
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]
    served_by: Mapping[str, str | None]
    failover: Movement
    failback: Movement
    stay: Stay | None
    expected: Bounds
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
    failover = measure_movement(history, history.failover)
    failback = measure_movement(history, history.failback)
    stay = measure_stay(history)
    requests = count_requests(history)

    findings = worst_first(
        doubted(history, run_checks(history, failover, failback, stay, requests))
    )
    if findings:
        verdict = findings[0].verdict
        reasons = tuple(finding.reason for finding in findings)
    else:
        verdict = Verdict.PASS
        reasons = (_reason_to_pass(history, failover, failback, stay),)

    return Judgement(
        history=history,
        verdict=verdict,
        reasons=reasons,
        notes=notes_of(history, failover, failback),
        findings=tuple(findings),
        served_by=final_regions(history),
        failover=failover,
        failback=failback,
        stay=stay,
        expected=history.expected,
        likely={
            "failover": _simulate(history, history.failover, failing=True),
            "failback": _simulate(history, history.failback, failing=False),
        },
        requests=requests,
        latency=measure_latency(history),
        # Without an injection there is nothing to restore.
        restored=history.restored or not history.fault_attempted,
        timeline=timeline(history),
    )


def _simulate(history: ParsedHistory, window: Window, *, failing: bool) -> SimulatedMovement:
    started = history.started
    if window.by_switch:
        return simulate_switch(held=failing, dns_ttl=history.dns_ttl)
    return simulate_movement(
        started.health_check.config,
        by_inverting=started.by_inverting,
        failing=failing,
        # A check of the restored endpoint ends at once.
        attempt=started.attempt if failing else 0.0,
        dns_ttl=history.dns_ttl,
    )


def _reason_to_pass(
    history: ParsedHistory, failover: Movement, failback: Movement, stay: Stay | None
) -> str:
    if failover.client is None or failback.client is None:
        return "nothing was injected"
    started = history.started
    there = history.expected.failover.total
    back = history.expected.failback.total
    bounds = f"expected: at most {there:.0f} s"
    if there != back:
        bounds += f" and {back:.0f} s"

    moved = f"traffic moved to {started.secondary} in {failover.client:.1f} s"
    returned = f"back to {started.primary} in {failback.client:.1f} s ({bounds})"
    if stay is None:
        return f"{moved} and {returned}"
    return (
        f"{moved}, stayed there for {stay.seconds:.1f} s after the fault was undone, and came"
        f" {returned}"
    )
