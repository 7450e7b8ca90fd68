"""Time a command against a local cloud of its own, and count the calls that the cloud receives."""

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
_LAST_LINES = 4  # of the log, in the message of a failure
_LONGEST_MESSAGE = 300  # characters


class RunFailed(Exception):
    """A command that failed or did not end. The message is the end of its output."""


def timed(run: Run, state: State, log: Path) -> tuple[float, Mapping[str, int]]:
    """Return the wall seconds of a run, and its calls by operation.

    The output of the command is appended to `log`. Raises RunFailed.
    """
    variables = {**os.environ, **lifecycle.environment(state), **run.environment}
    # The local cloud's environment unsets a variable by an empty value.
    environment = {name: value for name, value in variables.items() if value}

    calls_before = _calls(state)
    with log.open("ab") as output:
        started = time.perf_counter()
        try:
            done = subprocess.run(
                run.command,
                cwd=run.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RunFailed(f"not done after {LIMIT:g} s; see {log}") from error
        seconds = time.perf_counter() - started

    if done.returncode:
        raise RunFailed(f"exit {done.returncode}: {_end_of(log)}")
    return seconds, dict(_calls(state) - calls_before)


def start_up(command: tuple[str, ...], runs: int) -> tuple[float, ...]:
    """Return the wall seconds of each run of a command that needs no cloud.

    One more run before them fills the file cache and is not counted.
    """
    seconds = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - started)
    return tuple(seconds[1:])


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " / ".join(lines[-_LAST_LINES:])[-_LONGEST_MESSAGE:]


def _calls(state: State) -> Counter[str]:
    return Counter(ControlClient(state).status().calls)
