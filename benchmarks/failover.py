"""`python -m benchmarks.failover`: how long `failover` and `failback` take, in real time.

They run several times on a private local cloud at speed 1, at different seconds of the minute: the
switch's alarm has periods of a minute. It prints the seconds from the command to every name server
and to a client that honours the TTL, beside the bounds that the rules of Route 53 give.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sweep import Stage, stages
from benchmarks.switch_sweep import run_json

RUNS = 4
MINUTE = 60.0  # seconds, the period of the switch's alarm

# What AWS sells for the same, and what its documentation says about it: ARC Developer Guide,
# "Creating routing control components in ARC" (a cluster is charged by the hour), "Getting and
# updating routing control states using the ARC API" and "Amazon Route 53 health check execution
# block". None of these pages gives a duration.
ARC = (
    "ARC routing control: no duration is documented; a cluster of five endpoints, by the hour",
    "ARC Region switch: no duration is documented; 70 USD a plan and month",
)


@dataclass(frozen=True)
class Measured:
    """The seconds of one movement, and the most that they may be."""

    direction: str
    name_servers: float
    client: float
    most_name_servers: float
    most_client: float


def measure(stage: Stage, direction: str) -> Measured:
    """Move traffic once. Raises RuntimeError when it did not arrive or had not to move."""
    document = run_json(stage, direction, "--reason", "a benchmark")
    seconds = document["seconds"]
    if None in seconds.values():
        raise RuntimeError(f"{direction}: nothing was measured: {document}")
    expected = document["expected_seconds"]
    return Measured(
        direction=direction,
        name_servers=seconds["name_servers"],
        client=seconds["client"],
        most_name_servers=expected["total"] - expected["dns_ttl"],
        most_client=expected["total"],
    )


def lines(measured: Sequence[Measured]) -> Iterator[str]:
    """Yield a table: for each direction and observer the median, the extremes and the bound."""
    yield f"{'':10}{'from the command to':22}{'median':>8}{'least':>8}{'most':>8}{'bound':>8}"
    for direction in ("failover", "failback"):
        rows = [row for row in measured if row.direction == direction]
        for name, values, bound in (
            ("every name server", [row.name_servers for row in rows], rows[0].most_name_servers),
            ("a client by the TTL", [row.client for row in rows], rows[0].most_client),
        ):
            median = statistics.median(values)
            yield (
                f"{direction:10}{name:22}{median:8.1f}{min(values):8.1f}{max(values):8.1f}"
                f"{bound:8.0f}"
            )
    yield from ARC


def main() -> int:
    """Measure, and return 1 when a movement took longer than its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.failover", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of each (default: {RUNS})")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="of the local cloud (default: 1, real time)"
    )
    args = parser.parse_args()

    measured: list[Measured] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        stages(Path(folder), 1, args.speed) as [stage],
    ):
        for run in range(args.runs):
            for direction in ("failover", "failback"):
                _wait_for_second(MINUTE * run / args.runs, args.speed)
                row = measure(stage, direction)
                measured.append(row)
                _print(f"{direction:10}{row.name_servers:8.1f} s{row.client:8.1f} s")
    for line in lines(measured):
        _print(line)
    return int(any(_is_late(row) for row in measured))


def _is_late(row: Measured) -> bool:
    return row.name_servers > row.most_name_servers or row.client > row.most_client


def _wait_for_second(second: float, speed: float) -> None:
    """Wait until that second of a minute, so that the runs begin at different ones."""
    if speed != 1.0:
        return
    time.sleep((second - time.time()) % MINUTE)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
