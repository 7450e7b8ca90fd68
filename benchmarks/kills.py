"""Kill commands with four signals at seeded moments, then run them once more.

A killed command may have done any part of its work. The next run of the same command (`restore`
after a drill) must end well, and the stage must then be as if nothing had been killed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from benchmarks.storms import LIMIT, WORDS, Storms, storms

CYCLES = 4  # of seven kills each: every command by every signal
LOCAL_RUNS = 12
LOCAL_UPS = 8
BOOTSTRAPS = 2  # of two kills each
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STEPS = ("deploy", "update", "drill", "restore", "failover", "failback", "destroy")
# Seconds of wall time after its start within which a command is killed: about what it takes
MOMENTS = {
    "deploy": 8.0,
    "update": 5.0,
    "drill": 15.0,
    "restore": 3.0,
    "failover": 8.0,
    "failback": 10.0,
    "destroy": 8.0,
    "local run": 5.0,
    "local up": 2.0,
    "bootstrap": 2.0,
}
# What `local down` leaves in the state directory: nobody may hold a lock on a file that is gone
KEPT = {"lock", "ca.pem", "cloud.log"}
MARK = "DEPLOYTOOL_KILLS"  # in the environment of all that a killed command starts
GONE_LIMIT = 20.0  # seconds of wall time until the children of a killed command have ended


class Kills(Storms):
    """Kills commands in calm weather."""

    def cycle(self, number: int, steps: Sequence[str]) -> None:
        """Kill each step by a signal of its own. Each pair comes up once in four cycles."""
        for index, step in enumerate(steps):
            self._kill(step, SIGNALS[(number + index) % len(SIGNALS)], f"{number}.{index}")

    def _kill(self, step: str, number: signal.Signals, name: str) -> None:
        random = Random(f"{self.seed} {name}")  # noqa: S311  # chooses cases, keeps no secret
        words = list(WORDS[step])
        self._prepare(step, name, random)
        delay = random.uniform(0.0, MOMENTS[step])
        title = f"{name} {step}, {number.name} after {delay:.2f} s"
        before = len(self.losses)

        line = [sys.executable, "-m", "deploytool", *self.stage.command(*words)]
        environment = {
            **os.environ,
            "DEPLOYTOOL_LOCAL_DIR": str(self.directory),
            MARK: marker(name),
        }
        code, err = killed(line, environment, self.stage.folder, number, delay)
        self.tried += 1
        for problem in problems_of_end(code, err, number):
            self._lose(title, problem)
        for problem in left_processes(name):
            self._lose(title, problem)
        # What a drill has changed is undone, and nothing is drilled again
        self._repeat(title, "restore" if step == "drill" else step)
        self._check_world(title, step)

        self._say_result(title, code, before)

    def bootstrap(self, number: int) -> None:
        """Kill a bootstrap and then its destruction; each must end well when it runs again."""
        repository = ["--repository", "octo-org/hello"]
        for index, words in enumerate((repository, ["--destroy", "--yes"])):
            name = f"bootstrap.{number}.{index}"
            random = Random(f"{self.seed} {name}")  # noqa: S311  # chooses cases, keeps no secret
            sent = SIGNALS[(2 * number + index) % len(SIGNALS)]
            delay = random.uniform(0.0, MOMENTS["bootstrap"])
            title = f"{name} {words[0]}, {sent.name} after {delay:.2f} s"
            environment = {
                **os.environ,
                "DEPLOYTOOL_LOCAL_DIR": str(self.directory),
                MARK: marker(name),
            }
            before = len(self.losses)
            command = self.stage.command("bootstrap", *words)
            line = [sys.executable, "-m", "deploytool", *command]
            code, err = killed(line, environment, self.stage.folder, sent, delay)
            self.tried += 1
            for problem in problems_of_end(code, err, sent):
                self._lose(title, problem)
            for problem in left_processes(name):
                self._lose(title, problem)
            problem = failed(line, environment, self.stage.folder)
            if problem:
                self._lose(title, f"again: {problem}")
            self._say_result(title, code, before)
        self._check_nothing_left(f"bootstrap.{number}")

    def local_run(self, number: int) -> None:
        """Kill a `local run`; the next one must work and leave no directory."""
        name = f"local.{number}"
        random = Random(f"{self.seed} {name}")  # noqa: S311  # chooses cases, keeps no secret
        sent = SIGNALS[number % len(SIGNALS)]
        delay = random.uniform(0.0, MOMENTS["local run"])
        title = f"{name} local run, {sent.name} after {delay:.2f} s"
        temporary = self.stage.folder / "temporary"
        temporary.mkdir(exist_ok=True)
        environment = {**os.environ, "TMPDIR": str(temporary), MARK: marker(name)}
        environment.pop("DEPLOYTOOL_LOCAL_DIR", None)
        line = [sys.executable, "-m", "deploytool", "local", "run", "--speed", "60", "--"]

        # The command has a child of its own, which must end too
        sleeps = [*line, "sh", "-c", "sleep 600 & sleep 600"]
        code, err = killed(sleeps, environment, self.stage.folder, sent, delay)
        self.tried += 1
        before = len(self.losses)
        for problem in problems_of_end(code, err, sent):
            self._lose(title, problem)
        for problem in left_processes(name):
            self._lose(title, problem)
        problem = failed([*line, "true"], environment, self.stage.folder)
        if problem:
            self._lose(title, f"local run again: {problem}")
        for path in temporary.iterdir():
            self._lose(title, f"{path.name} is left in the temporary directory")
        self._say_result(title, code, before)

    def local_up(self, number: int) -> None:
        """Kill a `local up`; the next one must work, and `local down` must leave nothing."""
        name = f"up.{number}"
        random = Random(f"{self.seed} {name}")  # noqa: S311  # chooses cases, keeps no secret
        sent = SIGNALS[number % len(SIGNALS)]
        delay = random.uniform(0.0, MOMENTS["local up"])
        title = f"{name} local up, {sent.name} after {delay:.2f} s"
        temporary = self.stage.folder / name
        temporary.mkdir()
        environment = {
            **os.environ,
            "TMPDIR": str(temporary),
            "DEPLOYTOOL_LOCAL_DIR": str(temporary / "cloud"),
            MARK: marker(name),
        }
        before = len(self.losses)
        up = [sys.executable, "-m", "deploytool", "local", "up", "--speed", "60"]
        code, err = killed(up, environment, self.stage.folder, sent, delay)
        self.tried += 1
        for problem in problems_of_end(code, err, sent):
            self._lose(title, problem)
        for words in (["up", "--speed", "60"], ["status"], ["down"]):
            line = [sys.executable, "-m", "deploytool", "local", *words]
            problem = failed(line, environment, self.stage.folder)
            if problem:
                self._lose(title, f"local {words[0]} again: {problem}")
        for problem in left_processes(name):
            self._lose(title, problem)
        for path in temporary.rglob("*"):
            if path.is_file() and path.name not in KEPT:
                self._lose(title, f"{path.relative_to(temporary)} is left")
        self._say_result(title, code, before)

    def _say_result(self, title: str, code: int | None, before: int) -> None:
        result = "as it should be" if len(self.losses) == before else "LOST"
        self.say(f"{title}: exit {code}, {result}")
        for loss in self.losses[before:]:
            self.say(f"  {loss}")


def failed(line: Sequence[str], environment: dict[str, str], folder: Path) -> str:
    """Run a command; return how it failed, "" when it did not."""
    done = subprocess.run(
        line,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return f"exit {done.returncode}: {done.stderr[-500:]}" if done.returncode else ""


def killed(
    line: Sequence[str], environment: dict[str, str], folder: Path, sent: int, delay: float
) -> tuple[int | None, str]:
    """Run a command and send it a signal after `delay` seconds; return its exit code and errors.

    The code is None when the command did not end within the time limit.
    """
    with (
        (folder / "stderr").open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            line,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as process,
    ):
        try:
            code: int | None = process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(sent)
            try:
                code = process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                code = None
    return code, (folder / "stderr").read_text(encoding="utf-8")


def problems_of_end(code: int | None, err: str, sent: int) -> list[str]:
    """Return what is wrong with how a command ended after a signal."""
    found = []
    if code is None:
        found.append(f"did not end within {LIMIT:.0f} s: {err[-500:]}")
    elif code not in {0, 1, 130, 128 + signal.SIGTERM, -sent, 128 + sent}:
        found.append(f"exit {code}: {err[-1000:]}")
    if "Traceback" in err or "a bug of deploytool" in err:
        found.append(err[-1000:])
    return found


def marker(name: str) -> str:
    """Return the mark of a killed command; no other run of this proof has it."""
    return f"{os.getpid()}.{name}"


def left_processes(name: str) -> list[str]:
    """Return the processes that still have the mark of a killed command after some time."""
    deadline = time.monotonic() + GONE_LIMIT
    found = _marked(name)
    while found and time.monotonic() < deadline:
        time.sleep(0.2)
        found = _marked(name)
    return [f"process {pid} is left: {command}" for pid, command in found]


def _marked(name: str) -> list[tuple[str, str]]:
    mark = f"{MARK}={marker(name)}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            # It has ended, or belongs to somebody else
            continue
        if mark in variables:
            found.append((folder.name, command.strip()))
    return found


def run_all(
    folder: Path,
    seed: int,
    cycles: int,
    local_runs: int,
    local_ups: int,
    bootstraps: int,
    say: Callable[[str], None],
    steps: Sequence[str] = STEPS,
) -> Storms:
    """Kill this many cycles of commands and local runs; return what was tried and lost."""
    with storms(folder, seed, say, Kills) as runs:
        runs.learn()
        for number in range(local_runs):
            runs.local_run(number)
        for number in range(local_ups):
            runs.local_up(number)
        for number in range(bootstraps):
            runs.bootstrap(number)
        for number in range(cycles):
            runs.cycle(number, steps)
        return runs
