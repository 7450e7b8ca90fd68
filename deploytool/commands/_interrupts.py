"""Ctrl-C and SIGTERM while something must be put right, or brought to its end, before the process
ends.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from deploytool.core.errors import Interrupted
from deploytool.render.terminal import Terminal
from deploytool.work.stacks.operations import Outcome

LADDER = 3  # the third request ends the run; after it Ctrl-C is Python's again


class Signals:
    """The Interrupts port: how often the user has asked."""

    def __init__(self) -> None:
        self._count = 0

    def count(self) -> int:
        """How often so far."""
        return self._count

    def handle(self, _signal: int, _frame: FrameType | None) -> None:
        """A signal handler: it only counts. Raises KeyboardInterrupt for one more than the ladder
        has steps.
        """
        self._count += 1
        if self._count > LADDER:
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[Signals]:
    """Count requests to stop for as long as the block runs, so that the work can stop in steps."""
    signals = Signals()
    with _handled(signals.handle):
        yield signals


@contextmanager
def first_one_stops(terminal: Terminal) -> Iterator[None]:
    """Within the block the first Ctrl-C or SIGTERM raises KeyboardInterrupt; later ones only say
    that restoring goes on.
    """
    stopping = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:
            terminal.note("[yellow]still restoring; this takes a moment[/]")
            return
        stopping = True
        raise KeyboardInterrupt

    with _handled(handle):
        yield


@contextmanager
def _handled(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """The handlers that were there come back after the block."""
    before = {each: signal.signal(each, handle) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def exit_code(outcome: Outcome) -> int:
    """0 when all is as it should be, 130 when the user stopped the run before that, else 1."""
    if outcome.ok:
        return 0
    return Interrupted.exit_code if outcome.stopped else 1
