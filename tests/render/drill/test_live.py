"""The progress of a drill: strips on a terminal, which is left as it was, and lines in a log."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from deploytool.core.drill.history import Event
from deploytool.render.drill.live import LiveStrips
from deploytool.render.drill.progress import drill_progress
from deploytool.render.drill.strips import MOST_ANSWERS, Strips
from deploytool.render.terminal import Terminal

History = Callable[..., list[Event]]


def drawn(strips: LiveStrips, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, record=True, color_system=None)
    console.print(strips.drawn())
    return console.export_text()


def test_it_shows_phase_bound_server_and_the_last_answers(history: History) -> None:
    """A second after the client has moved, all of them are shown, with a legend."""
    strips = LiveStrips(lambda: 120)
    for event in history(failing=True, until=60.0):
        strips(event)
    lines = drawn(strips).splitlines()
    assert (
        lines[0].strip()
        == "59.8 s  waiting for the failover, 40 s of expected 65 s; served by us-west-2"
    )
    assert lines[1] == "health check: 2 of 2 checkers report healthy"
    rows = {line.split()[0]: line.split()[1] for line in lines[2:-1]}
    assert rows["client:fresh"] == "P" * 48 + "xxx" + "P" * 5 + "SS"
    assert rows["name-server:ns-2"].endswith("P" + "S" * 38)
    assert lines[-1].split() == [
        "P",
        "us-east-1",
        "S",
        "us-west-2",
        "x",
        "failed",
        "?",
        "not",
        "known",
        "yet",
    ]


def test_a_narrow_terminal_keeps_the_newest_answers(history: History) -> None:
    """The oldest answers are left out, and no strip is longer than the number that is kept."""
    strips = LiveStrips(lambda: 50)
    for event in history(until=60.0):
        strips(event)
    (line,) = (row for row in drawn(strips, 50).splitlines() if row.startswith("client:fresh"))
    assert line.rstrip().endswith("PSS")
    wide = LiveStrips(lambda: 200)
    for event in history():
        wide(event)
    (line,) = (row for row in drawn(wide, 200).splitlines() if row.startswith("client:fresh"))
    assert len(line.split()[1]) == MOST_ANSWERS


@pytest.mark.parametrize(
    ("until", "phase"),
    [
        (19.95, "injecting the fault, 0 s;"),
        (20.05, "injecting the fault, 0 s;"),
        (30.0, "waiting for the failover, 10 s of expected 65 s;"),
        (79.95, "restoring, 0 s;"),
        (100.0, "waiting for the failback, 20 s of expected 65 s;"),
    ],
)
def test_the_headline_names_the_phase(history: History, until: float, phase: str) -> None:
    """It has the seconds since the phase began, and the bound of a movement."""
    strips = Strips()
    for event in history(until=until):
        strips(event)
    assert phase in strips.headline


class ATerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_interrupt_leaves_the_terminal_as_it_was(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C in the middle of a drill the cursor is shown again."""
    stream = ATerminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()

    def drill() -> None:
        with drill_progress(terminal) as listen:
            for event in history(until=60.0):
                listen(event)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drill()
    assert stream.getvalue().count("\x1b[?25l") == stream.getvalue().count("\x1b[?25h") == 1


def test_a_log_gets_lines(history: History) -> None:
    """Where nothing can be redrawn, each notable event and each lane that moves is a line."""
    terminal = Terminal()
    stream = io.StringIO()
    terminal.__dict__["err"] = Console(file=stream, width=160)
    with drill_progress(terminal) as listen:
        for event in history():
            listen(event)
    lines = stream.getvalue().splitlines()
    assert "the fault is in force" in stream.getvalue()
    assert sum("client:fresh" in line for line in lines) == 2
