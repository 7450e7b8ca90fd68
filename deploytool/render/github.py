"""What GitHub Actions shows beside the log: an annotation a failure, and the step summary."""

import os
from collections.abc import Iterator
from pathlib import Path

from rich.markup import escape

from deploytool.core.stacks.events import StackFailed
from deploytool.render.markdown import code, table, text
from deploytool.render.run.gantt import gantt
from deploytool.render.run.run_state import Row, RunState, State
from deploytool.render.terminal import Terminal

MARKS = {
    State.DONE: "✓",
    State.FAILED: "✗",
    State.NOT_STARTED: "-",
    State.WAITING: "-",
    State.RUNNING: "●",
    State.BLOCKED: "‖",
}


def on_github() -> bool:
    """Whether this is a step of a GitHub workflow."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def add_to_step_summary(markdown: str, terminal: Terminal) -> None:
    """Append to what earlier commands of the step wrote. A summary that cannot be written is no
    reason to fail a command.
    """
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not (file and on_github()):
        return
    try:
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(markdown)
    except OSError as error:
        terminal.note(f"[yellow]the step summary cannot be written: {escape(str(error))}[/]")


def annotation(event: StackFailed) -> str:
    """The workflow command for a failure. The runner reads commands from both streams of a step;
    ours go to standard error.
    """
    said = f"{event.cause}\n{event.hint}" if event.hint else event.cause
    return f"::error title={_property(f'{event.node} failed')}::{_data(said)}"


def _data(value: str) -> str:
    """Escaped as the runner unescapes it (actions/toolkit, command.ts)."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def summary(board: RunState, title: str) -> str:
    """The step summary of a run, to be appended to what the step has written already."""
    return "\n".join(_summary(board, title)) + "\n"


def _summary(board: RunState, title: str) -> Iterator[str]:
    yield f"### {text(title)}\n"
    if not board.shown:
        yield f"Nothing to do: {', '.join(board.quiet)}.\n"
        return
    for row in board.of(State.FAILED):
        yield (
            f"> [!CAUTION]\n> **{row.node}** failed: {text(row.note)}"
            + (f"<br>{text(row.hint)}" if row.hint else "")
            + "\n"
        )
    yield from table(
        ("", "stack", "region", "action", "seconds"), (_row(board, row) for row in board.shown)
    )
    if board.quiet:
        yield f"{', '.join(board.quiet)}.\n"
    not_started = board.of(State.NOT_STARTED)
    if not_started:
        yield "Not started:\n"
        yield from (
            f"- **{row.node}**"
            + (f", which needs {', '.join(map(str, row.needs))}" if row.needs else "")
            for row in not_started
        )
        yield ""
    picture = gantt(board)
    if picture:
        yield "\n".join(["```mermaid", *picture, "```", ""])


def _row(board: RunState, row: Row) -> tuple[str, ...]:
    seconds = row.seconds(board.now)
    return (
        code(MARKS[row.state]),
        row.node.stack,
        row.node.region,
        row.said,
        "" if seconds is None else f"{seconds:.1f}",
    )
