"""What a drill's history shows beside its verdict. A note decides nothing. Pure."""

from collections.abc import Iterator

from deploytool.core.drill.dns_checks import resolvers_behind
from deploytool.core.drill.history import HealthSeen
from deploytool.core.drill.lateness import late_seconds, longest_pause
from deploytool.core.drill.live_state import HealthView
from deploytool.core.drill.measures import Movement
from deploytool.core.drill.parsed_history import ParsedHistory, Window
from deploytool.core.route53.timing import FailoverTime


def notes_of(history: ParsedHistory, failover: Movement, failback: Movement) -> tuple[str, ...]:
    """Return the notes on a history, in the order of the drill."""
    expected = history.expected
    objectives = history.started.objectives
    return (
        *_checkers(history),
        *_lateness(history),
        *_resolvers(history, history.failover, failover),
        *_resolvers(history, history.failback, failback),
        *_slower(history, history.failover, failover, expected.failover, objectives.rto_seconds),
        *_slower(
            history, history.failback, failback, expected.failback, objectives.failback_seconds
        ),
    )


def _checkers(history: ParsedHistory) -> Iterator[str]:
    """Tell of health checkers that found the endpoint unhealthy before the fault was injected.

    Route 53 counts the endpoint as healthy while more than 18 % of the checkers do, so that they
    do not keep a drill from beginning.
    """
    if history.injected is None:
        return
    view = HealthView(history.started.health_check.config)
    for event in history.events:
        if isinstance(event, HealthSeen) and event.at < history.injected:
            view.observe(event)

    healthy, checkers = view.checkers
    if healthy < checkers:
        yield (
            f"when the fault was injected, {checkers - healthy} of {checkers} health checkers had"
            " found the endpoint unhealthy; Route 53 counts it as healthy while more than 18 % find"
            " it so"
        )


def _lateness(history: ParsedHistory) -> Iterator[str]:
    """Tell for how long this machine could not observe."""
    first, last = history.events[0].at, history.events[-1].at
    seconds = late_seconds(history, first, last)
    if seconds:
        yield (
            f"this machine was late for {seconds:.1f} of {last - first:.0f} s, at most"
            f" {longest_pause(history):.1f} s at once; what happened meanwhile was not observed"
        )


def _resolvers(history: ParsedHistory, window: Window, movement: Movement) -> Iterator[str]:
    """Tell of resolvers that kept an old answer. They are not part of the stage."""
    for resolver in resolvers_behind(history, window, movement):
        yield (
            f"resolver {resolver.name} did not follow the {window.name}: {resolver.told}; clients"
            " of a resolver that ignores TTLs stay with the old region for longer"
        )


def _slower(
    history: ParsedHistory,
    window: Window,
    movement: Movement,
    expected: FailoverTime,
    objective: float | None,
) -> Iterator[str]:
    """Tell of a movement that took longer than expected, where no objective decides."""
    # A measurement cannot be finer than the time between two probes.
    slack = history.started.scenario.client_interval
    if movement.client is None or objective is not None:
        return
    if movement.client <= expected.total + slack:
        return

    key = "rto_seconds" if window.to == history.started.secondary else "failback_seconds"
    yield (
        f"the {window.name} took {movement.client:.1f} s, longer than the expected"
        f" {expected.total:.0f} s ({_longest_term(movement, expected, slack)}); AWS publishes no"
        f" number for {expected.estimated:.0f} s of these, so that this is no failure: an objective"
        f" drill.{key} decides"
    )


def _longest_term(movement: Movement, expected: FailoverTime, slack: float) -> str:
    """Return the first term that a movement exceeded."""
    # To aggregate the checkers' results is a part of the propagation time.
    detection_limit = expected.detection + expected.propagation + slack
    if movement.detection is not None and movement.detection > detection_limit:
        return f"the detection alone took {movement.detection:.1f} s"
    if movement.dns is not None and movement.dns > expected.dns + slack:
        return f"the last name server changed after {movement.dns:.1f} s"
    return f"caches kept the old answer longer than its TTL of {expected.dns_ttl:.0f} s"
