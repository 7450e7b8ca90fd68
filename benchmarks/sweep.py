"""`python -m benchmarks.sweep`: drills killed with SIGKILL at 40 moments, and what is left of them
after a restore.

Once with `deploytool restore`, once with nothing but the guard's schedule in the cloud: health
check, concurrency, mappings and the drill's record must be as before, each time. Prints a line a
kill; the exit code is 0 when all are.
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
from pathlib import Path
from queue import SimpleQueue

from benchmarks.killed import Moment
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import DrillRecord
from deploytool.core.route53.health import HealthCheckConfig
from deploytool.core.service.ports import ApiMapping
from deploytool.core.service.service import Service
from deploytool.files.project import load_project
from deploytool.localcloud import lifecycle
from deploytool.localcloud.settings import Settings
from deploytool.targets.factory import open_target
from deploytool.targets.service import deployed_service, drill_ports

ROOT = Path(__file__).resolve().parent.parent
SPEED = 20.0
LIMIT = 120.0  # seconds after which a drill counts as never killed, and a guard as never come
GUARD_SECONDS = 25.0  # longer than any of the drills lives
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
# Seconds after which a call is under way, or done
ON_ITS_WAY = {"health-check": 0.001, "throttle": 0.003, "unmap": 0.006}


class NotKilled(Exception):
    """The drill ended before its moment came."""


@dataclass(frozen=True)
class Kill:
    """A drill of `fault`, killed at `moment`."""

    fault: str
    moment: Moment

    def __str__(self) -> str:
        return f"{self.fault}, {self.moment}"


@dataclass(frozen=True)
class Left:
    """Everything that a drill touches."""

    health_check: HealthCheckConfig
    reserved: int | None
    mappings: tuple[tuple[ApiMapping, ...], ...]
    record: DrillRecord | None


@dataclass(frozen=True)
class Outcome:
    """What a kill left after the restore; `ok` when that is what was there before."""

    kill: Kill
    before: Left
    after: Left

    @property
    def ok(self) -> bool:
        return self.before == self.after


def kills(fault: str) -> list[Kill]:
    """Thirteen moments of a drill: around each call that changes something, and between them."""
    inject, undo, delay = INJECTS[fault], UNDOES[fault], ON_ITS_WAY[fault]
    second = 2 if inject == undo else 1  # the same operation, the other way round
    moments = (
        Moment(call="CreateSchedule", then="answered"),
        Moment(call="PutParameter", delay=delay),
        Moment(call="PutParameter", then="answered"),
        Moment(event="fault_injecting"),
        Moment(call=inject, delay=delay),
        Moment(call=inject, then="answered"),
        Moment(event="phase_began", nth=2, delay=1.0),  # the failover
        Moment(event="fault_restoring"),
        Moment(call=undo, nth=second, delay=delay),
        Moment(call=undo, nth=second, then="answered"),
        Moment(event="phase_began", nth=3, delay=1.0),  # the failback
        Moment(call="DeleteParameter", delay=delay),
        Moment(call="DeleteParameter", then="answered"),
    )
    return [Kill(fault, moment) for moment in moments]


def all_kills() -> list[Kill]:
    """Forty, over the faults that there are on AWS."""
    return [
        *(kill for fault in INJECTS for kill in kills(fault)),
        Kill("unmap", Moment(call=INJECTS["unmap"], nth=2, delay=0.002)),
    ]


@dataclass(frozen=True)
class Stage:
    """A deployed stage of a project on a local cloud."""

    folder: Path
    name: str

    def command(self, *words: str) -> list[str]:
        """A deploytool command for it."""
        return [
            words[0],
            "--local",
            "--stage",
            self.name,
            "--config",
            str(self.folder / "deploytool.toml"),
            *words[1:],
        ]

    def deploytool(self, *words: str) -> None:
        """Run it; it must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "deploytool", *self.command(*words)],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"deploytool {words[0]}: exit {done.returncode}: {done.stderr}")

    def look(self) -> Left:
        """What is there now."""
        project = load_project(self.folder / "deploytool.toml")
        with open_target(project, local=True) as target:
            service = deployed_service(project, project.graph(self.name), target)
            return _left(drill_ports(target, project, service), service)

    def kill(self, kill: Kill) -> None:
        """Begin a drill, and let it be killed. Raises NotKilled."""
        reports = str(self.folder / f"reports-{self.name}")
        words = self.command("drill", "--fault", kill.fault, "--report-dir", reports)
        command = [sys.executable, "-m", "benchmarks.killed", kill.moment.to_json(), *words]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        if done.returncode != -signal.SIGKILL:
            raise NotKilled(f"{kill}: exit {done.returncode}: {done.stderr}")


def _left(ports: DrillPorts, service: Service) -> Left:
    region = service.primary
    names = (service.domain, service.regional_domains[region])
    return Left(
        ports.health_checks.get(service.health_check_id).config,
        ports.functions.reserved_concurrency(region, service.functions[region]),
        tuple(tuple(sorted(ports.mappings.of(region, each), key=str)) for each in names),
        ports.records.read(),
    )


@contextmanager
def stages(folder: Path, count: int) -> Iterator[list[Stage]]:
    """So many stages, deployed to a private local cloud in the folder."""
    shutil.copy(ROOT / "deploytool.toml", folder)
    for name in ("infra", "lambda"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    names = [f"killed{number}" for number in range(count)]
    with (folder / "deploytool.toml").open("a", encoding="utf-8") as config:
        config.writelines(f"\n[stages.{name}]\n" for name in names)
    with lifecycle.private(Settings(folder / ".deploytool" / "local", speed=SPEED)):
        made = [Stage(folder, name) for name in names]
        for stage in made:
            stage.deploytool("deploy")
        yield made


def by_restore(stage: Stage, kill: Kill) -> Outcome:
    """Kill it, and run `deploytool restore`."""
    before = stage.look()
    stage.kill(kill)
    stage.deploytool("restore")
    return Outcome(kill, before, stage.look())


def by_guard(stage: Stage, kill: Kill, seconds: float = GUARD_SECONDS) -> Outcome:
    """Kill it, and leave it to the guard, which waits so many seconds from when the drill
    begins.
    """
    before, began = stage.look(), time.monotonic()
    stage.kill(replace(kill, moment=replace(kill.moment, guard_seconds=seconds)))
    if time.monotonic() - began > seconds:
        raise NotKilled(f"{kill}: the guard came before the kill did")
    deadline = time.monotonic() + seconds + LIMIT
    while (after := stage.look()) != before and time.monotonic() < deadline:
        time.sleep(0.5)
    return Outcome(kill, before, after)


def main() -> int:
    """Run the sweep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument(
        "--by",
        choices=("restore", "guard", "both"),
        default="both",
        help="what restores (default: both)",
    )
    parser.add_argument(
        "--stages",
        type=int,
        default=2,
        metavar="N",
        help="drills that run side by side (default: 2)",
    )
    args = parser.parse_args()
    ways = [way for way in ("restore", "guard") if args.by in (way, "both")]
    with tempfile.TemporaryDirectory() as folder, stages(Path(folder), args.stages) as made:
        return max(_sweep(made, way) for way in ways)


def _sweep(made: Sequence[Stage], way: str) -> int:
    free: SimpleQueue[Stage] = SimpleQueue()
    for stage in made:
        free.put(stage)

    def run(kill: Kill) -> bool:
        stage = free.get()
        try:
            outcome = by_restore(stage, kill) if way == "restore" else by_guard(stage, kill)
        except (NotKilled, RuntimeError, subprocess.TimeoutExpired) as error:
            _say(f"{way:8} {kill.fault:13} {kill.moment!s:40} {error}")
            return False
        else:
            said = "as before" if outcome.ok else f"BROKEN: {outcome.after}"
            _say(f"{way:8} {kill.fault:13} {kill.moment!s:40} {said}")
            return outcome.ok
        finally:
            subprocess.run(  # whatever happened, the next one begins with nothing left
                [sys.executable, "-m", "deploytool", *stage.command("restore")],
                capture_output=True,
                timeout=LIMIT,
                check=False,
            )
            free.put(stage)

    with ThreadPoolExecutor(len(made)) as pool:
        good = list(pool.map(run, all_kills()))
    _say(f"{way}: {sum(good)} of {len(good)} as before")
    return 0 if all(good) else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
