"""The process of a local cloud, seen by the one that starts it: start, wait until ready, end with
everything that it started.
"""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import deploytool
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.localcloud.settings import LOG_FILE, Settings
from deploytool.localcloud.state import State, read_state

GRACE_SECONDS = 8.0  # to end in order
_READY_SECONDS = 60.0  # a first start may have to compile MiniStack
_LOG_LINES = 20


@dataclass(frozen=True)
class Child:
    """A cloud that this process started. `ready` is a pipe's end that gives bytes once it is ready
    and ends when it has died.
    """

    process: subprocess.Popen[bytes]
    ready: int
    directory: Path


def start(settings: Settings) -> Child:
    """Start a cloud in a session of its own, its output in the directory's log."""
    settings.directory.mkdir(parents=True, exist_ok=True)
    ready, theirs = os.pipe()
    path = os.pathsep.join(
        filter(None, [str(Path(deploytool.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    )
    try:
        with (settings.directory / LOG_FILE).open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "deploytool.localcloud",
                    *settings.to_arguments(),
                    "--ready-fd",
                    str(theirs),
                ],
                stdin=subprocess.PIPE if settings.lifeline else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=settings.directory,
                env={**os.environ, "PYTHONPATH": path},
                pass_fds=(theirs,),
                start_new_session=True,
            )
    except BaseException:
        os.close(ready)
        raise
    finally:
        os.close(theirs)
    return Child(process, ready, settings.directory)


def wait_until_ready(child: Child) -> State:
    """Wait for a cloud just started.

    Raises InputError or DeploytoolError, with what its log says, when it does not get ready; it is
    ended then.
    """
    try:
        waited, _, _ = select.select([child.ready], [], [], _READY_SECONDS)
        if waited and os.read(child.ready, 1):
            return read_state(child.directory)
    except BaseException:
        end(child)
        raise
    finally:
        os.close(child.ready)
    end(child)
    log = child.directory / LOG_FILE
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_LOG_LINES:]
    if child.process.returncode == InputError.exit_code:
        raise InputError("\n".join(lines).removeprefix("error: "))
    took = "ended" if waited else f"was not ready within {_READY_SECONDS:g} s"
    raise DeploytoolError("\n".join([f"the local cloud {took}; the end of {log}:", *lines]))


def end(child: Child) -> None:
    """End a cloud of ours, first by asking. Returns when it has ended and been reaped."""
    process = child.process
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    # Also when it has ended: a function at work outlives it otherwise.
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def signal_group(leader: int, number: int) -> None:
    """Signal the process group of a cloud; nothing to do when none of it is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
