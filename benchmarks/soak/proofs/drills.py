"""Many drills in a row on one local cloud, which must not grow."""

import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.soak.processes import Held, held_by
from benchmarks.soak.proof import Figures, Proof, Run
from benchmarks.sweep import Stage, StageState, stages
from deploytool.localcloud import lifecycle

FAULT = "health-check"
SPEED = 60.0
DRILLS = 200
QUICK_DRILLS = 2
# Drills at the start that are not compared: caches fill, connections and workers are made
WARM_UP = 20
SHARE = 5  # the first and the last fifth of the other drills are compared
# What may be added between the medians of both fifths. A leak of one a drill adds 144 in 200.
MORE_PROCESSES = 2  # of functions: a burst of calls starts one, and it ends when it is idle
MORE_THREADS = 5
MORE_FILES = 20
MORE_MEMORY_MB = 15.0  # of the cloud's own process
MORE_TIME = 1.25  # times as long


@dataclass(frozen=True)
class Drilled:
    """A drill that has ended. `seconds` are of wall time; `held` is what the cloud holds after it."""

    seconds: float
    held: Held


def growth(drilled: Sequence[Drilled]) -> list[str]:
    """Return what the last drills have more of than the first, beyond what is allowed.

    Both ends are medians, so that one slow drill is no growth.
    """
    compared = drilled[WARM_UP:]
    size = len(compared) // SHARE
    if not size:
        return []
    first = _medians(compared[:size])
    last = _medians(compared[-size:])
    allowed = {
        "processes": first["processes"] + MORE_PROCESSES,
        "threads": first["threads"] + MORE_THREADS,
        "open files": first["open files"] + MORE_FILES,
        "MB of memory": first["MB of memory"] + MORE_MEMORY_MB,
        "seconds a drill": first["seconds a drill"] * MORE_TIME,
    }
    return [
        f"{name}: {first[name]:.1f} in the first drills, {last[name]:.1f} in the last"
        for name, limit in allowed.items()
        if last[name] > limit
    ]


def _medians(drilled: Sequence[Drilled]) -> dict[str, float]:
    return {
        "processes": statistics.median(each.held.processes for each in drilled),
        "threads": statistics.median(each.held.threads for each in drilled),
        "open files": statistics.median(each.held.open_files for each in drilled),
        "MB of memory": statistics.median(each.held.own_memory_mb for each in drilled),
        "seconds a drill": statistics.median(each.seconds for each in drilled),
    }


def _run(run: Run) -> Figures:
    count = QUICK_DRILLS if run.is_quick else DRILLS
    losses: list[str] = []
    drilled: list[Drilled] = []
    with stages(run.folder, 1, SPEED) as [stage]:
        cloud = lifecycle.load(run.folder / ".deploytool" / "local")
        if cloud is None:
            raise RuntimeError("the local cloud has ended")

        before = stage.state()
        for number in range(1, count + 1):
            started = time.monotonic()
            losses += _drill(stage, number, before)
            drilled.append(Drilled(time.monotonic() - started, held_by(cloud.pid)))
            run.say(f"drill {number}: {drilled[-1].seconds:.1f} s, {drilled[-1].held}")

    losses += growth(drilled)
    first, last = drilled[min(WARM_UP, len(drilled) - 1)], drilled[-1]
    note = (
        f"drill {WARM_UP + 1} and the last: {first.seconds:.1f} and {last.seconds:.1f} s, "
        f"{first.held.own_memory_mb:.0f} and {last.held.own_memory_mb:.0f} MB, "
        f"{first.held.open_files} and {last.held.open_files} open files, "
        f"{first.held.threads} and {last.held.threads} threads"
    )
    return Figures(len(drilled), tuple(losses), note)


def _drill(stage: Stage, number: int, before: StageState) -> list[str]:
    """Run a drill; return what is wrong afterwards."""
    reports = str(stage.folder / "reports")
    try:
        stage.deploytool("drill", "--fault", FAULT, "--report-dir", reports)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return [f"drill {number}: {error}"]
    after = stage.state()
    return [] if after == before else [f"drill {number} left {after}"]


PROOF = Proof(
    name="drills",
    claim="Two hundred drills in a row leave the stage and the local cloud as they were.",
    minutes=15,
    run=_run,
)
