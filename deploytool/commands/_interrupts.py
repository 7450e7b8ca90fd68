"""Ctrl-C and SIGTERM while a command has something to finish or to restore before it may end."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from deploytool.core.errors import ApiUnavailable, Interrupted
from deploytool.render.terminal import Terminal
from deploytool.work.stacks.operations import Outcome

# The engine stops in three steps, one for each request (core.stacks.ports.Interrupts). A fourth
# request is for a run that does not stop even so.
STEPS = 3

Handler = Callable[[int, FrameType | None], None]


class Signals:
    """The Interrupts port: counts the requests to stop."""

    def __init__(self) -> None:
        self._count = 0

    def count(self) -> int:
        """Return how many requests there were so far."""
        return self._count

    def handle(self, _signal: int, _frame: FrameType | None) -> None:
        """Count a signal. Raises KeyboardInterrupt for the first one after the last step."""
        self._count += 1
        if self._count > STEPS:
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[Signals]:
    """Count the requests to stop within the block, so that the work can stop in steps."""
    signals = Signals()
    with _handler(signals.handle):
        yield signals


@contextmanager
def first_one_stops(
    terminal: Terminal, later: str = "still restoring; this takes a moment"
) -> Iterator[None]:
    """Raise KeyboardInterrupt for the first request within the block.

    Later requests do not interrupt what the first one causes, such as a restore; they print
    `later`.
    """
    is_stopping = False

    def handle(_signal: int, _frame: FrameType | None) -> None:
        nonlocal is_stopping
        if is_stopping:
            terminal.note(f"[yellow]{later}[/]")
            return
        is_stopping = True
        raise KeyboardInterrupt

    with _handler(handle):
        yield


@contextmanager
def _handler(handle: Handler) -> Iterator[None]:
    """Handle SIGINT and SIGTERM within the block; the earlier handlers return after it."""
    earlier = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def exit_code(outcome: Outcome) -> int:
    """Return 0 when every stack is in its desired state, 130 after a stop by the user.

    4 when nothing is wrong except that an API did not answer, else 1.
    """
    if outcome.ok:
        return 0
    if outcome.stopped:
        return Interrupted.exit_code
    return ApiUnavailable.exit_code if outcome.is_incomplete else 1
