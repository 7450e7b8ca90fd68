"""Calls that run beside the caller or beside each other."""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Executor, Result

Item = TypeVar("Item", bound=Hashable)


def for_each(
    executor: Executor, function: Callable[[Item], Result], items: Sequence[Item]
) -> dict[Item, Result]:
    """Call a function for each item, all at the same time, and return the results by item.

    Raises the first exception of a call, in the order of the items, once all calls have ended.
    """
    futures = {item: executor.submit(partial(function, item)) for item in items}
    errors = [future.exception() for future in futures.values()]  # waits for each call
    for error in errors:
        if error is not None:
            raise error
    return {item: future.result() for item, future in futures.items()}


class PendingCalls:
    """The calls that a loop has started, each with the function that handles its result.

    The handlers run in the thread of the loop, so the loop alone changes its state.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._handlers: dict[Future[Any], Callable[[Any], None]] = {}

    def start(
        self, call: Callable[[], Result], handle: Callable[[Result | DeploytoolError], None]
    ) -> None:
        """Start a call. `handle` gets its result, or the DeploytoolError that it raised."""
        self._handlers[self._executor.submit(call)] = handle

    def handle_finished(self) -> bool:
        """Handle the results of the calls that have finished; return whether there were any.

        An exception that is no DeploytoolError is a bug: it is raised here.
        """
        finished = [future for future in self._handlers if future.done()]
        for future in finished:
            handle = self._handlers.pop(future)
            try:
                result = future.result()
            except DeploytoolError as error:
                result = error
            handle(result)
        return bool(finished)

    def wait(self, seconds: float) -> bool:
        """Wait until a call has finished, for at most `seconds`; return False when none runs."""
        if not self._handlers:
            return False
        self._executor.wait(self._handlers, seconds)
        return True
