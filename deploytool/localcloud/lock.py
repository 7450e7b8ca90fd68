"""The lock that a running cloud holds on its directory.

The system releases it when the process ends, in whatever way. A process id alone is not enough: it
may belong to another program by now. Waiting for the lock neither polls nor sleeps.
"""

import fcntl
import os
import threading
from pathlib import Path

from deploytool.core.errors import DeploytoolError
from deploytool.localcloud.settings import LOCK_FILE

# Longer than `is_held` holds the lock in order to test it.
_TEST_SECONDS = 0.5


def hold(directory: Path) -> None:
    """Take the lock of a directory for the life of this process: its descriptor stays open.

    Raises DeploytoolError when another cloud holds it.
    """
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    if _try_to_lock(descriptor):
        return
    wait_until_free(directory, _TEST_SECONDS)
    if not _try_to_lock(descriptor):
        os.close(descriptor)
        raise DeploytoolError(f"a local cloud is already running in {directory}")


def is_held(directory: Path) -> bool:
    """Whether a cloud holds the lock of a directory."""
    try:
        descriptor = os.open(directory / LOCK_FILE, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try_to_lock(descriptor)
    finally:
        os.close(descriptor)


def wait_until_free(directory: Path, seconds: float) -> bool:
    """Wait for the lock, and return whether it was released within so many seconds."""
    thread = threading.Thread(target=_wait, args=(directory / LOCK_FILE,), daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _try_to_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(path: Path) -> None:
    with path.open("r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
