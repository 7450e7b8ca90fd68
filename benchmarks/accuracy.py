"""`python -m benchmarks.accuracy`: the errors of a drill's measures against the cloud's own log.

The local cloud logs when its verdicts, its answers and its edges change, and when the first
connection reaches the other region, on the clock that all processes of the machine share. Errors
are in seconds of wall time, as is the interval of the probes: no measure can be finer than that.
"""

import argparse
import math
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.sweep import Stage, stages
from deploytool.core.drill.history import (
    DrillStarted,
    FaultInjecting,
    FaultRestoring,
    parse_history,
)
from deploytool.core.drill.measures import measure_movement
from deploytool.core.drill.parsed_history import ParsedHistory, Window
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient

RATES = (10.0, 50.0)  # probes a second
# One fault without anything to detect, and one with the whole chain from a real 5xx
FAULTS = ("health-check", "error")
# The local cloud's loopback addresses
EDGES = {"127.0.0.11": "us-east-1", "127.0.0.12": "us-west-2"}


@dataclass(frozen=True)
class Error:
    """The error of one measure of a drill: measured minus real, in seconds of wall time."""

    fault: str
    rate: float
    measure: str
    seconds: float


EventLog = Mapping[str, Sequence[Mapping[str, Any]]]


def errors(lines: Sequence[str], event_log: EventLog, rate: float) -> list[Error]:
    """Return the errors of one drill, from its history and the event log of the local cloud.

    Raises ValueError when something was not measured, or is not in the log.
    """
    history = ParsedHistory.from_events(parse_history(lines, "history.jsonl"))
    result = []
    for window in (history.failover, history.failback):
        measured = measure_movement(history, window)
        for name, real in _real(history, window, event_log).items():
            value = getattr(measured, name)
            if value is None:
                raise ValueError(f"{window.name}: {name} was not measured")
            result.append(
                Error(
                    fault=history.started.scenario.fault,
                    rate=rate,
                    measure=f"{window.name} {name}",
                    seconds=value / history.started.speed - real,
                )
            )
    return result


def _real(history: ParsedHistory, window: Window, event_log: EventLog) -> dict[str, float]:
    """Return how long each part of a movement really took, in seconds of wall time."""
    started = history.started
    region = window.to
    # The log may have the change before the call that caused it returns
    called = _moment(started, _call_time(history, window))

    def first(log: str, **expected: object) -> float:
        """Return when the log first has an entry with these values, from the call on."""
        times = []
        for entry in event_log[log]:
            values = {key: _plain(entry[key]) for key in expected}
            if entry["monotonic"] >= called and values == expected:
                times.append(float(entry["monotonic"]))
        return min(times)

    health_check = started.health_check.id
    is_failback = region == started.primary
    verdict = first("verdicts", health_check_id=health_check, healthy=is_failback)
    answers = first("answers", name=f"{started.domain}.", new=region)
    client = first("clients", name=started.domain, new=region)
    if started.by_inverting:
        # There is nothing to detect: the movement begins with the verdict
        since = verdict
    else:
        condition = "serving" if is_failback else "failing"
        since = first("edges", region=started.primary, new=condition)
    return {
        "detection": verdict - since,
        "dns_first": answers - since,
        "dns": answers - since,
        "client": client - since,
    }


def _plain(value: Any) -> object:  # noqa: ANN401  # a log's value
    """Return addresses as their region, the state of an edge as its condition."""
    if isinstance(value, list):
        return EDGES.get(value[0]) if value else None
    if isinstance(value, dict):
        return value["condition"]
    return value


def _call_time(history: ParsedHistory, window: Window) -> float:
    """Return when the call that begins a movement was made."""
    is_failover = window.to == history.started.secondary
    event_type = FaultInjecting if is_failover else FaultRestoring
    return next(event.at for event in history.events if isinstance(event, event_type))


def _moment(started: DrillStarted, at: float) -> float:
    """Convert a time of the drill to the monotonic clock of the machine."""
    if started.monotonic is None:
        raise ValueError("the history does not say when it began")
    return started.monotonic + at / started.speed


def drill(stage: Stage, fault: str, rate: float) -> list[Error]:
    """Run one drill and return its errors. Raises as `errors` does, or RuntimeError."""
    reports = stage.folder / f"accuracy-{fault}-{rate:g}"
    stage.deploytool("drill", "--fault", fault, "--rate", str(rate), "--report-dir", str(reports))
    state = lifecycle.load(stage.folder / ".deploytool" / "local")
    if state is None:
        raise RuntimeError("the local cloud has ended")
    lines = (reports / "latest" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return errors(lines, ControlClient(state).event_log(), rate)


def main() -> int:
    """Run the benchmark; return 0 when every error is within one interval between two probes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument(
        "--drills",
        type=int,
        default=30,
        metavar="N",
        help="the number of drills at each rate (default: 30)",
    )
    parser.add_argument(
        "--rate",
        type=float,
        action="append",
        metavar="N",
        help="probes a second (repeatable; default: 10 and 50)",
    )
    args = parser.parse_args()
    is_good = True
    with tempfile.TemporaryDirectory() as folder, stages(Path(folder), 1) as [stage]:
        for rate in args.rate or RATES:
            measured: list[Error] = []
            for fault in islice(cycle(FAULTS), args.drills):
                try:
                    measured += drill(stage, fault, rate)
                except (RuntimeError, ValueError) as error:
                    is_good = False
                    sys.stdout.write(f"not compared: {fault}: {error}\n")
            sys.stdout.write(table(measured, rate, args.drills))
            sys.stdout.flush()
            if count_within_interval(measured, rate) < len(measured):
                is_good = False
    return 0 if is_good else 1


def count_within_interval(measured: Sequence[Error], rate: float) -> int:
    """Count the errors that are no larger than the interval between two probes."""
    return sum(abs(error.seconds) <= 1 / rate for error in measured)


def table(measured: Sequence[Error], rate: float, drills: int) -> str:
    """Return a Markdown table of each measure's errors, in milliseconds of wall time."""
    within = count_within_interval(measured, rate)
    headline = f"{rate:g} probes a second, {drills} drills"
    summary = f"{within} of {len(measured)} measures within one interval ({1000 / rate:g} ms)"
    lines = [
        f"{headline}: {summary}",
        "",
        "| measure | least | median | 95 % of magnitudes below | most |",
        "|---|--:|--:|--:|--:|",
    ]
    # Each measure once, in the order of the drills
    for measure in dict.fromkeys(error.measure for error in measured):
        values = sorted(1000 * error.seconds for error in measured if error.measure == measure)
        median = statistics.median(values)
        lines.append(
            f"| {measure} | {values[0]:.1f} | {median:.1f}"
            f" | {_percentile_95(values):.1f} | {values[-1]:.1f} |"
        )
    return "\n".join([*lines, "", ""])


def _percentile_95(values: Sequence[float]) -> float:
    """Return the magnitude that 95 % of the values do not exceed (the nearest rank)."""
    magnitudes = sorted(abs(value) for value in values)
    rank = math.ceil(0.95 * len(magnitudes))
    return magnitudes[max(rank, 1) - 1]


if __name__ == "__main__":
    sys.exit(main())
