"""Calls for several items that run beside each other."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import TypeVar

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
