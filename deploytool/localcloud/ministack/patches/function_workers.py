"""Lambda's execution environments: a call waits for a free one before it starts another.

MiniStack starts a process for every call that finds no free one. The health checkers of a new
health check call a function at the same moment, before its first process is ready, so that 16
processes and more start, where one answers all of these calls in 0.1 s. On AWS they would start too.
There they are free, and here they take the machine's processors and memory.
"""

import threading
from collections.abc import Iterable
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "provisioners._lambda_svc.acquire_worker": "each call without a free process starts one",
    "provisioners._lambda_svc.release_worker": "calls that wait have to hear of a free process",
    "lambda_runtime.Worker._spawn": "tells when a process has started",
    "lambda_runtime.ProvidedWorker._spawn": "the same for runtimes of the function's own",
}

# Seconds of wall time that a call waits for a free process before it starts another one. A call
# that is made by a function of itself never gets the process that it waits for.
PATIENCE = 0.1

# A worker and how it was found, or None and why there is none, as MiniStack's function returns it
Lease = tuple[Any, str]


class Workers:
    """Leases the processes of functions; each function starts one at a time.

    `runtime` is MiniStack's module with the processes, `acquire` and `release` are its functions.
    `closing` is set when the cloud ends; from then on no process starts.
    """

    def __init__(self, runtime: Any, closing: threading.Event) -> None:
        self._runtime = runtime
        self._closing = closing
        self._changed = threading.Condition()
        self._starting: dict[int, str] = {}  # the function's key by the worker's id
        self.acquire: Any = runtime.acquire_worker
        self.release: Any = runtime.release_worker

    def lease(
        self,
        func_name: str,
        config: dict[str, Any],
        code_zip: bytes,
        qualifier: str = "$LATEST",
        max_concurrency: int | None = None,
    ) -> Lease:
        """Return a free process of a function, or else a new one."""
        key = self._runtime._worker_key(func_name, config, qualifier)
        with self._changed:
            while self._workers(key) and not self._closing.is_set():
                is_free = self._changed.wait_for(lambda: self._has_free(key), PATIENCE)
                if is_free or not self._is_starting(key):
                    break

            if self._closing.is_set():
                return None, "func_cap"
            worker, how = self.acquire(func_name, config, code_zip, qualifier, max_concurrency)
            if how == "spawn":
                self._starting[id(worker)] = key
            return worker, how

    def started(self, worker: Any) -> None:
        """Note that a process has started, or has failed to."""
        with self._changed:
            self._starting.pop(id(worker), None)
            self._changed.notify_all()

    def give_back(self, worker: Any) -> None:
        """Return a leased process, and let the calls that wait look again."""
        self.release(worker)
        self.started(worker)

    def _workers(self, key: str) -> Iterable[Any]:
        return list(self._runtime._workers.get(key, ()))

    def _has_free(self, key: str) -> bool:
        return any(not worker.in_use for worker in self._workers(key))

    def _is_starting(self, key: str) -> bool:
        return key in self._starting.values()


def install(patcher: Patcher, closing: threading.Event) -> None:
    """Let calls wait for a free process. `closing` is set when the cloud ends."""
    workers = Workers(patcher.ministack.lambda_runtime, closing)

    def acquire_worker(
        func_name: str,
        config: dict[str, Any],
        code_zip: bytes,
        qualifier: str = "$LATEST",
        max_concurrency: int | None = None,
    ) -> Lease:
        return workers.lease(func_name, config, code_zip, qualifier, max_concurrency)

    def release_worker(worker: Any) -> None:
        workers.give_back(worker)

    patcher.replace("provisioners._lambda_svc.acquire_worker", acquire_worker)
    patcher.replace("provisioners._lambda_svc.release_worker", release_worker)

    def spawn(self: Any) -> None:
        try:
            spawn_original(self)
        finally:
            workers.started(self)

    def spawn_provided(self: Any, init_timeout: float | None = None) -> None:
        try:
            spawn_provided_original(self, init_timeout)
        finally:
            workers.started(self)

    spawn_original = patcher.replace("lambda_runtime.Worker._spawn", spawn)
    spawn_provided_original = patcher.replace(
        "lambda_runtime.ProvidedWorker._spawn", spawn_provided
    )
