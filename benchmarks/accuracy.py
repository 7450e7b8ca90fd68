"""`python -m benchmarks.accuracy`: how far what a drill measures is from what the local cloud
really did.

The local cloud logs when its verdicts, its answers and its edges changed and when the first
connection came to the other region, on the clock that all processes of the machine share. Errors
are in seconds of wall time, as the probes' interval is: no measurement can be finer than that.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.sweep import Stage, stages
from deploytool.core.drill.history import DrillStarted, parse_history
from deploytool.core.drill.measures import movement
from deploytool.core.drill.parsed_history import ParsedHistory, Window
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient

RATES = (10.0, 50.0)  # probes a second
FAULTS = ("health-check", "error")  # nothing to detect; and the whole chain from a real 5xx
EDGES = {"127.0.0.11": "us-east-1", "127.0.0.12": "us-west-2"}


@dataclass(frozen=True)
class Error:
    """One measure of a drill: `seconds` of wall time between what was measured and what was so."""

    fault: str
    rate: float
    measure: str
    seconds: float


def errors(
    history: Sequence[str], truth: Mapping[str, Sequence[Mapping[str, Any]]], rate: float
) -> list[Error]:
    """Those of one drill. Raises ValueError when something was not measured, or did not happen."""
    facts = ParsedHistory.from_events(parse_history(history, "history.jsonl"))
    found = []
    for window in (facts.failover, facts.failback):
        measured, real = movement(facts, window), _real(facts, window, truth)
        for name, was in real.items():
            value = getattr(measured, name)
            if value is None:
                raise ValueError(f"{window.name}: {name} was not measured")
            found.append(
                Error(
                    facts.started.scenario.fault,
                    rate,
                    f"{window.name} {name}",
                    value / facts.started.speed - was,
                )
            )
    return found


def _real(
    facts: ParsedHistory, window: Window, truth: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, float]:
    """How long each part of a movement really took, in seconds of wall time."""
    started = facts.started
    id_, to = started.health_check.id, window.to

    def first(log: str, **wanted: object) -> float:
        """When the log first says so after the movement's beginning, or while the call that began
        it was under way.
        """
        begun = _moment(started, _calling(facts, window))
        return min(
            float(each["monotonic"])
            for each in truth[log]
            if each["monotonic"] >= begun
            and all(_plain(each[key]) == value for key, value in wanted.items())
        )

    verdict = first("verdicts", health_check_id=id_, healthy=to == started.primary)
    answers = first("answers", name=f"{started.domain}.", new=to)
    client = first("clients", name=started.domain, new=to)
    edge = "serving" if to == started.primary else "failing"
    since = verdict if started.by_inverting else first("edges", region=started.primary, new=edge)
    return {
        "detection": verdict - since,
        "dns_first": answers - since,
        "dns": answers - since,
        "client": client - since,
    }


def _plain(value: Any) -> object:  # noqa: ANN401  # a log's value
    """Addresses as the region that they are, the state of an edge as its condition."""
    if isinstance(value, list):
        return EDGES.get(value[0]) if value else None
    return value["condition"] if isinstance(value, dict) else value


def _calling(facts: ParsedHistory, window: Window) -> float:
    """When the call that begins a movement was made."""
    wanted = "FaultInjecting" if window.to == facts.started.secondary else "FaultRestoring"
    return next(event.at for event in facts.events if type(event).__name__ == wanted)


def _moment(started: DrillStarted, at: float) -> float:
    if started.monotonic is None:
        raise ValueError("the history does not say when it began")
    return started.monotonic + at / started.speed


def drill(stage: Stage, fault: str, rate: float) -> list[Error]:
    """Drill once, and compare."""
    reports = stage.folder / f"accuracy-{fault}-{rate:g}"
    stage.deploytool("drill", "--fault", fault, "--rate", str(rate), "--report-dir", str(reports))
    state = lifecycle.load(stage.folder / ".deploytool" / "local")
    if state is None:
        raise RuntimeError("the local cloud is gone")
    return errors(
        (reports / "history.jsonl").read_text(encoding="utf-8").splitlines(),
        ControlClient(state).event_log(),
        rate,
    )


def main() -> int:
    """Run the benchmark; 0 when every error is within one interval between two probes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument(
        "--drills", type=int, default=30, metavar="N", help="at each rate (default: 30)"
    )
    parser.add_argument(
        "--rate",
        type=float,
        action="append",
        metavar="N",
        help="probes a second (default: 10, and 50)",
    )
    args = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder, stages(Path(folder), 1) as [stage]:
        for rate in args.rate or RATES:
            found: list[Error] = []
            for fault in islice(cycle(FAULTS), args.drills):
                try:
                    found += drill(stage, fault, rate)
                except (RuntimeError, ValueError) as error:
                    good = False
                    sys.stdout.write(f"not compared: {fault}: {error}\n")
            sys.stdout.write(table(found, rate, args.drills))
            sys.stdout.flush()
            good = good and all(abs(each.seconds) <= 1 / rate for each in found)
    return 0 if good else 1


def table(found: Sequence[Error], rate: float, drills: int) -> str:
    """The distribution of each measure's error, in milliseconds of wall time, as a Markdown
    table.
    """
    within = sum(abs(each.seconds) <= 1 / rate for each in found)
    lines = [
        f"{rate:g} probes a second, {drills} drills: {within} of {len(found)} measures within one interval ({1000 / rate:g} ms)",
        "",
        "| measure | least | median | 95 % of magnitudes below | most |",
        "|---|--:|--:|--:|--:|",
    ]
    for name in dict.fromkeys(each.measure for each in found):
        values = sorted(1000 * each.seconds for each in found if each.measure == name)
        high = sorted(map(abs, values))[max(0, -(-95 * len(values) // 100) - 1)]
        lines.append(
            f"| {name} | {values[0]:.1f} | {statistics.median(values):.1f} | {high:.1f} | {values[-1]:.1f} |"
        )
    return "\n".join([*lines, "", ""])


if __name__ == "__main__":
    sys.exit(main())
