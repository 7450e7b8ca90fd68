"""Commands of deploytool as processes that cost no imports.

One process imports deploytool once, and each command is a fork of it: a process of its own with its
own arguments, folder, environment, output and exit code. Half of the processor time of a command
with little to do is that of its imports, and the end-to-end tests run some hundred commands.

`run` is for tests of what a command does. A test of how a process starts, or that sends it a
signal, starts one with `subprocess`.
"""

import array
import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_LENGTH_BYTES = 8
_FILES = 4  # that come with a request: standard input, output and error, and that of the status


@dataclass(frozen=True)
class Request:
    """A command to run."""

    words: Sequence[str]
    folder: str
    environment: Mapping[str, str]


def run(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run `python -m deploytool WORDS` in a folder, with exactly this environment.

    Raises subprocess.TimeoutExpired after `timeout` seconds; the command is then killed.
    """
    if "COVERAGE_PROCESS_START" in environment:
        # What measures a process is set up when Python starts
        command = [sys.executable, "-m", "deploytool", *words]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
    return _server().run(Request(words, str(folder), environment), timeout)


@cache
def _server() -> "_Client":
    client = _Client()
    atexit.register(client.close)
    return client


class _Client:
    """Starts the process that forks, and sends requests to it, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control, far_end = socket.socketpair()
        with far_end:
            command = [sys.executable, "-m", "tests.forked", str(far_end.fileno())]
            self._process = subprocess.Popen(
                command, cwd=ROOT, pass_fds=[far_end.fileno()], stdin=subprocess.DEVNULL
            )

    def close(self) -> None:
        """End the process that forks: it ends when this socket does."""
        self._control.close()
        self._process.wait()

    def run(self, request: Request, timeout: float) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            open(os.devnull, "rb") as nothing,  # noqa: PTH123  # a device
        ):
            status, far_end = os.pipe()
            with open(status, "rb", buffering=0) as answers:  # noqa: PTH123  # a pipe
                try:
                    files = [nothing.fileno(), out.fileno(), err.fileno(), far_end]
                    self._send(request, files)
                finally:
                    os.close(far_end)
                code = _wait(answers, request, timeout)
            return subprocess.CompletedProcess(request.words, code, _text(out), _text(err))

    def _send(self, request: Request, files: Sequence[int]) -> None:
        message = json.dumps([request.words, request.folder, dict(request.environment)]).encode()
        length = len(message).to_bytes(_LENGTH_BYTES, "big")
        with self._lock:
            socket.send_fds(self._control, [length], files)
            self._control.sendall(message)


def _wait(answers: Any, request: Request, timeout: float) -> int:
    """Return the exit code of a command, whose process id comes before it."""
    pid = _answer(answers, timeout)
    assert pid is not None, "the process that forks has not answered"
    code = _answer(answers, timeout)
    if code is None:
        os.kill(pid, signal.SIGKILL)
        raise subprocess.TimeoutExpired(list(request.words), timeout)
    return code


def _answer(answers: Any, timeout: float) -> int | None:
    """Return the next number of a pipe, None when none comes in time."""
    ready, _, _ = select.select([answers], [], [], timeout)
    if not ready:
        return None
    numbers = array.array("i", answers.read(array.array("i").itemsize))
    assert numbers, "the process that forks has ended"
    return numbers[0]


def _text(file: Any) -> str:
    file.seek(0)
    text: str = file.read().decode()
    return text.replace("\r\n", "\n")


class _Forks:
    """Forks a process for each request, and reports how it ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._status: dict[int, int] = {}  # the file that is told the exit code, by process id
        self._ended, ended = os.pipe()
        for end in (self._ended, ended):
            os.set_blocking(end, False)
        self._old_wakeup = signal.set_wakeup_fd(ended)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> Request | None:
        """Serve until the tests end, then return None. Return a request in a process of its own."""
        while True:
            ready, _, _ = select.select([self._control, self._ended], [], [])
            if self._ended in ready:
                os.read(self._ended, 4096)
                self._report()
            if self._control in ready:
                received = _receive(self._control)
                if received is None:
                    return None
                request, files = received
                if self._fork(files):
                    return request

    def _fork(self, files: Sequence[int]) -> bool:
        """Tell whether this is the new process."""
        pid = os.fork()
        status = files[_FILES - 1]
        if pid == 0:
            signal.set_wakeup_fd(self._old_wakeup)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number in range(3):
                os.dup2(files[number], number)
            self._control.close()
            for file in (*files, *self._status.values(), self._ended):
                os.close(file)
            return True

        _tell(status, pid)
        self._status[pid] = status
        for file in files[: _FILES - 1]:
            os.close(file)
        return False

    def _report(self) -> None:
        """Report the processes that have ended."""
        while self._status:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            file = self._status.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            _tell(file, code)
            os.close(file)


def _tell(file: int, number: int) -> None:
    with suppress(BrokenPipeError):  # the test does not wait any longer
        os.write(file, array.array("i", [number]).tobytes())


def _receive(control: socket.socket) -> tuple[Request, list[int]] | None:
    """Return the next request and its files, None when there will be no more."""
    length, files, _, _ = socket.recv_fds(control, _LENGTH_BYTES, _FILES)
    if not length:
        return None
    message = b""
    while rest := int.from_bytes(length, "big") - len(message):
        message += control.recv(rest)
    return Request(*json.loads(message)), files


def _import_everything() -> None:
    """Import each module of deploytool, and what it imports."""
    package = importlib.import_module("deploytool")
    for module in pkgutil.walk_packages(package.__path__, "deploytool."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _main() -> None:
    _import_everything()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as control:
        request = _Forks(control).serve()
    if request is not None:
        os.chdir(request.folder)
        os.environ.clear()
        os.environ.update(request.environment)
        sys.argv = ["deploytool", *request.words]
        runpy.run_module("deploytool", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
