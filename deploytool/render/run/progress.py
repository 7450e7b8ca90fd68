"""A run as it happens: plain lines in a log, a table redrawn in place on a terminal, and what
GitHub shows beside the log.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.markup import escape

from deploytool.core.ports import Clock
from deploytool.core.stacks.events import (
    CancelRequested,
    CertificateEvents,
    Detached,
    Event,
    LockWaited,
    RolloutEvents,
    RunStarted,
    StackCancelled,
    StackDone,
    StackFailed,
    StackHeld,
    StackStarted,
    StackWaiting,
    StopRequested,
    Uploaded,
)
from deploytool.render.github import add_to_step_summary, annotation, on_github, summary
from deploytool.render.run.certificates import certificate_line
from deploytool.render.run.rollout import rollout_line
from deploytool.render.run.run_state import PAST, RunState
from deploytool.render.terminal import Terminal

TABLED = (
    StackStarted,
    StackWaiting,
    StackHeld,
    StackDone,
    StackCancelled,
    Uploaded,
)  # the table shows these; not a failure's whole cause


def line_of(event: Event, started: float, width: int = 30) -> str | None:
    """One line for an event, with rich's markup; None for what needs none. `started` is the run's
    start.
    """
    if isinstance(event, CertificateEvents):
        return certificate_line(event, started, width)
    if isinstance(event, RolloutEvents):
        return rollout_line(event, started, width)
    match event:
        case LockWaited() | StopRequested() | CancelRequested() | Detached():
            return run_line(event)
        case StackStarted():
            said = (
                f"{event.action}, which an earlier run began ..."
                if event.resumed
                else f"{event.action} ..."
            )
            said += f" [dim](about {event.expected:.0f} s)[/]" if event.expected else ""
        case StackWaiting():
            said = f"[yellow]waits: it is {event.status} by someone else[/]"
            said += f" [dim]({escape(event.holder)})[/]" if event.holder else ""
        case StackDone(action=action) if action in PAST:
            said = f"[green]{PAST[action]}[/] in {event.seconds:.1f} s"
        case StackFailed():
            said = f"[red]failed[/]: {escape(' '.join(event.cause.split()))}" + (
                f"\n{'':{width + 12}}{escape(event.hint)}" if event.hint else ""
            )
        case StackCancelled():
            said = f"[dim]not started: needs {', '.join(map(str, event.because))}[/]"
        case Uploaded():
            where = "is there already" if event.there_already else f"stored ({event.size:,} bytes)"
            said = f"[dim]code {event.key[:21]}... {where}[/]"
        case _:
            return None
    return f"{event.at - started:7.1f} s  {event.node!s:{width}} {said}"


def run_line(event: LockWaited | StopRequested | CancelRequested | Detached) -> str:
    """What concerns the whole run, with what the user's next interrupt does."""
    match event:
        case LockWaited(_, holder):
            return f"[yellow]waits: this stage is being deployed by {escape(holder)}[/]"
        case StopRequested(_, nodes):
            runs = f"{len(nodes)} operations run on" if nodes else "nothing runs"
            return f"[yellow]stopping: nothing more is begun, {runs}. Ctrl-C again cancels them.[/]"
        case CancelRequested(_, nodes):
            return (
                f"[yellow]cancelling {len(nodes)} operations: updates are rolled back, creations deleted. "
                "Ctrl-C again leaves them to CloudFormation.[/]"
            )
        case Detached(_, nodes):
            left = ", ".join(map(str, nodes)) or "nothing"
            return f"[yellow]left to CloudFormation: {left}. Run the same command again: it takes them up where they are.[/]"


class Progress:
    """Listens to a run's events: keeps the board, and says what this terminal can show."""

    def __init__(self, terminal: Terminal, board: RunState, *, lines: bool, github: bool) -> None:
        self.terminal, self.board, self.lines, self.github = terminal, board, lines, github
        self.width = 30

    def __call__(self, event: Event) -> None:
        self.board(event)
        if isinstance(event, RunStarted):
            self.width = max((len(str(node)) for node in event.nodes), default=0)
        line = line_of(event, self.board.started, self.width)
        if line and (self.lines or not isinstance(event, TABLED)):
            self.terminal.note(line)
        if self.github and isinstance(event, StackFailed):
            self.terminal.raw(annotation(event))

    def ended(self) -> None:
        """Say how many stacks needed nothing, when others did."""
        quiet = self.board.quiet
        if self.lines and quiet and self.board.shown:
            self.terminal.note(
                f"[dim]{self.board.now - self.board.started:7.1f} s  {', '.join(quiet)}[/]"
            )


@contextmanager
def progress(terminal: Terminal, clock: Clock, title: str) -> Iterator[Progress]:
    """A listener for a run's events, for as long as it runs. `title` heads the step summary that
    GitHub Actions shows.
    """
    board = RunState()
    listener = Progress(terminal, board, lines=not terminal.live, github=on_github())
    try:
        with _display(terminal, board, clock):
            try:
                yield listener
            finally:
                board.close()
        listener.ended()
    finally:
        if board.rows:
            add_to_step_summary(summary(board, title), terminal)


def _display(terminal: Terminal, board: RunState, clock: Clock) -> AbstractContextManager[None]:
    if not terminal.live:
        return nullcontext()
    from deploytool.render.run.table import live_table  # noqa: PLC0415  # only where a table is drawn

    return live_table(terminal, board, clock)
