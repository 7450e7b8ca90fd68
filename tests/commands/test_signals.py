"""Requests to stop: which signals are heard, and how they are answered."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

# Counts three requests, and prints the count and the answers
PATIENT = """
import os, signal, sys
from deploytool.commands._interrupts import patient_signals
from deploytool.render.terminal import Terminal

with patient_signals(Terminal(), lambda number: f"answer {number}") as signals:
    for _ in range(3):
        os.kill(os.getpid(), int(sys.argv[1]))
    print(signals.count())
"""

# Says that it is ready, and when a request comes writes to its terminal and to a file
ON_A_TERMINAL = """
import signal, sys
from pathlib import Path
from deploytool.commands._interrupts import patient_signals
from deploytool.render.terminal import Terminal

terminal = Terminal()
with patient_signals(terminal, lambda number: "stopping") as signals:
    terminal.note("ready")
    while not signals.count():
        signal.pause()
    terminal.note("restoring")
    terminal.say("restored")
    Path(sys.argv[1]).write_text("restored")
"""

# A request comes while a class is made, as it is when a module is imported
IN_EXEC = """
import os, signal, sys
from deploytool.cli import _interrupt
from deploytool.commands._signals import hear_requests

hear_requests(_interrupt)
try:
    exec("os.kill(os.getpid(), int(sys.argv[1]))\\nfor _ in range(1000): pass")
except KeyboardInterrupt:
    sys.exit(130)
"""

# Ctrl-C while the modules of the command line are imported
DURING_IMPORTS = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "deploytool.commands.arguments.drill":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
sys.argv = ["deploytool", "status"]
from deploytool.__main__ import run
sys.exit(run())
"""


def python(code: str, *words: str) -> list[str]:
    return [sys.executable, "-c", code, *words]


@pytest.mark.parametrize("number", SIGNALS)
def test_no_request_cuts_patient_work(number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and SIGHUP are counted and answered, and raise nothing."""
    done = subprocess.run(
        python(PATIENT, str(int(number))), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
    assert done.stderr.splitlines() == ["answer 1", "answer 2", "answer 3"]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_request_during_an_import_ends_with_the_exit_code(
    tmp_path: Path, number: signal.Signals
) -> None:
    """`python -m` ends with the code of the command, not by a SIGINT that nobody sent."""
    (tmp_path / "asked.py").write_text(IN_EXEC)
    line = [sys.executable, "-m", "asked", str(int(number))]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr


def test_ctrl_c_during_the_imports_prints_no_traceback() -> None:
    """A third of a second passes before the command line can handle a signal."""
    done = subprocess.run(python(DURING_IMPORTS), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "error: interrupted\n")


def test_nohup_is_respected() -> None:
    """A SIGHUP that the process was started to ignore stays ignored."""
    done = subprocess.run(
        ["nohup", *python(PATIENT, str(int(signal.SIGHUP)))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "0\n", done.stderr


def test_a_closed_terminal_breaks_no_clean_up(tmp_path: Path) -> None:
    """After SIGHUP every write to the terminal fails, so what is restored is not told there."""
    result = tmp_path / "result"
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        python(ON_A_TERMINAL, str(result)), stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    with open(controller, "rb", buffering=0) as screen:  # noqa: PTH123  # a terminal
        while b"ready" not in screen.read(100):
            pass
    # The terminal is closed now. Without a controlling terminal the kernel sends no signal itself
    process.send_signal(signal.SIGHUP)
    assert process.wait() == 0
    assert result.read_text() == "restored"
