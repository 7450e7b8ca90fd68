"""A deployment as it happens: plain lines in a log, a table redrawn in place on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.markup import escape

from deploytool.core.events import (
    CertificateEvents,
    Emit,
    Event,
    RecordsRemoved,
    RunStarted,
    StackBegun,
    StackCancelled,
    StackDone,
    StackFailed,
    StackWaiting,
    Uploaded,
    ZoneDeleted,
)
from deploytool.core.graph import NodeId
from deploytool.core.ports import Clock
from deploytool.render.certificates import certificate_line, certificate_words
from deploytool.render.terminal import Terminal

if TYPE_CHECKING:
    from rich.table import Table

PAST = {"create": "created", "update": "updated", "delete": "deleted"}
MARKS = {
    "done": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "running": "[yellow]●[/]",
    "waiting": "[dim]·[/]",
    "cancelled": "[dim]-[/]",
}


def line_of(event: Event, started: float, width: int = 30) -> str | None:
    """One line for an event, with rich's markup; None for what needs none. `started` is the run's start."""
    if isinstance(event, CertificateEvents):
        return certificate_line(event, started, width)
    match event:
        case RunStarted():
            return None
        case StackBegun(at, node, action):
            text = f"{action} ..."
        case StackWaiting(at, node, status):
            text = f"[yellow]waits: it is {status} by someone else[/]"
        case StackDone(at, node, action, seconds, _):
            text = f"[green]{PAST[action]}[/] in {seconds:.1f} s" if action in PAST else f"[dim]{action}[/]"
        case StackFailed(at, node, cause, hint):
            text = f"[red]failed[/]: {escape(cause)}" + (f"\n{'':{width + 12}}{escape(hint)}" if hint else "")
        case StackCancelled(at, node, because):
            text = f"[dim]not started: needs {', '.join(map(str, because))}[/]"
        case Uploaded(at, node, key, size, there_already):
            text = f"[dim]code {key[:21]}... {'is there already' if there_already else f'stored ({size:,} bytes)'}[/]"
    return f"{at - started:7.1f} s  {node!s:{width}} {text}"


class _Lines:
    """Says each event as a line."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal, self.started, self.width = terminal, 0.0, 30

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.started, self.width = event.at, max((len(str(node)) for node in event.nodes), default=0)
        if line := line_of(event, self.started, self.width):
            self.terminal.note(line)


class _Table:
    """Keeps a row a stack; rich redraws it."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.started = clock, 0.0
        self.rows: dict[NodeId, tuple[str, float | None, str]] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted(at, nodes):
                self.started = at
                self.rows = dict.fromkeys(nodes, ("waiting", None, ""))
            case StackBegun(at, node, action):
                self.rows[node] = ("running", at, action)
            case StackWaiting(at, node, status):
                self.rows[node] = ("running", at, f"waits: {status} by someone else")
            case StackDone(_, node, action, seconds, _):
                self.rows[node] = ("done", None, f"{PAST[action]} in {seconds:.1f} s" if action in PAST else f"[dim]{action}[/]")
            case StackFailed(_, node, cause, hint):
                self.rows[node] = ("failed", None, f"[red]{escape(cause)}[/]" + (f"\n{escape(hint)}" if hint else ""))
            case StackCancelled(_, node, because):
                self.rows[node] = ("cancelled", None, f"[dim]needs {', '.join(map(str, because))}[/]")
            case Uploaded() | RecordsRemoved() | ZoneDeleted():
                pass
            case _:  # of a certificate: a row does not begin anew with what is said of it
                self.rows[event.node] = ("running", self.rows[event.node][1] or event.at, certificate_words(event))

    def __rich__(self) -> "Table":
        from rich.table import Table  # noqa: PLC0415  # only where a table is drawn

        table = Table(box=None, padding=(0, 1), show_header=False)
        for node, (state, since, text) in self.rows.items():
            running = f"{text} [yellow]{self.clock.now() - since:.0f} s[/]" if since is not None else text
            table.add_row(MARKS[state], node.stack, f"[dim]{node.region}[/]", running)
        return table


@contextmanager
def progress(terminal: Terminal, clock: Clock) -> Iterator[Emit]:
    """A listener for a deployment's events, for as long as it runs."""
    if not terminal.live:
        yield _Lines(terminal)
        return
    from rich.live import Live  # noqa: PLC0415  # only where a table is drawn

    table = _Table(clock)
    with Live(table, console=terminal.err, refresh_per_second=8):
        yield table
