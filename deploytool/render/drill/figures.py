"""What the outputs of a drill show as figures: durations beside the expected ones, and counts."""

from dataclasses import dataclass

from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.measures import Stay
from deploytool.core.drill.simulation import Range

PHASES = ("before", "during", "after")
NO_REGION = "no region consistently"
NO_STAGE = "none: not deployed by deploytool"
NO_VALUE = "–"  # noqa: RUF001  # a dash, meant


@dataclass(frozen=True)
class Figure:
    """One duration of a movement, in seconds.

    `measured` is None when it did not happen. `likely` is the range of simulated drills, and
    `bound` the most that is
    expected: by Route 53's rules, and estimates where AWS publishes no number.
    """

    movement: str
    name: str
    measured: float | None
    likely: Range
    bound: float


def figures(judgement: Judgement) -> list[Figure]:
    """Return detection, DNS and client of the failover, and then those of the failback."""
    expected = judgement.expected
    movements = (
        ("failover", judgement.failover, expected.failover),
        ("failback", judgement.failback, expected.failback),
    )
    result: list[Figure] = []
    for name, movement, bound in movements:
        likely = judgement.likely[name]
        result += [
            Figure(name, "detection", movement.detection, likely.detection, bound.detection),
            Figure(name, "dns", movement.dns, likely.dns, bound.dns),
            Figure(name, "client", movement.client, likely.client, bound.total),
        ]
    return result


def seconds(value: float | None) -> str:
    """Show a duration in seconds; a dash when there is none."""
    return NO_VALUE if value is None else f"{value:.1f} s"


def milliseconds(value: float | None) -> str:
    """Show a latency, which is given in seconds; a dash when there is none."""
    return NO_VALUE if value is None else f"{value * 1000:.0f} ms"


def likely_range(likely: Range) -> str:
    """Show a range by its ends and its median."""
    if likely.most == 0:
        return "immediately"
    return f"{likely.least:.0f} to {likely.most:.0f} s, median {likely.median:.0f}"


def request_counts(judgement: Judgement) -> str:
    """Show how many requests there were, how many failed, and which region served how many."""
    requests = judgement.requests
    counts = f"{requests.total}, {requests.failed} failed ({requests.failed_share:.1%})"
    by_region = ", ".join(
        f"{count} by {region}" for region, count in sorted(requests.by_region.items())
    )
    if not by_region:
        return counts
    return f"{counts}; {by_region}"


def serving_regions(judgement: Judgement, arrow: str = "→") -> str:
    """Show which region served before, during and after the failover."""
    regions = [judgement.served_by[phase] or NO_REGION for phase in PHASES]
    return f" {arrow} ".join(regions)


def stay_note(stay: Stay) -> str:
    """Show whether traffic stayed with the secondary until the explicit failback."""
    if stay.returned is not None:
        return f"no: traffic moved back by itself {seconds(stay.returned)} after the restore"
    return f"{seconds(stay.seconds)} after the restore, until the failback by the switch"


def time_note(judgement: Judgement) -> str:
    """Explain the seconds of a report where the target's clock is faster than real time."""
    speed = judgement.started.speed
    if speed == 1:
        return ""
    return (
        f"Seconds are those of the local cloud, whose clock ran {speed:g} times as fast as"
        " real time. Latencies are in real time."
    )
