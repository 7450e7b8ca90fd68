"""A run as lines, as a table, and as GitHub shows it, from the same events."""

import contextlib
import os
import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.events import Event, RunStarted, StackDone, StackFailed, StackStarted
from deploytool.render.github import annotation
from deploytool.render.marks import State
from deploytool.render.run.gantt import gantt
from deploytool.render.run.outcome import outcome_document
from deploytool.render.run.progress import progress
from deploytool.render.run.run_state import Remaining, RunState
from deploytool.render.run.summary import summary
from deploytool.render.run.table import duration, last_line, table
from deploytool.render.terminal import Terminal
from deploytool.work.stacks.operations import Outcome

Check = Callable[[str, str], None]
API, ZONE = NodeId("api", "us-east-1"), NodeId("zone", "us-east-1")


class StoppedClock:
    """A clock at 110 s."""

    def now(self) -> float:
        return 110.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError


def run_state_of(events: tuple[Event, ...]) -> RunState:
    run_state = RunState()
    for event in events:
        run_state(event)
    return run_state


def drawn(run_state: RunState, now: float, width: int = 100, room: int = 30) -> str:
    stream = StringIO()
    Console(file=stream, width=width, no_color=True, soft_wrap=True, emoji=False).print(
        table(run_state, now, width, room)
    )
    return stream.getvalue()


def lines_of(events: tuple[Event, ...], capsys: pytest.CaptureFixture[str]) -> str:
    with progress(Terminal(), StoppedClock(), "Deploy hello, stage dev, on local") as show:
        for event in events:
            show(event)
    return capsys.readouterr().err


@pytest.fixture(autouse=True)
def _no_github(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GITHUB_ACTIONS",
        "GITHUB_STEP_SUMMARY",
        "FORCE_COLOR",
        "NO_COLOR",
        "TTY_COMPATIBLE",
        "TTY_INTERACTIVE",
    ):
        monkeypatch.delenv(name, raising=False)


def test_the_lines(
    whole: tuple[Event, ...], golden: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each event is a line; unchanged stacks are only counted; there are no cursor codes."""
    text = lines_of(whole, capsys)
    golden("lines.txt", text)
    assert "\x1b" not in text


def test_a_log_gets_lines_even_where_colour_is_forced(
    whole: tuple[Event, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """FORCE_COLOR gives a log colours, but no table that redraws itself; NO_COLOR prevails."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32m" in (text := lines_of(whole, capsys))
    assert not any(code in text for code in ("\x1b[1A", "\x1b[2K", "\x1b[?25l"))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in lines_of(whole, capsys)


def test_stacks_that_were_not_chosen_are_counted() -> None:
    """The count reads well for several stacks."""
    west = NodeId("api", "us-west-2")
    run_state = run_state_of(
        (
            RunStarted(0.0, (API, west), {}),
            StackDone(0.1, API, "left as it is", 0.0, {}),
            StackDone(0.1, west, "left as it is", 0.0, {}),
        )
    )
    assert run_state.quiet_counts == ["2 not chosen"]


def test_nothing_to_do_is_no_line_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no line, because the command itself prints a sentence."""
    events = (
        RunStarted(0.0, (API,), {API: frozenset()}),
        StackDone(0.1, API, "unchanged", 0.1, {}),
    )
    assert lines_of(events, capsys) == ""


def on_a_terminal(
    events: tuple[Event, ...], monkeypatch: pytest.MonkeyPatch, kind: str = "xterm"
) -> str:
    """Return what a terminal of 100 columns receives during a run of these events."""
    read, write = os.openpty()
    received: list[bytes] = []

    def receive() -> None:
        with contextlib.suppress(OSError):  # Linux raises it when the other end is closed
            while data := os.read(read, 65536):
                received.append(data)

    reader = threading.Thread(target=receive)
    reader.start()
    with os.fdopen(write, "w") as stream, monkeypatch.context() as patch:
        for name, value in {"TERM": kind, "COLUMNS": "100", "LINES": "30"}.items():
            patch.setenv(name, value)
        patch.setattr("sys.stderr", stream)
        with progress(Terminal(), StoppedClock(), "") as show:
            for event in events:
                show(event)
    reader.join()
    os.close(read)
    return b"".join(received).decode()


def test_a_terminal_gets_the_table_and_the_whole_cause(
    whole: tuple[Event, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is redrawn in place. Above it is the cause of the failure, and nothing else.

    A row has no room for a whole cause, but it shows everything else.
    """
    text = on_a_terminal(whole, monkeypatch)
    assert "\x1b[1A" in text
    assert "secret:x" in text
    assert "1 failed, 1 not started, 6 done, 1 unchanged" in text
    assert "not started: needs" not in text


def test_a_terminal_keeps_nothing_of_a_run_that_did_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last frame is removed, because the command itself prints a sentence."""
    events = (
        RunStarted(0.0, (API,), {API: frozenset()}),
        StackDone(0.1, API, "unchanged", 0.1, {}),
    )
    last = on_a_terminal(events, monkeypatch).rpartition("1 unchanged")[2]
    assert last.endswith("\x1b[1A\x1b[2K")


def test_a_dumb_terminal_gets_lines(
    whole: tuple[Event, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal that cannot move its cursor gets lines without cursor codes."""
    text = on_a_terminal(whole, monkeypatch, "dumb")
    assert text.count("created") == 4
    assert "\x1b[1A" not in text


def test_the_table_in_the_middle(half: tuple[Event, ...], golden: Check) -> None:
    """The table has marks, times, what each stack waits for, and the least time that remains."""
    golden("table-half.txt", drawn(run_state_of(half), 110.0))


def test_the_table_at_the_end(whole: tuple[Event, ...], golden: Check) -> None:
    """The table has the cause of a failure on one line, and why a stack was not started."""
    golden("table-end.txt", drawn(run_state_of(whole), 216.0))


def test_a_small_terminal_shows_what_is_urgent(whole: tuple[Event, ...], golden: Check) -> None:
    """Failed and running stacks are shown, in the graph's order, and the others are counted.

    The table is not wider or higher than the terminal.
    """
    text = drawn(run_state_of(whole[:-2]), 170.0, width=60, room=6)
    golden("table-small.txt", text)
    assert len(text.splitlines()) <= 6
    assert max(map(len, text.splitlines())) <= 60


def test_the_step_summary(whole: tuple[Event, ...], golden: Check) -> None:
    """The summary has first causes, a row for each stack, what was not started, and a chart."""
    golden("summary.md", summary(run_state_of(whole), "Deploy hello, stage dev, on local"))


def test_github_gets_an_annotation_and_a_summary(
    whole: tuple[Event, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The annotation is a line in the log; the summary is appended to what the step wrote."""
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    lines = lines_of(whole, capsys).splitlines()
    assert [line for line in lines if line.startswith("::error ")] == [
        (
            "::error title=lambda@us-east-1 failed::Function (AWS::Lambda::Function): the role cannot be assumed: 100%25 [no]%0A"
            "see arn:aws:secretsmanager:us-east-1:1:secret:x%0Afix the role, then deploy again"
        )
    ]
    assert file.read_text().startswith("before\n### Deploy hello")


def test_a_summary_that_cannot_be_written_fails_nothing(
    whole: tuple[Event, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The run reports it and goes on."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "summary.md"))
    assert "cannot be written" in lines_of(whole, capsys)


def test_an_annotations_title_cannot_end_early() -> None:
    """Colons and commas, which would end a title, are escaped."""
    assert (
        annotation(StackFailed(0.0, NodeId("a:b,c", "r"), "x"))
        == "::error title=a%3Ab%2Cc@r failed::x"
    )


def test_an_interrupted_run_has_a_chart_too(half: tuple[Event, ...]) -> None:
    """A stack that is still running is drawn up to the last event."""
    chart = gantt(run_state_of(half))
    assert "    zone 4.8 s :active, 2000-01-01 00:00:00.200, 2000-01-01 00:00:05.000" in chart


def test_a_stopped_run_lists_what_was_not_started(half: tuple[Event, ...]) -> None:
    """The summary lists the stacks that were waiting, and no remaining time is shown."""
    run_state = run_state_of(half)
    run_state.close()
    assert [str(row.node) for row in run_state.in_state(State.NOT_STARTED)] == [
        "api@us-west-2",
        "certificate@us-east-1",
        "lambda@us-west-2",
        "mapping@us-east-1",
        "mapping@us-west-2",
    ]
    assert last_line(run_state, 110.0) == "10 s: 2 running, 5 not started, 1 done, 1 unchanged"
    assert "- **api@us-west-2**\n" in summary(run_state, "x")


def test_a_run_in_which_nothing_began_has_no_chart() -> None:
    """There are no lines, because Mermaid refuses an empty chart."""
    assert gantt(RunState()) == []


def test_the_remaining_time_is_that_of_the_longest_chain() -> None:
    """It is the least when a duration is unknown. A stack takes as long as its twin elsewhere."""
    west = NodeId("api", "us-west-2")
    run_state = run_state_of(
        (
            RunStarted(
                0.0,
                (ZONE, API, west),
                {ZONE: frozenset(), API: frozenset(), west: frozenset({ZONE})},
            ),
            StackStarted(0.0, ZONE, "create", 30.0),
        )
    )
    assert run_state.remaining(10.0) == Remaining(20.0, exact=False)
    run_state(StackStarted(10.0, API, "create", 5.0))
    assert run_state.remaining(10.0) == Remaining(25.0, exact=True)
    assert last_line(run_state, 10.0) == "10 s, about 25 s more: 2 running, 1 waiting"


def test_a_result_has_the_start_and_the_duration_of_each_stack(whole: tuple[Event, ...]) -> None:
    """Starts count from that of the run; both are null where nothing was done."""
    unchanged, created = NodeId("bucket", "us-east-1"), NodeId("zone", "us-east-1")
    outcome = Outcome(
        done={unchanged: "unchanged", created: "create"},
        failed={NodeId("lambda", "us-east-1"): "x"},
        outputs={unchanged: {}, created: {}},
    )
    document = outcome_document(outcome, run_state_of(whole))
    times = [
        (stack["stack"], stack["started"], stack["seconds"])
        for stack in (*document["stacks"], *document["failed"])
    ]
    assert times == [("bucket", None, None), ("zone", 0.2, 36.8), ("lambda", 5.0, 12.0)]


def test_a_stack_that_is_created_anew_began_when_its_deletion_did() -> None:
    """The two operations are one row."""
    events = (
        RunStarted(0.0, (API,), {API: frozenset()}),
        StackStarted(1.0, API, "delete the failed creation"),
        StackStarted(5.0, API, "create"),
        StackDone(9.0, API, "create", 9.0, {}),
    )
    row = run_state_of(events).rows[API]
    assert (row.state, row.begun, row.seconds(99.0)) == (State.DONE, 1.0, 8.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.96, "10 s"), (59.6, "1:00"), (185, "3:05"), (3725, "1:02:05")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    """A duration has tenths of a second only below ten seconds."""
    assert duration(seconds) == text
