"""Calls made beside a loop that alone holds the state: what each gave comes back to the loop
through a queue.
"""

import queue
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Runner

Result = TypeVar("Result")


class Beside:
    """Makes calls through a runner, so that a slow one delays nobody."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._results: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def call(
        self, call: Callable[[], Result], then: Callable[[Result | DeploytoolError], None]
    ) -> None:
        """Make a call; `take` hands what it gave, or its error, to `then`."""

        def task() -> None:
            self._results.put(partial(then, _guarded(call)))

        self._runner.submit(task)

    def take(self) -> bool:
        """Hand over, in the caller's thread, what has come back; whether anything had."""
        taken = False
        while not self._results.empty():
            self._results.get()()
            taken = True
        return taken


def _guarded(call: Callable[[], Result]) -> Result | DeploytoolError:
    """The call's result, or its error as a value: it is raised or reported in the loop, never lost
    in another thread.
    """
    try:
        return call()
    except DeploytoolError as error:
        return error
    except Exception as error:  # noqa: BLE001  # carried to the loop and reported there
        return _Unexpected(error)


class _Unexpected(DeploytoolError):
    """A programming error in a task, carried to the main thread."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.__cause__ = error
