"""A movement on a terminal: the seconds, and where each name server and the client are."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploytool.core.failover.events import ClientServed, Event, MoveStarted, NameServerAnswered
from deploytool.render.failover.lines import CLIENT, MoveLines, answer_of
from deploytool.render.terminal import Terminal

REDRAWS = 4  # a second


@contextmanager
def live_table(terminal: Terminal) -> Iterator[Callable[[Event], None]]:
    """Show a movement on a terminal while the context lasts. Yields the listener for its events."""
    lines = MoveLines(terminal)
    display = LiveTable()

    def listen(event: Event) -> None:
        display(event)
        # The table shows the answers; everything else is a line above it
        if not isinstance(event, NameServerAnswered | ClientServed):
            lines(event)

    with Live(
        get_renderable=display.drawn,
        console=terminal.err,
        refresh_per_second=REDRAWS,
        transient=True,
    ):
        yield listen


class LiveTable:
    """Draws the present state of a movement. Another thread draws than the one that listens."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._started: MoveStarted | None = None
        self._now = 0.0
        self._answers: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        with self._lock:
            self._now = event.at
            match event:
                case MoveStarted():
                    self._started = event
                    self._answers = dict.fromkeys((*event.name_servers, CLIENT), "")
                case NameServerAnswered():
                    self._answers[event.name_server] = answer_of(event)
                case ClientServed():
                    self._answers[CLIENT] = answer_of(event)
                case _:
                    pass

    def drawn(self) -> RenderableType:
        """Draw the present state."""
        with self._lock:
            started = self._started
            now = self._now
            answers = dict(self._answers)
        if started is None:
            return Text("")

        expected = started.expected
        headline = (
            f"{now:.0f} s of expected {expected.dns:.0f} s (name servers)"
            f" and {expected.total:.0f} s (client)"
        )
        table = Table.grid(padding=(0, 2))
        for lane, answer in answers.items():
            style = "green" if answer == started.destination else "yellow"
            table.add_row(Text(lane), Text(answer or "asked", style=style))
        return Group(Text(headline, style="bold"), table)
