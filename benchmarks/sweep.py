"""`python -m benchmarks.sweep`: kill drills with SIGKILL at 40 moments, then compare with before.

Each drill is restored once with `deploytool restore` and once by the guard's schedule in the cloud
alone. Health check, concurrency, mappings and the drill's record must then be as before. It prints
a line for each kill; the exit code is 0 when every one is as before.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from typing import assert_never

from benchmarks.killed import Moment
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import DrillRecord
from deploytool.core.failover.records import SwitchRecord
from deploytool.core.route53.health import HealthCheckConfig
from deploytool.core.service.ports import ApiMapping
from deploytool.core.service.service import Service
from deploytool.files.project import load_project
from deploytool.localcloud import lifecycle
from deploytool.localcloud.settings import Settings
from deploytool.targets.factory import open_target
from deploytool.targets.service import deployed_service, drill_ports

ROOT = Path(__file__).resolve().parent.parent
# The project that is deployed; that of the repository may have any names and regions
PROJECT = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
"""
SPEED = 20.0  # of the local cloud
LIMIT = 120.0  # seconds of wall time for a drill to be killed, and for the guard to restore
GUARD_SECONDS = 25.0  # longer than any drill runs before it is killed
INJECTS = {
    "health-check": "UpdateHealthCheck",
    "throttle": "PutFunctionConcurrency",
    "unmap": "DeleteBasePathMapping",
}
UNDOES = {
    "health-check": "UpdateHealthCheck",
    "throttle": "DeleteFunctionConcurrency",
    "unmap": "CreateBasePathMapping",
}
# Seconds after which a call that was just sent is in progress, or done
IN_PROGRESS = {"health-check": 0.001, "throttle": 0.003, "unmap": 0.006}


class Way(StrEnum):
    """What restores a killed drill."""

    RESTORE = "restore"
    GUARD = "guard"


class NotKilled(Exception):
    """The drill ended before the moment at which it was to be killed."""


@dataclass(frozen=True)
class Kill:
    """A drill of `fault`, killed at `moment`."""

    fault: str
    moment: Moment

    def __str__(self) -> str:
        return f"{self.fault}, {self.moment}"


@dataclass(frozen=True)
class StageState:
    """Everything that a drill changes: AWS resources of the primary, its record, the switch."""

    health_check: HealthCheckConfig
    reserved: int | None
    mappings: tuple[tuple[ApiMapping, ...], ...]
    record: DrillRecord | None
    held: bool


@dataclass(frozen=True)
class Outcome:
    """The state of a stage before a killed drill, and after what restored it."""

    kill: Kill
    before: StageState
    after: StageState

    @property
    def ok(self) -> bool:
        """Whether everything is as before."""
        return self.before == self.after


def kills(fault: str) -> list[Kill]:
    """Return thirteen kills of a drill: around each call that changes something, and between."""
    inject = INJECTS[fault]
    undo = UNDOES[fault]
    delay = IN_PROGRESS[fault]
    # Where one operation does both, its second call is the one that undoes
    nth_undo = 2 if inject == undo else 1
    moments = (
        Moment(call="CreateSchedule", then="answered"),
        Moment(call="PutParameter", delay=delay),
        Moment(call="PutParameter", then="answered"),
        Moment(event="fault_injecting"),
        Moment(call=inject, delay=delay),
        Moment(call=inject, then="answered"),
        Moment(event="phase_began", nth=2, delay=1.0),  # the failover
        Moment(event="fault_restoring"),
        Moment(call=undo, nth=nth_undo, delay=delay),
        Moment(call=undo, nth=nth_undo, then="answered"),
        Moment(event="phase_began", nth=3, delay=1.0),  # the failback
        Moment(call="DeleteParameter", delay=delay),
        Moment(call="DeleteParameter", then="answered"),
    )
    return [Kill(fault, moment) for moment in moments]


def all_kills() -> list[Kill]:
    """Return forty kills, over the faults that exist on AWS."""
    result: list[Kill] = []
    for fault in INJECTS:
        result += kills(fault)
    # `unmap` injects with two calls; this kill leaves one of two mappings
    result.append(Kill("unmap", Moment(call=INJECTS["unmap"], nth=2, delay=0.002)))
    return result


@dataclass(frozen=True)
class Stage:
    """A deployed stage of a project on a local cloud."""

    folder: Path
    name: str

    def command(self, *words: str) -> list[str]:
        """Return the arguments of a deploytool command for this stage."""
        config = str(self.folder / "deploytool.toml")
        return [words[0], "--local", "--stage", self.name, "--config", config, *words[1:]]

    def deploytool(self, *words: str) -> None:
        """Run a deploytool command. Raises RuntimeError when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "deploytool", *self.command(*words)],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"deploytool {words[0]}: exit {done.returncode}: {done.stderr}")

    def state(self) -> StageState:
        """Read the state from the local cloud."""
        project = load_project(self.folder / "deploytool.toml")
        with open_target(project, local=True) as target:
            service = deployed_service(project, project.graph(self.name), target)
            return _read_state(drill_ports(target, project, service), service)

    def kill(self, kill: Kill) -> None:
        """Start a drill and let it kill itself. Raises NotKilled when it ends earlier."""
        reports = str(self.folder / f"reports-{self.name}")
        words = self.command("drill", "--fault", kill.fault, "--report-dir", reports)
        command = [sys.executable, "-m", "benchmarks.killed", kill.moment.to_json(), *words]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        if done.returncode != -signal.SIGKILL:
            raise NotKilled(f"{kill}: exit {done.returncode}: {done.stderr}")


def _read_state(ports: DrillPorts, service: Service) -> StageState:
    region = service.primary
    mappings = []
    for domain in (service.domain, service.regional_domains[region]):
        mappings.append(tuple(sorted(ports.mappings.of(region, domain), key=str)))
    switch = ports.standby.read(SwitchRecord)
    return StageState(
        health_check=ports.health_checks.get(service.health_check_id).config,
        reserved=ports.functions.reserved_concurrency(region, service.functions[region]),
        mappings=tuple(mappings),
        record=ports.records.read(),
        held=switch is not None and switch.held,
    )


@contextmanager
def stages(folder: Path, count: int, speed: float = SPEED) -> Iterator[list[Stage]]:
    """Deploy this many stages to a private local cloud in the folder, which ends with the block."""
    (folder / "deploytool.toml").write_text(PROJECT, encoding="utf-8")
    for name in ("infra", "lambda"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    names = [f"killed{number}" for number in range(count)]
    with (folder / "deploytool.toml").open("a", encoding="utf-8") as config:
        config.writelines(f"\n[stages.{name}]\n" for name in names)
    with lifecycle.private(Settings(folder / ".deploytool" / "local", speed=speed)):
        deployed = [Stage(folder, name) for name in names]
        for stage in deployed:
            stage.deploytool("deploy")
        yield deployed


def by_restore(stage: Stage, kill: Kill) -> Outcome:
    """Kill a drill, then run `deploytool restore`."""
    before = stage.state()
    stage.kill(kill)
    stage.deploytool("restore")
    return Outcome(kill, before, stage.state())


def by_guard(stage: Stage, kill: Kill, seconds: float = GUARD_SECONDS) -> Outcome:
    """Kill a drill, then wait for the guard, which restores `seconds` after the drill's start."""
    before = stage.state()
    started = time.monotonic()
    stage.kill(replace(kill, moment=replace(kill.moment, guard_seconds=seconds)))
    if time.monotonic() - started > seconds:
        raise NotKilled(f"{kill}: the guard restored before the drill was killed")

    deadline = started + 2 * seconds + LIMIT
    # Each look costs processor time, and the guard restores at that time at the earliest
    time.sleep(max(0.0, started + seconds - time.monotonic()))
    after = stage.state()
    while after != before and time.monotonic() < deadline:
        time.sleep(0.5)
        after = stage.state()
    return Outcome(kill, before, after)


def main() -> int:
    """Run the sweep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument(
        "--by",
        choices=(*Way, "both"),
        default="both",
        help="what restores the killed drills (default: both)",
    )
    parser.add_argument(
        "--stages",
        type=int,
        default=2,
        metavar="N",
        help="the number of drills that run at the same time (default: 2)",
    )
    args = parser.parse_args()
    ways = list(Way) if args.by == "both" else [Way(args.by)]
    with tempfile.TemporaryDirectory() as folder, stages(Path(folder), args.stages) as deployed:
        return max(_sweep(deployed, way) for way in ways)


def _sweep(deployed: Sequence[Stage], way: Way) -> int:
    """Run every kill, each on a stage that is free; return 0 when all are as before."""
    free: SimpleQueue[Stage] = SimpleQueue()
    for stage in deployed:
        free.put(stage)

    def run(kill: Kill) -> bool:
        stage = free.get()
        try:
            outcome = _kill_and_restore(stage, kill, way)
        except (NotKilled, RuntimeError, subprocess.TimeoutExpired) as error:
            is_ok = False
            result = str(error)
        else:
            is_ok = outcome.ok
            result = "as before" if is_ok else f"BROKEN: {outcome.after}"
        finally:
            # The next drill on this stage must find nothing that this one left
            subprocess.run(
                [sys.executable, "-m", "deploytool", *stage.command("restore")],
                capture_output=True,
                timeout=LIMIT,
                check=False,
            )
            free.put(stage)
        _print(f"{way:8} {kill.fault:13} {kill.moment!s:40} {result}")
        return is_ok

    with ThreadPoolExecutor(len(deployed)) as pool:
        results = list(pool.map(run, all_kills()))
    _print(f"{way}: {sum(results)} of {len(results)} as before")
    return 0 if all(results) else 1


def _kill_and_restore(stage: Stage, kill: Kill, way: Way) -> Outcome:
    match way:
        case Way.RESTORE:
            return by_restore(stage, kill)
        case Way.GUARD:
            return by_guard(stage, kill)
        case _:
            assert_never(way)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
