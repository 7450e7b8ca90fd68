"""What GitHub Actions shows beside the log: annotations, and the summary of a step."""

import os
from pathlib import Path

from deploytool.core.stacks.events import StackFailed, StackLeft
from deploytool.render.markdown import text as markdown_text
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape


def on_github() -> bool:
    """Return whether this is a step of a GitHub workflow."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def add_to_step_summary(markdown: str, terminal: Terminal) -> None:
    """Append to the summary of the step, if this is a step of a GitHub workflow.

    When the summary cannot be written, the command goes on: its own result matters more.
    """
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file or not on_github():
        return
    try:
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(markdown)
    except OSError as error:
        terminal.note(f"[yellow]the step summary cannot be written: {escape(str(error))}[/]")


def annotation(event: StackFailed | StackLeft) -> str:
    """Return the workflow command that annotates a failure, or warns of a stack that was left.

    The runner reads commands from both streams of a step; ours go to standard error.
    """
    # The title is shown in bold, the message below it
    if isinstance(event, StackLeft):
        return f"::warning title={_property(f'{event.node} left')}::{_data(event.reason)}"
    message = event.cause
    if event.hint:
        message += f"\n{event.hint}"
    return f"::error title={_property(f'{event.node} failed')}::{_data(message)}"


def annotate_error(command: str, message: str, hint: str, terminal: Terminal) -> None:
    """Annotate the error that ended a command, and add it to the summary of the step.

    The page of a run shows both without its log.
    """
    text = f"{message}\n{hint}" if hint else message
    terminal.raw(f"::error title={_property(f'deploytool {command}')}::{_data(text)}")
    summary = [f"**deploytool {markdown_text(command)}**: {markdown_text(message)}"]
    if hint:
        summary.append(f"Fix: {markdown_text(hint)}")
    add_to_step_summary("\n\n".join(summary) + "\n", terminal)


def _data(value: str) -> str:
    """Escape a message as the runner unescapes it (actions/toolkit, command.ts)."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
