"""The system's view of the local cloud's process: its limit of open files and its memory."""

import resource
from pathlib import Path

_OPEN_FILES = 8192


def raise_open_files_limit() -> None:
    """Raise this process's limit of open files, as far as the system allows, up to 8,192.

    Every client's connection needs a descriptor.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return
    limit = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))


def resident_mb() -> float:
    """Return this process's resident memory in MB: now on Linux, its maximum elsewhere."""
    try:
        fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except FileNotFoundError:
        # macOS counts bytes here.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000_000
    resident_pages = int(fields[1])
    return resident_pages * resource.getpagesize() / 1_000_000
