"""The process of a local cloud, for the process that starts it: start, wait until ready, end."""

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
from deploytool.localcloud import orphans
from deploytool.localcloud.settings import LOG_FILE, Settings
from deploytool.localcloud.state import State, read_state

GRACE_SECONDS = 8.0  # for a cloud to end in order
_READY_SECONDS = 60.0  # a first start may have to compile MiniStack
_LOG_LINES = 20


@dataclass(frozen=True)
class Child:
    """A cloud that this process started.

    `ready` is the reading end of a pipe: it has bytes once the cloud is ready, and ends when the
    cloud has ended.
    """

    process: subprocess.Popen[bytes]
    ready: int
    directory: Path


def start(settings: Settings) -> Child:
    """Start a cloud in a session of its own, with its output in the directory's log."""
    settings.directory.mkdir(parents=True, exist_ok=True)
    ready, write_end = os.pipe()
    command = [sys.executable, "-m", "deploytool.localcloud", *settings.to_arguments()]
    command += ["--ready-fd", str(write_end)]
    try:
        # A session of its own: Ctrl-C in the terminal reaches this process and not the cloud, and
        # the process group has everything that the cloud starts.
        with (settings.directory / LOG_FILE).open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if settings.lifeline else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=settings.directory,
                env={**os.environ, "PYTHONPATH": _python_path()},
                pass_fds=(write_end,),
                start_new_session=True,
            )
    except BaseException:
        os.close(ready)
        raise
    finally:
        os.close(write_end)
    return Child(process, ready, settings.directory)


def wait_until_ready(child: Child) -> State:
    """Wait for a cloud that was just started and return its state.

    When it does not become ready it is ended, and InputError or DeploytoolError is raised with the
    end of its log.
    """
    try:
        readable, _, _ = select.select([child.ready], [], [], _READY_SECONDS)
        if readable and os.read(child.ready, 1):
            return read_state(child.directory)
    except BaseException:
        end(child)
        raise
    finally:
        os.close(child.ready)

    end(child)
    log = child.directory / LOG_FILE
    text = log.read_text(encoding="utf-8", errors="replace")
    last_lines = "\n".join(text.strip().splitlines()[-_LOG_LINES:])
    if child.process.returncode == InputError.exit_code:
        raise InputError(last_lines.removeprefix("error: "))
    problem = "ended" if readable else f"was not ready within {_READY_SECONDS:g} s"
    raise DeploytoolError(f"the local cloud {problem}; the end of {log}:\n{last_lines}")


def tell(child: Child, line: bytes) -> None:
    """Write a line into the lifeline of a cloud, for the case that this process is killed."""
    lifeline = child.process.stdin
    # A cloud that has ended needs to know nothing
    with suppress(BrokenPipeError):
        if lifeline is not None:
            lifeline.write(line + b"\n")
            lifeline.flush()


def end(child: Child) -> None:
    """End a cloud that this process started: SIGTERM, then SIGKILL. It has ended on return."""
    tell(child, orphans.ENDED)
    process = child.process
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    # Also when it has ended: a function that is running would outlive it.
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def signal_group(leader: int, number: int) -> None:
    """Send a signal to the process group of a cloud; do nothing when no process of it is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _python_path() -> str:
    """Return PYTHONPATH with the folder of this package first.

    The cloud runs in its own directory, where a relative entry would not lead to the package.
    """
    package_parent = str(Path(deploytool.__file__).parents[1])
    inherited = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join(filter(None, [package_parent, inherited]))
