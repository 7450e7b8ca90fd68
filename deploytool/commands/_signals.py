"""The signals that ask a process to stop: Ctrl-C, SIGTERM, and SIGHUP of a closed terminal."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TextIO

_HANGUP = getattr(signal, "SIGHUP", 0)  # Windows has none
REQUESTS = tuple(number for number in (signal.SIGINT, signal.SIGTERM, _HANGUP) if number)


class StopRequested(KeyboardInterrupt):
    """A request to stop. It ends a command as Ctrl-C does.

    CPython remembers a plain KeyboardInterrupt that is raised in `exec`, as when a dataclass is
    imported. `python -m` then ends by SIGINT and not with the exit code, even if the exception was
    handled (`unhandled_keyboard_interrupt` in Python/pythonrun.c). A subclass is not remembered.
    """


Handler = Callable[[int, FrameType | None], None]
_Earlier = Any  # what signal.signal returns: a function, a number or None


@contextmanager
def requests_go_to(handle: Handler) -> Iterator[None]:
    """Let `handle` get each request to stop within the block; the earlier handlers return after it."""
    earlier = hear_requests(handle)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def hear_requests(handle: Handler) -> dict[int, _Earlier]:
    """Let `handle` get each request to stop from now on. Return the earlier handlers.

    A SIGHUP that is ignored stays ignored: that is what `nohup` is for.
    """
    handler = _without_terminal(handle)
    heard = list(REQUESTS)
    if _HANGUP in heard and signal.getsignal(_HANGUP) is signal.SIG_IGN:
        heard.remove(_HANGUP)
    return {number: signal.signal(number, handler) for number in heard}


def _without_terminal(handle: Handler) -> Handler:
    """Return a handler that leaves a closed terminal before anything is written to it.

    Each write to it would fail, also that of a step of the clean-up.
    """
    terminals = [stream.fileno() for stream in (sys.stdout, sys.stderr) if _is_terminal(stream)]

    def handle_without(number: int, frame: FrameType | None) -> None:
        if number == _HANGUP:
            nothing = os.open(os.devnull, os.O_WRONLY)
            for file in terminals:
                os.dup2(nothing, file)
            os.close(nothing)
        handle(number, frame)

    return handle_without


def _is_terminal(stream: TextIO | None) -> bool:
    # A process may be started without the stream, and a test may have replaced it
    if stream is None or stream.closed:
        return False
    return stream.isatty()
