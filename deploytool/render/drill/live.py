"""A drill on a terminal: the phase and its bound, the serving region, and each lane's answers."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploytool.core.drill.history import (
    FRESH,
    DnsAnswered,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    HealthSeen,
    PhaseBegan,
    Served,
)
from deploytool.core.drill.live_state import AddressBook, HealthView
from deploytool.core.route53.timing import expected_failover
from deploytool.render.drill.lines import DrillLines
from deploytool.render.drill.timeline import waiting_for
from deploytool.render.terminal import Terminal

MOST_ANSWERS = 60  # of a lane that are kept
LEAST_ANSWERS = 10  # of a lane that are shown, even on a narrow terminal
MOST_LABEL = 36  # characters of a lane's name
REDRAWS = 8  # a second

PRIMARY = "P"
SECONDARY = "S"
OTHER = "O"
UNKNOWN = "?"
FAILED = "x"
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
    strips = Strips(lambda: terminal.err.width)

    def listen(event: Event) -> None:
        strips(event)
        # The strips show the probes; everything else is a line above them
        if not isinstance(event, Served | DnsAnswered | HealthSeen):
            lines(event)

    with Live(
        get_renderable=strips.drawn,
        console=terminal.err,
        refresh_per_second=REDRAWS,
        transient=True,
    ):
        yield listen


class Strips:
    """The last answers of each lane, a symbol for each answer.

    The threads that probe hand in events, each in constant time. Another thread draws, a few times
    a second. `width` returns the terminal's width in characters: where a strip does not fit, its
    oldest answers are left out.
    """

    def __init__(self, width: Callable[[], int]) -> None:
        self._width = width
        # Reentrant: a signal handler that prints may draw in the middle of an event
        self._lock = threading.RLock()
        self._started: DrillStarted | None = None
        self._health: HealthView | None = None
        self._book = AddressBook()
        self._lanes: dict[str, deque[str]] = {}
        self._phase = ""
        self._phase_start = 0.0
        self._now = 0.0  # the second of the latest event
        self._bound = 0.0  # seconds that a failover takes at most
        self._served_by = "no region yet"

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        with self._lock:
            # Events of several threads arrive in any order
            self._now = max(self._now, event.at)
            self._book.learn(event)
            match event:
                case DrillStarted():
                    self._start(event)
                case Served():
                    self._take_request(event)
                case DnsAnswered():
                    region = self._book.region_of(event.addresses)
                    symbol = self._symbol(region) if event.addresses else FAILED
                    self._append(event.lane, symbol)
                case HealthSeen() if self._health:
                    self._health.observe(event)
                case _:
                    self._change_phase(event)

    def _start(self, event: DrillStarted) -> None:
        config = event.health_check.config
        self._started = event
        self._health = HealthView(config)
        self._bound = expected_failover(config, by_inverting=event.by_inverting).total

    def _take_request(self, event: Served) -> None:
        symbol = self._symbol(event.region) if event.good else FAILED
        self._append(event.lane, symbol)
        if event.lane != FRESH:
            return
        if event.good and event.region:
            self._served_by = event.region
        else:
            self._served_by = "no region: the last request failed"

    def _append(self, lane: str, symbol: str) -> None:
        strip = self._lanes.setdefault(lane, deque(maxlen=MOST_ANSWERS))
        strip.append(symbol)

    def _symbol(self, region: str | None) -> str:
        if region is None or self._started is None:
            return UNKNOWN
        if region == self._started.primary:
            return PRIMARY
        if region == self._started.secondary:
            return SECONDARY
        return OTHER

    def _change_phase(self, event: Event) -> None:
        match event:
            case PhaseBegan(_, phase):
                self._phase = waiting_for(phase)
            case FaultInjecting():
                self._phase = "injecting the fault"
            case FaultRestoring():
                self._phase = "restoring"
            case FaultInjected() | FaultRestored():
                # The phase that follows is waited for from now on
                pass
            case _:
                return
        self._phase_start = event.at

    def drawn(self) -> RenderableType:
        """Draw the present state."""
        # Copy under the lock and draw after it, so that the probes do not wait for the terminal
        with self._lock:
            started = self._started
            lanes = {lane: "".join(self._lanes[lane]) for lane in sorted(self._lanes)}
            head = self._head()
            health = self._health_line()
        if started is None:
            return Text("")
        return Group(
            Text(head, style="bold"),
            Text(health),
            self._table(lanes),
            _legend(started),
        )

    def _head(self) -> str:
        waited = f"{self._now - self._phase_start:.0f} s"
        # The steady state has no bound
        if self._phase in (waiting_for("failover"), waiting_for("failback")):
            waited += f" of at most {self._bound:.0f} s"
        return f"{self._now:7.1f} s  {self._phase}, {waited}; served by {self._served_by}"

    def _health_line(self) -> str:
        if self._health is None:
            return ""
        healthy, checkers = self._health.checkers
        return f"health check: {healthy} of {checkers} checkers report healthy"

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
