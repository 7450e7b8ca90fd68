"""`python -m benchmarks.switch_sweep`: kill `failover` and `failback` with SIGKILL at 40 moments.

After each kill the record of the switch must tell a state that is the one before or the one that
the command sets, `deploytool status` must say which, and the same command, run again, must finish
the job. It prints a line for each kill; the exit code is 0 when every one is finished.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.killed import Moment
from benchmarks.sweep import LIMIT, ROOT, NotKilled, Stage, stages
from deploytool.core.failover.direction import Direction
from deploytool.core.failover.records import SwitchRecord
from deploytool.files.project import load_project
from deploytool.targets.factory import open_target
from deploytool.targets.move import move_ports

READ, WRITE, PUT = "GetParameter", "PutParameter", "PutMetricData"

# Seconds of wall time after a command's first data point. At speed 20 a failover takes 3 to 9 of
# them, and a failback up to 12.
WAITS = (0.05, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)


@dataclass(frozen=True)
class SwitchKill:
    """A command of a direction, killed at `moment`."""

    direction: Direction
    moment: Moment

    def __str__(self) -> str:
        return f"{self.direction}, {self.moment}"


@dataclass(frozen=True)
class Finished:
    """What a kill left, and what the next run of the same command made of it.

    `status` is what `deploytool status` said of the switch after the kill. `left` and `settled` are
    the record just before and just after that: the function in the standby region may end a
    failback at any time.
    """

    kill: SwitchKill
    before: SwitchRecord | None
    left: SwitchRecord | None
    status: dict[str, Any] | None
    settled: SwitchRecord | None
    result: dict[str, Any]
    after: SwitchRecord | None

    @property
    def problem(self) -> str:
        """What is wrong; empty when all is well."""
        direction = self.kill.direction
        if self.left != self.before and not (self.left and self.left.held is direction.holds):
            return f"the kill left {self.left}"
        if self.status not in (_document(self.left), _document(self.settled)):
            return f"status says {self.status}, the record is {self.settled}"
        if self.result["problem"] is not None:
            return f"the next run: {self.result['problem']}"
        if self.after is None or self.after.held is not direction.holds or self.after.returning:
            return f"the next run left {self.after}"
        return ""


def kills(direction: Direction) -> list[SwitchKill]:
    """Return twenty kills of a command: around each call, and while it waits."""
    moments = [
        Moment(call=READ, nth=1),  # the standby's record
        Moment(call=READ, nth=2, delay=0.001),  # an unfinished drill; there is none
        Moment(call=READ, nth=3),  # the switch
        Moment(call=READ, nth=3, then="answered"),
        Moment(call=WRITE),
        Moment(call=WRITE, delay=0.001),
        Moment(call=WRITE, delay=0.003),
        Moment(call=WRITE, then="answered"),
        Moment(call=PUT),
        Moment(call=PUT, delay=0.001),
        Moment(call=PUT, then="answered"),
        Moment(call=PUT, nth=2),  # repeated after 20 s of the cloud's time
    ]
    moments += [Moment(call=PUT, then="answered", delay=wait) for wait in WAITS]
    return [SwitchKill(direction, moment) for moment in moments]


def all_kills() -> list[SwitchKill]:
    """Return forty kills in turn, so that each movement begins where the last one ended."""
    result: list[SwitchKill] = []
    for pair in zip(kills(Direction.FAILOVER), kills(Direction.FAILBACK), strict=True):
        result += pair
    return result


def read_switch(stage: Stage) -> SwitchRecord | None:
    """Read the record of the switch from the local cloud."""
    project = load_project(stage.folder / "deploytool.toml")
    with open_target(project, local=True) as target:
        return move_ports(target, project, stage.name).records.read(SwitchRecord)


def run_json(stage: Stage, *words: str) -> dict[str, Any]:
    """Run a command and return its JSON. Raises RuntimeError when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "deploytool", *stage.command(*words, "--output", "json")],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"deploytool {words[0]}: exit {done.returncode}: {done.stderr}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def kill_and_finish(stage: Stage, kill: SwitchKill) -> Finished:
    """Kill a command, then run the same command. Raises NotKilled when it ends earlier."""
    before = read_switch(stage)
    words = stage.command(str(kill.direction), "--reason", "a sweep")
    command = [sys.executable, "-m", "benchmarks.killed", kill.moment.to_json(), *words]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    if done.returncode != -signal.SIGKILL:
        raise NotKilled(f"{kill}: exit {done.returncode}: {done.stderr}")

    left = read_switch(stage)
    status = run_json(stage, "status")["switch"]
    settled = read_switch(stage)
    result = run_json(stage, str(kill.direction))
    return Finished(kill, before, left, status, settled, result, read_switch(stage))


def _document(record: SwitchRecord | None) -> dict[str, Any] | None:
    """Return the record as `deploytool status` shows it."""
    if record is None:
        return None
    document = asdict(record)
    del document["schema_version"]
    return document


def main() -> int:
    """Run the sweep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.switch_sweep", description=__doc__)
    parser.add_argument(
        "--stages",
        type=int,
        default=2,
        metavar="N",
        help="the number of stages whose traffic moves at the same time (default: 2)",
    )
    args = parser.parse_args()
    everything = all_kills()
    # Each stage gets its share, an even number of kills, so that it begins and ends at the primary
    share = 2 * -(-len(everything) // (2 * args.stages))
    shares = [everything[first : first + share] for first in range(0, len(everything), share)]
    with (
        tempfile.TemporaryDirectory() as folder,
        stages(Path(folder), len(shares)) as deployed,
        ThreadPoolExecutor(len(deployed)) as pool,
    ):
        results = list(pool.map(_sweep, deployed, shares))
    finished = sum(results)
    _print(f"{finished} of {len(everything)} finished by the next run")
    return 0 if finished == len(everything) else 1


def _sweep(stage: Stage, share: Sequence[SwitchKill]) -> int:
    """Run a stage's kills one after the other; return how many the next run finished."""
    finished = 0
    for kill in share:
        try:
            problem = kill_and_finish(stage, kill).problem
        except (NotKilled, RuntimeError, subprocess.TimeoutExpired) as error:
            problem = str(error)
            # The next kill needs traffic where this one should have left it
            stage.deploytool(str(kill.direction))
        finished += not problem
        _print(f"{kill.direction:9} {kill.moment!s:36} {problem or 'finished'}")
    return finished


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
