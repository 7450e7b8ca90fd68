"""The Executor and Clock ports without threads and without waiting."""

from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from deploytool.core.ports import Result


@dataclass
class VirtualClock:
    """The Clock port. Time passes only when someone sleeps; `after_sleep` is called then."""

    time: float = 0.0
    after_sleep: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += max(seconds, 0.0)
        self.after_sleep()


class InlineExecutor:
    """The Executor port. Each call has ended when `submit` or `start` returns."""

    def submit(self, call: Callable[[], Result], /) -> Future[Result]:
        future: Future[Result] = Future()
        try:
            future.set_result(call())
        except Exception as error:  # noqa: BLE001  # the future carries it to the caller
            future.set_exception(error)
        return future

    def start(self, call: Callable[[], object], /) -> None:
        call()

    def wait(self, futures: Collection[Future[Any]], seconds: float, /) -> None:
        """Every future is done: there is nothing to wait for."""
