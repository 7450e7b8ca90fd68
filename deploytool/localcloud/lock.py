"""The lock that a running cloud holds on its directory: it falls with the process, however that
ends.

A process id alone may since belong to another program. Waiting for the lock neither polls nor
sleeps.
"""

import fcntl
import os
import threading
from pathlib import Path

from deploytool.core.errors import DeploytoolError
from deploytool.localcloud.settings import LOCK_FILE

_GLANCE_SECONDS = 0.5  # more than anyone holds the lock only to look


def hold(directory: Path) -> None:
    """Take the lock of a directory for the life of this process: its descriptor is never closed.

    Raises DeploytoolError when another cloud has it.
    """
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    if not _try(descriptor):
        wait_until_free(directory, _GLANCE_SECONDS)
        if not _try(descriptor):
            os.close(descriptor)
            raise DeploytoolError(f"a local cloud is already running in {directory}")


def is_held(directory: Path) -> bool:
    """Whether a cloud holds the lock of a directory."""
    try:
        descriptor = os.open(directory / LOCK_FILE, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try(descriptor)
    finally:
        os.close(descriptor)


def wait_until_free(directory: Path, seconds: float) -> bool:
    """Whether the lock was given up within so many seconds."""
    thread = threading.Thread(target=_wait, args=(directory / LOCK_FILE,), daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(path: Path) -> None:
    with path.open("r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
