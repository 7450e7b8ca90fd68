"""What is left when the process that runs a private cloud is killed, and who clears it.

`deploytool local run` has a cloud, a directory for it, and a command. When it is killed, the cloud ends
the command and removes the directory. When both are killed, the next run removes the directory.
"""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from deploytool.localcloud import lock
from deploytool.localcloud.settings import LOCAL_DIRECTORY, LOCK_FILE

PREFIX = "deploytool-run-"  # of the directory of a cloud that accompanies a command
# The lines that the process which started a cloud writes into its standard input
TEMPORARY = b"temporary"  # the directory goes with the process, command or not
COMMAND = b"command "  # before the process id of the command
ENDED = b"ended"  # the command has ended, and the process that ran it clears up itself

_GRACE_SECONDS = 60.0  # for a command to end; a drill restores meanwhile
_LOOK_SECONDS = 0.2  # between two looks at whether it has ended
_YOUNGEST_SECONDS = 60.0  # a younger directory may be of a cloud that has just begun to start


def command_left(lifeline: bytes) -> int | None:
    """Return the process id of the command that an ended lifeline has left, None when none is."""
    command: int | None = None
    for line in lifeline.splitlines():
        if line == ENDED:
            return None
        if line.startswith(COMMAND):
            command = int(line.removeprefix(COMMAND))
    return command


def is_abandoned(lifeline: bytes) -> bool:
    """Return whether the process that made the cloud's directory was killed.

    It may be killed before it has started its command, while the cloud still starts.
    """
    lines = lifeline.splitlines()
    return TEMPORARY in lines and ENDED not in lines


async def end_command(process_id: int) -> None:
    """Ask a command to end, and kill it when it has not ended within a minute."""
    _signal(process_id, signal.SIGTERM)
    try:
        async with asyncio.timeout(_GRACE_SECONDS):
            while _runs(process_id):  # noqa: ASYNC110  # no event tells of another's child
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        _signal(process_id, signal.SIGKILL)


def signal_left(directory: Path, number: int) -> None:
    """Send a signal to every process that a command has started for the cloud of a directory.

    They are found by their environment in /proc; a system without it has none.
    """
    mark = f"{LOCAL_DIRECTORY}={directory}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        # One that has ended, or belongs to another user
        with suppress(OSError):
            variables = (process / "environ").read_bytes().split(b"\0")
            if mark in variables and int(process.name) != os.getpid():
                _signal(int(process.name), number)


def remove(directory: Path) -> None:
    """Remove the directory of a cloud that has accompanied a command."""
    shutil.rmtree(directory, ignore_errors=True)


def remove_abandoned(now: float) -> None:
    """Remove the directories of killed clouds that nobody has removed. `now` is in Unix seconds."""
    for directory in _abandoned(Path(tempfile.gettempdir()), now):
        remove(directory)


def _abandoned(parent: Path, now: float) -> Iterator[Path]:
    for directory in parent.glob(f"{PREFIX}*"):
        # Directories of other users, and one that vanishes meanwhile, are no business of ours
        with suppress(OSError):
            # Without a lock file the run was killed before its cloud held the lock
            has_lock = (directory / LOCK_FILE).exists()
            state = (directory / LOCK_FILE if has_lock else directory).stat()
            is_ours = state.st_uid == os.getuid()
            is_old = now - state.st_mtime > _YOUNGEST_SECONDS
            if is_ours and is_old and not lock.is_held(directory):
                yield directory


def _runs(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # another user's process: the command has ended, and its id is used again
    return True


def _signal(process_id: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process_id, number)
