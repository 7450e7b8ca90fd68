"""Runs tasks in threads, so that a slow one delays nobody."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

THREADS = 256  # ten probes a second of five lanes that all wait for their time-out of 5 s


class ThreadRunner:
    """The Runner port. As a context manager it waits for what runs before it ends. A task's
    exception is raised then.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="deploytool")
        self._lock = threading.Lock()
        self._errors: list[BaseException] = []

    def submit(self, task: Callable[[], None]) -> None:
        """Run the task beside the caller."""
        self._pool.submit(self._run, task)

    def _run(self, task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001  # raised when the runner is closed: lost it must not be
            with self._lock:
                self._errors.append(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        if kind is None and self._errors:
            raise self._errors[0]
