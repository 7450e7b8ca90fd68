"""A drill on a terminal: the phase and its bound, the serving region, and each lane's answers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploytool.core.drill.history import DnsAnswered, DrillStarted, Event, HealthSeen, Served
from deploytool.render.drill.lines import DrillLines
from deploytool.render.drill.strips import FAILED, OTHER, PRIMARY, SECONDARY, UNKNOWN, Strips
from deploytool.render.terminal import Terminal

LEAST_ANSWERS = 10  # of a lane that are shown, even on a narrow terminal
MOST_LABEL = 36  # characters of a lane's name
REDRAWS = 8  # a second
STYLES = {
    PRIMARY: "bright_white on blue",
    SECONDARY: "black on yellow",
    OTHER: "black on magenta",
    UNKNOWN: "dim",
    FAILED: "bold red reverse",
}


@contextmanager
def live_strips(terminal: Terminal) -> Iterator[Callable[[Event], None]]:
    """Show a drill on a terminal while the context lasts. Yields the listener for its events."""
    lines = DrillLines(terminal)
    display = LiveStrips(lambda: terminal.err.width)

    def listen(event: Event) -> None:
        display(event)
        # The strips show the probes; everything else is a line above them
        if not isinstance(event, Served | DnsAnswered | HealthSeen):
            lines(event)

    with Live(
        get_renderable=display.drawn,
        console=terminal.err,
        refresh_per_second=REDRAWS,
        transient=True,
    ):
        yield listen


class LiveStrips:
    """Draws the strips of a drill.

    The threads that probe hand in events. Another thread draws, a few times a second. `width`
    returns the terminal's width in characters: where a strip does not fit, its oldest answers are
    left out.
    """

    def __init__(self, width: Callable[[], int]) -> None:
        self._width = width
        self._strips = Strips()
        # Reentrant: a signal handler that prints may draw in the middle of an event
        self._lock = threading.RLock()

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        with self._lock:
            self._strips(event)

    def drawn(self) -> RenderableType:
        """Draw the present state."""
        # Copy under the lock and draw after it, so that the probes do not wait for the terminal
        with self._lock:
            started = self._strips.started
            headline = self._strips.headline
            health = self._strips.health
            lanes = self._strips.lanes
        if started is None:
            return Text("")
        return Group(
            Text(headline, style="bold"), Text(health), self._table(lanes), _legend(started)
        )

    def _table(self, lanes: dict[str, str]) -> Table:
        longest = max((len(lane) for lane in lanes), default=0)
        label_width = min(longest, MOST_LABEL)
        room = max(self._width() - label_width - 2, LEAST_ANSWERS)

        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, overflow="ellipsis", width=label_width)
        table.add_column(no_wrap=True, overflow="crop")
        for lane, strip in lanes.items():
            table.add_row(lane, _coloured(strip[-room:]))
        return table


def _legend(started: DrillStarted) -> Text:
    meanings = {
        PRIMARY: started.primary,
        SECONDARY: started.secondary,
        FAILED: "failed",
        UNKNOWN: "not known yet",
    }
    parts = [
        Text.assemble((symbol, STYLES[symbol]), f" {meaning}")
        for symbol, meaning in meanings.items()
    ]
    return Text("  ").join(parts)


def _coloured(strip: str) -> Text:
    """Return a strip with each symbol in its colour."""
    text = Text()
    for symbol, run in groupby(strip):
        text.append("".join(run), STYLES[symbol])
    return text
