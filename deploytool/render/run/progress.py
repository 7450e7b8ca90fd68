"""The progress of a run: lines in a log, a live table on a terminal, and what GitHub shows."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from deploytool.core.ports import Clock
from deploytool.core.stacks.events import (
    Event,
    RunStarted,
    StackCancelled,
    StackDone,
    StackFailed,
    StackHeld,
    StackLeft,
    StackStarted,
    StackWaiting,
    Uploaded,
)
from deploytool.render.github import add_to_step_summary, annotation, on_github
from deploytool.render.run.lines import line_of
from deploytool.render.run.run_state import RunState
from deploytool.render.run.summary import summary
from deploytool.render.terminal import Terminal

# The live table shows these itself. A failure is not among them: a row has no room for its cause
IN_TABLE = (StackStarted, StackWaiting, StackHeld, StackDone, StackCancelled, Uploaded)
NAME_WIDTH = 30  # columns of a stack's name, until the run has named its stacks


class Progress:
    """A listener for the events of a run. It keeps the run's state and prints lines.

    `lines` is False where a table shows what it can; `github` asks for annotations.
    """

    def __init__(
        self, terminal: Terminal, run_state: RunState, *, lines: bool, github: bool
    ) -> None:
        self.run_state = run_state
        self._terminal = terminal
        self._lines = lines
        self._github = github
        self._width = NAME_WIDTH

    def __call__(self, event: Event) -> None:
        """Take in one event, and print what is worth a line."""
        self.run_state(event)
        if isinstance(event, RunStarted):
            self._width = max((len(str(node)) for node in event.nodes), default=0)

        line = line_of(event, self.run_state.started, self._width)
        in_table = not self._lines and isinstance(event, IN_TABLE)
        if line and not in_table:
            self._terminal.note(line)
        if self._github and isinstance(event, StackFailed | StackLeft):
            self._terminal.raw(annotation(event))

    def finish(self) -> None:
        """Print how many stacks needed nothing, when others did something."""
        counts = ", ".join(self.run_state.quiet_counts)
        if self._lines and counts and self.run_state.shown:
            seconds = self.run_state.now - self.run_state.started
            self._terminal.note(f"[dim]{seconds:7.1f} s  {counts}[/]")


@contextmanager
def progress(terminal: Terminal, clock: Clock, title: str) -> Iterator[Progress]:
    """Show the progress of a run while the context lasts. Yields the listener for its events.

    `title` heads the step summary on GitHub Actions, which is written even when the run fails.
    """
    run_state = RunState()
    listener = Progress(terminal, run_state, lines=not terminal.live, github=on_github())
    try:
        with _display(terminal, run_state, clock):
            try:
                yield listener
            finally:
                # Before the table draws its last frame
                run_state.close()
        listener.finish()
    finally:
        # A run that was refused before it started has no stacks to report
        if run_state.rows:
            add_to_step_summary(summary(run_state, title), terminal)


def _display(terminal: Terminal, run_state: RunState, clock: Clock) -> AbstractContextManager[None]:
    if not terminal.live:
        return nullcontext()
    # A log does not need what draws
    from deploytool.render.run.table import live_table  # noqa: PLC0415

    return live_table(terminal, run_state, clock)
