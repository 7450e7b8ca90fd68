"""A shell in which the commands of a page run as printed, and a comparison with what is printed."""

import os
import re
import select
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.pages import Block

# What differs from run to run. Counts of stacks, addresses and exit codes do not.
_VARIABLE = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(?=\w*\d)[0-9a-f]{8,}\b"), "HEX"),
    (re.compile(r"\d{8}T\d{6}Z"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"\b\d+\.\d s\b"), "N s"),
    (re.compile(r"\b\d+ ms\b"), "N ms"),
    (re.compile(r"\b\d+ by\b"), "N by"),
    (re.compile(r"(?<=requests )\d+"), "N"),
]


@dataclass(frozen=True)
class Ran:
    """A block that has run: the codes of its commands that failed, and its output of both kinds."""

    failures: tuple[int, ...]
    output: str


@dataclass
class Session:
    """A shell that runs one block after the other, as a reader would."""

    folder: Path
    environment: Mapping[str, str]
    scratch: Path  # for the files of the session
    _number: int = 0
    _shell: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        scripts = str(Path(sys.executable).parent)
        path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self.folder,
            env={**os.environ, **self.environment, "PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, text: str, timeout: float) -> Ran:
        """Run a block; `timeout` is in seconds. Raises TimeoutError."""
        self._number += 1
        script = self.scratch / f"{self._number}.sh"
        output = self.scratch / f"{self._number}.out"
        script.write_text(text)
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.write(
            "failures=(); trap 'failures+=($?)' ERR\n"
            f"source {script} > {output} 2>&1 < /dev/null\n"
            'trap - ERR; echo "ended ${failures[*]}"\n'
        )
        self._shell.stdin.flush()
        ready, _, _ = select.select([self._shell.stdout], [], [], timeout)
        said = output.read_text() if output.exists() else ""
        if not ready:
            self._shell.kill()
            raise TimeoutError(f"not ended after {timeout} s:\n{text}\n{said}")
        codes = self._shell.stdout.readline().split()[1:]
        return Ran(tuple(dict.fromkeys(map(int, codes))), output.read_text())

    def close(self) -> None:
        """End the shell."""
        self._shell.communicate(timeout=60)


def run_block(session: Session, block: Block, timeout: float = 180) -> str:
    """Run a block and return its output. The page says which code its last command ends with."""
    ran = session.run(block.text, timeout)
    expected = (block.exit_code,) if block.exit_code else ()
    assert ran.failures == expected, f"{block}: {ran.failures}\n{block.text}\n{ran.output}"
    assert "Traceback" not in ran.output, ran.output
    return ran.output


def mismatch(printed: str, output: str) -> str:
    """Return the first line of what is printed that the output lacks at its place; empty if none.

    A line `...` stands for any lines, and `...` within a line for any text. Numbers that differ from
    run to run are not compared.
    """
    lines = [_normal(line) for line in output.strip().splitlines()]
    gap = False
    for line in printed.strip().splitlines():
        if line.strip() == "...":
            gap = True
            continue
        pattern = re.compile(".*".join(map(re.escape, _normal(line).split("..."))))
        while gap and lines and not pattern.fullmatch(lines[0]):
            lines.pop(0)
        if not lines or not pattern.fullmatch(lines.pop(0)):
            return line
        gap = False
    return "" if gap or not lines else f"nothing after the last line, but {lines[0]!r}"


def _normal(line: str) -> str:
    line = re.sub(r"\s+", " ", line).strip()
    for pattern, replacement in _VARIABLE:
        line = pattern.sub(replacement, line)
    return line
