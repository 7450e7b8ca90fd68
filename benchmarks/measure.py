"""Runs a command against a local cloud of its own: its wall time, and the calls that the cloud was
asked in that time.
"""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from benchmarks.tools import Run
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.state import State

LIMIT = 1_200.0  # seconds after which a run counts as stuck
_LAST_LINES = 4


class RunFailed(Exception):
    """A command that ended badly or not at all; its message is the end of what it said."""


def timed(run: Run, state: State, log: Path) -> tuple[float, Mapping[str, int]]:
    """Wall seconds and calls by operation. What the command says goes to the log. Raises
    RunFailed.
    """
    given = {**os.environ, **lifecycle.environment(state), **run.environment}
    # An empty one is to be unset
    environment = {name: value for name, value in given.items() if value}
    before = _calls(state)
    with log.open("ab") as output:
        started = time.perf_counter()
        try:
            done = subprocess.run(
                run.command, cwd=run.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                timeout=LIMIT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise RunFailed(f"not done after {LIMIT:g} s; see {log}") from error
        seconds = time.perf_counter() - started
    if done.returncode:
        said = " / ".join(
            log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_LAST_LINES:]
        )
        raise RunFailed(f"exit {done.returncode}: {said[-300:]}")
    return seconds, dict(_calls(state) - before)


def start_up(command: tuple[str, ...], runs: int) -> tuple[float, ...]:
    """Wall seconds of each run of a command that needs no cloud; one more run before, for the file
    cache.
    """
    found = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        found.append(time.perf_counter() - started)
    return tuple(found[1:])


def _calls(state: State) -> Counter[str]:
    return Counter(ControlClient(state).status().calls)
