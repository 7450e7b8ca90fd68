"""Calls in threads: the Executor port for real targets."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from types import TracebackType
from typing import Any, Self

from deploytool.core.errors import DeploytoolError
from deploytool.core.ports import Result

# A drill makes ten requests a second in each of five lanes, and each may wait 5 s for its time-out.
THREADS = 256


class ExecutorClosed(Exception):
    """The executor ends, so that it starts no call any more."""


class ThreadExecutor:
    """The Executor port. As a context manager it waits for the calls that run before it ends.

    From then on it refuses calls with ExecutorClosed. That ends a call that would start others, and
    whose result nobody waits for.

    Then it raises the first exception that was not expected: that of a call that nobody waited for,
    or one of a submitted call that is no DeploytoolError, which is a bug. When the block itself
    raises, its error has these exceptions as notes. So no exception is lost.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="deploytool")
        self._lock = threading.Lock()
        self._errors: list[BaseException] = []
        self._is_closed = False

    def submit(self, call: Callable[[], Result], /) -> Future[Result]:
        """Start a call in a thread. Raises ExecutorClosed when the executor ends."""
        future = self._submit(call)
        future.add_done_callback(self._keep_bug)
        return future

    def start(self, call: Callable[[], object], /) -> None:
        """Start a call in a thread; nobody waits for it. Raises ExecutorClosed as `submit` does."""
        self._submit(call).add_done_callback(self._keep_error)

    def wait(self, futures: Collection[Future[Any]], seconds: float, /) -> None:
        """Return when one of the futures is done, or after `seconds` of wall time."""
        wait_for(futures, timeout=seconds, return_when=FIRST_COMPLETED)

    def _submit(self, call: Callable[[], Result]) -> Future[Result]:
        try:
            return self._pool.submit(call)
        except RuntimeError as error:
            # It is raised too when the machine has no thread left
            if self._is_closed:
                raise ExecutorClosed from error
            raise

    def _keep_bug(self, future: Future[Any]) -> None:
        if not future.cancelled() and not isinstance(future.exception(), DeploytoolError):
            self._keep_error(future)

    def _keep_error(self, future: Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        # A call that waits for one that was cancelled at the end ends with CancelledError
        if error is not None and not isinstance(error, ExecutorClosed | CancelledError):
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
        self._is_closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        if error is None and self._errors:
            raise self._errors[0]
        if error is not None:
            # The error of the block is the one to report; a traceback shows the others as notes.
            for other in self._errors:
                if other is not error:
                    error.add_note(f"a call beside it failed too: {other!r}")
