"""How long a drill itself was late, and what that takes from its findings. Pure.

A busy machine answers late and sends late. Without this, its own pauses would look like failures of
the regions that it observes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from deploytool.core.drill.checkers import Check, Finding, Verdict
from deploytool.core.drill.history import ObserverLate
from deploytool.core.drill.parsed_history import ParsedHistory, Window

# The share of a movement from which on its findings are in doubt, and from which on a good one is
# too. Ours: a pause hides at most itself, and most drills have a few short ones.
DOUBT_SHARE = 0.1
BLIND_SHARE = 0.5

# What a pause of the observer can look like. That nothing was restored was read, not observed.
_OBSERVED = frozenset({Check.FAILOVER, Check.FAILBACK, Check.OBJECTIVES})


def late_seconds(history: ParsedHistory, start: float, end: float) -> float:
    """Return for how many of the seconds between two the drill was late."""
    total = 0.0
    covered = start
    for event in sorted(_events(history), key=lambda event: event.at - event.seconds):
        # Several probes are late at the same time
        begin = max(event.at - event.seconds, covered)
        until = min(event.at, end)
        if until > begin:
            total += until - begin
            covered = until
    return total


def longest_pause(history: ParsedHistory) -> float:
    """Return the longest time for which the drill was late, in seconds."""
    return max((event.seconds for event in _events(history)), default=0.0)


def doubted(history: ParsedHistory, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings; those that may come from the drill's own pauses are inconclusive.

    A movement that the drill has hardly seen is inconclusive too.
    """
    shares = {window.name: _share(history, window) for window in _windows(history)}
    worst = max(shares.values(), default=0.0)
    result: list[Finding] = []
    for finding in findings:
        rests_on_it = finding.check in _OBSERVED and worst >= DOUBT_SHARE
        if rests_on_it and finding.verdict is Verdict.FAIL:
            reason = f"{finding.reason}; but {_why(worst)}"
            result.append(replace(finding, verdict=Verdict.INCONCLUSIVE, reason=reason))
        else:
            result.append(finding)

    for name, share in shares.items():
        if share >= BLIND_SHARE:
            reason = f"the {name} was hardly observed: {_why(share)}"
            result.append(Finding(Check.HISTORY, Verdict.INCONCLUSIVE, reason))
    return result


def _why(share: float) -> str:
    return (
        f"this machine was too busy to observe it for {share:.0%} of the time, so that its own"
        " pauses may look like failures: run the drill on a machine with less work"
    )


def _share(history: ParsedHistory, window: Window) -> float:
    if window.start is None or window.end <= window.start:
        return 0.0
    return late_seconds(history, window.start, window.end) / (window.end - window.start)


def _windows(history: ParsedHistory) -> Iterator[Window]:
    yield history.failover
    yield history.failback


def _events(history: ParsedHistory) -> Iterator[ObserverLate]:
    for event in history.events:
        if isinstance(event, ObserverLate):
            yield event
