"""Requests to stop while a command has something to finish or to restore before it may end.

They are Ctrl-C, SIGTERM, and SIGHUP of a closed terminal.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

from deploytool.commands._signals import StopRequested, requests_go_to
from deploytool.core.errors import ApiUnavailable, Interrupted
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.work.stacks.operations import Outcome

# The engine stops in three steps, one for each request (core.ports.Interrupts). A fourth request is
# for a run that does not stop even so.
STEPS = 3


class Signals:
    """The Interrupts port: counts the requests to stop."""

    def __init__(self) -> None:
        self._count = 0

    def count(self) -> int:
        """Return how many requests there were so far."""
        return self._count

    def handle(self, _signal: int, _frame: FrameType | None) -> None:
        """Count a signal. Raises StopRequested for the first one after the last step."""
        self._count += 1
        if self._count > STEPS:
            raise StopRequested


@contextmanager
def interrupts() -> Iterator[Signals]:
    """Count the requests to stop within the block, so that the work can stop in steps."""
    signals = Signals()
    with requests_go_to(signals.handle):
        yield signals


class PatientSignals:
    """The Interrupts port of work that nothing may cut: a request is counted and answered.

    `answer` returns the text for the first request, the second, and so on. A thread of its own
    prints it. A handler runs in the middle of whatever the main thread does, which may be printing,
    so it must not print.
    """

    def __init__(self, terminal: Terminal, answer: Callable[[int], str]) -> None:
        self._terminal = terminal
        self._answer = answer
        self._count = 0
        # Its `put` may be called from a signal's handler (library reference, queue.SimpleQueue)
        self._requests: SimpleQueue[int] = SimpleQueue()

    def count(self) -> int:
        """Return how many requests there were so far."""
        return self._count

    def handle(self, _signal: int, _frame: FrameType | None) -> None:
        """Count a signal."""
        self._count += 1
        self._requests.put(self._count)

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Answer the requests within the block."""
        thread = threading.Thread(target=self._print_answers, name="signals", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._requests.put(0)
            thread.join()

    def _print_answers(self) -> None:
        while number := self._requests.get():
            self._terminal.note(f"[yellow]{escape(self._answer(number))}[/]")


@contextmanager
def patient_signals(terminal: Terminal, answer: Callable[[int], str]) -> Iterator[PatientSignals]:
    """Count and answer the requests to stop within the block. None of them raises anything."""
    signals = PatientSignals(terminal, answer)
    with requests_go_to(signals.handle), signals.answered():
        yield signals


@contextmanager
def first_one_stops(terminal: Terminal, later: str) -> Iterator[None]:
    """Raise StopRequested for the first request within the block.

    Later requests do not interrupt what the first one causes; they print `later`.
    """
    signals = PatientSignals(terminal, lambda _number: later)
    is_stopping = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopping
        if is_stopping:
            signals.handle(number, frame)
            return
        is_stopping = True
        raise StopRequested

    with requests_go_to(handle), signals.answered():
        yield


def exit_code(outcome: Outcome) -> int:
    """Return 0 when every stack is in its desired state, 130 after a stop by the user.

    4 when nothing is wrong except that an API did not answer, else 1.
    """
    if outcome.ok:
        return 0
    if outcome.stopped:
        return Interrupted.exit_code
    return ApiUnavailable.exit_code if outcome.is_incomplete else 1
