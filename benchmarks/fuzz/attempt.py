"""Runs one command as a fork of this process, and says what is wrong with how it ended."""

import gc
import json
import os
import re
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CPU_SECONDS = 20  # of one command: nothing that it reads may take longer
WALL_SECONDS = 120  # on a machine with other work
MEMORY = 4 * 1024**3  # bytes of address space
MOST_OUTPUT = 1_000_000  # bytes
ANSWER_IS_NO, ANSWER_MISSING = 1, 4
DOCUMENTED = frozenset({0, 1, 2, 3, 4})
# C0 without tab and newline, DEL, C1, and what turns the direction of text
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
WORKFLOW_COMMAND = re.compile(r"^::", re.MULTILINE)
# The input was good, and the command needed a local cloud
NO_CLOUD = "no local cloud is running"


@dataclass(frozen=True)
class Attempt:
    """A command line, run in a folder with exactly these variables. One of `places` must be in an error."""

    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    places: Sequence[str]


@dataclass(frozen=True)
class Ended:
    """How a command has ended; `code` is negative after a signal."""

    code: int
    out: bytes
    err: bytes


def run(attempt: Attempt) -> Ended:
    """Run `deploytool WORDS` as a fork of this process, which must have one thread only."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if not pid:
            _become(attempt, out.fileno(), err.fileno())
        _, status = os.waitpid(pid, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read(MOST_OUTPUT + 1))
    return Ended(os.waitstatus_to_exitcode(status), *texts)


def _become(attempt: Attempt, out: int, err: int) -> None:
    """Become the command, and end as it does."""
    code = 70
    try:
        gc.freeze()
        os.setsid()
        os.chdir(attempt.folder)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(source, target)
        os.environ.clear()
        os.environ.update(attempt.environment)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(WALL_SECONDS)
        code = _call(attempt.words)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it left `main`
        os.write(2, f"left main: {type(error).__name__}: {error}\n".encode(errors="replace"))
    finally:
        os._exit(code)


def _call(words: Sequence[str]) -> int:
    from deploytool.cli import main  # noqa: PLC0415  # imported by the parent

    try:
        code = main(list(words))
    except SystemExit as error:  # argparse
        code = error.code if isinstance(error.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def problems(attempt: Attempt, ended: Ended) -> list[str]:
    """Return what is wrong with how a command ended."""
    if ended.code in {-signal.SIGXCPU, -signal.SIGKILL}:
        return [f"took more than {CPU_SECONDS} s of processor time"]
    if ended.code == -signal.SIGALRM:
        return [f"stood still for {WALL_SECONDS} s"]

    found = []
    if max(len(ended.out), len(ended.err)) > MOST_OUTPUT:
        found.append(f"more than {MOST_OUTPUT} bytes of output")
    try:
        out, err = ended.out.decode(), ended.err.decode()
    except UnicodeDecodeError as error:
        return [*found, f"the output is not UTF-8: {error}"]
    if ended.code not in DOCUMENTED or "Traceback" in err or "left main" in err:
        return [*found, f"exit code {ended.code}: {err[-1500:]}"]
    found += _problems_of_text("output", out)
    found += _problems_of_text("errors", err)
    if ended.code:
        found += _problems_of_error(attempt, ended.code, out, err)
    return found


def _problems_of_text(name: str, text: str) -> Iterator[str]:
    """Find what a terminal or GitHub's runner would take for a command."""
    control = CONTROL.search(text)
    if control:
        yield f"{control.group()!r} in the {name}: {_around(text, control.start())!r}"
    command = WORKFLOW_COMMAND.search(text)
    if command:
        yield f"a workflow command in the {name}: {_around(text, command.start())!r}"


def _problems_of_error(attempt: Attempt, code: int, out: str, err: str) -> Iterator[str]:
    """Find what an error lacks."""
    if "error:" not in err:
        # That a drill has not passed, or that an API does not answer, is an answer and no error
        is_answer = code == ANSWER_MISSING or (code == ANSWER_IS_NO and "report" in attempt.words)
        if not is_answer:
            yield f"no error is named: {err[-500:]!r}"
        return
    # argparse ends before anything knows of --output
    if "json" in attempt.words and "usage:" not in err and not _is_document(out):
        yield f"the output is not one JSON document: {out[:200]!r}"
    if NO_CLOUD not in err and not any(place in err for place in attempt.places):
        yield f"the error names none of {attempt.places}: {err[-500:]!r}"


def _is_document(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _around(text: str, at: int) -> str:
    return text[max(at - 60, 0) : at + 60]
