"""Ctrl-C and SIGTERM while stacks are being changed: counted, so that the work can stop in steps."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from deploytool.core.errors import Interrupted
from deploytool.work.operation import Outcome

LADDER = 3  # the third request ends the run; after it Ctrl-C is Python's again


class Signals:
    """The Interrupts port: how often the user has asked."""

    def __init__(self) -> None:
        self._count = 0

    def count(self) -> int:
        """How often so far."""
        return self._count

    def handle(self, _signal: int, _frame: FrameType | None) -> None:
        """A signal handler: it only counts. Raises KeyboardInterrupt for one more than the ladder has steps."""
        self._count += 1
        if self._count > LADDER:
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[Signals]:
    """Count requests to stop for as long as the block runs; the handlers that were there come back after it."""
    signals = Signals()
    before = {each: signal.signal(each, signals.handle) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def exit_code(outcome: Outcome) -> int:
    """0 when all is as it should be, 130 when the user stopped the run before that, else 1."""
    if outcome.ok:
        return 0
    return Interrupted.exit_code if outcome.stopped else 1
