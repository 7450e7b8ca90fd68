"""What a process and its children hold: memory, threads, open files. Read from /proc (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Held:
    """What a process and all that it started hold.

    `memory_mb` is the resident memory of all, and `own_memory_mb` that of the process alone.
    """

    processes: int
    threads: int
    open_files: int
    memory_mb: float
    own_memory_mb: float


def held_by(pid: int) -> Held:
    """Return what the process and all processes below it hold now.

    Raises FileNotFoundError when there is no such process, or no /proc.
    """
    family = [pid, *_below(pid)]
    threads = 0
    open_files = 0
    memory_mb = 0.0
    for member in family:
        try:
            threads += len(list((PROC / str(member) / "task").iterdir()))
            open_files += len(list((PROC / str(member) / "fd").iterdir()))
            memory_mb += _resident_mb(member)
        except FileNotFoundError:
            # A child may end while it is looked at
            if member == pid:
                raise
    return Held(len(family), threads, open_files, memory_mb, _resident_mb(pid))


def _below(pid: int) -> list[int]:
    """Return the children of a process, theirs, and so on."""
    found: list[int] = []
    for task in (PROC / str(pid) / "task").iterdir():
        try:
            children = (task / "children").read_text(encoding="ascii").split()
        except FileNotFoundError:
            continue
        for child in map(int, children):
            found.append(child)
            if (PROC / str(child)).exists():
                found += _below(child)
    return found


def _resident_mb(pid: int) -> float:
    fields = (PROC / str(pid) / "statm").read_text(encoding="ascii").split()
    resident_pages = int(fields[1])
    return resident_pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000
