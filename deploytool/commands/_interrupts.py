"""Ctrl-C and SIGTERM while something must be put right before the process ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from deploytool.render.terminal import Terminal


@contextmanager
def first_one_stops(terminal: Terminal) -> Iterator[None]:
    """Within the block the first Ctrl-C or SIGTERM raises KeyboardInterrupt; later ones only say that restoring goes on."""
    stopping = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:
            terminal.note("[yellow]still restoring; this takes a moment[/]")
            return
        stopping = True
        raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
