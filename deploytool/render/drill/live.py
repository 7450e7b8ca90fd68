"""A drill as it happens on a terminal: the phase and its bound, who serves, and each lane's last
answers as a strip.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING

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
from deploytool.render.drill.result import DrillProgress
from deploytool.render.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

STRIP, MOST_LABEL = 60, 36  # answers of a lane that are shown, and characters of its name
REDRAWS = 8  # a second
PRIMARY, SECONDARY, OTHER, UNKNOWN, FAILED = "P", "S", "O", "?", "x"
STYLES = {
    PRIMARY: "bright_white on blue",
    SECONDARY: "black on yellow",
    OTHER: "black on magenta",
    UNKNOWN: "dim",
    FAILED: "bold red reverse",
}


@contextmanager
def drill_progress(terminal: Terminal) -> Iterator[Callable[[Event], None]]:
    """A listener for a drill's events, for as long as it runs: strips on a terminal, lines
    elsewhere.
    """
    lines = DrillProgress(terminal)
    if not terminal.live:
        yield lines
        return
    from rich.live import Live  # noqa: PLC0415  # only where something is redrawn

    strips = Strips(lambda: terminal.err.width)

    def listen(event: Event) -> None:
        strips(event)
        # Marks stay as lines above the strips
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
    """Takes events in from the threads that probe, in constant time each; drawn by another thread,
    a few times a second.

    `width` tells the terminal's, in characters: what does not fit is the oldest part of a strip.
    """

    def __init__(self, width: Callable[[], int]) -> None:
        self._width = width
        # A signal handler that prints may draw in the middle of an event
        self._lock = threading.RLock()
        self._lanes: dict[str, deque[str]] = {}
        self._book = AddressBook()
        self._health: HealthView | None = None
        self._started: DrillStarted | None = None
        self._at = self._since = 0.0
        self._phase, self._bound, self._serves = "", 0.0, "nobody yet"

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        with self._lock:
            self._at = max(self._at, event.at)
            self._book.learn(event)
            match event:
                case Served():
                    self._append(event.lane, self._symbol(event.region) if event.good else FAILED)
                    if event.lane == FRESH:
                        self._serves = (
                            event.region
                            if event.good and event.region
                            else "nobody: the last request failed"
                        )
                case DnsAnswered():
                    region = self._book.region_of(event.addresses)
                    self._append(event.lane, self._symbol(region) if event.addresses else FAILED)
                case HealthSeen() if self._health:
                    self._health.observe(event)
                case DrillStarted():
                    config = event.health_check.config
                    self._started, self._health = event, HealthView(config)
                    self._bound = expected_failover(config, by_inverting=event.by_inverting).total
                case _:
                    self._mark(event)

    def _append(self, lane: str, symbol: str) -> None:
        self._lanes.setdefault(lane, deque(maxlen=STRIP)).append(symbol)

    def _symbol(self, region: str | None) -> str:
        if region is None or self._started is None:
            return UNKNOWN
        return {self._started.primary: PRIMARY, self._started.secondary: SECONDARY}.get(
            region, OTHER
        )

    def _mark(self, event: Event) -> None:
        match event:
            case PhaseBegan(at, phase):
                self._phase, self._since = f"waiting for the {phase.replace('-', ' ')}", at
            case FaultInjecting():
                self._phase, self._since = "injecting the fault", event.at
            case FaultInjected() | FaultRestored():
                self._since = event.at
            case FaultRestoring():
                self._phase, self._since = "restoring", event.at
            case _:
                pass

    def drawn(self) -> "RenderableType":
        """What the terminal shows now."""
        from rich.console import Group  # noqa: PLC0415  # only where something is redrawn
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        with self._lock:
            started, lanes = (
                self._started,
                {lane: "".join(strip) for lane, strip in sorted(self._lanes.items())},
            )
            head, health = self._head(), self._health.checkers if self._health else (0, 0)
        if started is None:
            return Text("")
        table = Table.grid(padding=(0, 1))
        label = min(max(map(len, lanes), default=0), MOST_LABEL)
        table.add_column(no_wrap=True, overflow="ellipsis", width=label)
        table.add_column(no_wrap=True, overflow="crop")
        for lane, strip in lanes.items():
            table.add_row(lane, _coloured(strip[-max(self._width() - label - 2, 10) :]))
        words = {
            PRIMARY: started.primary,
            SECONDARY: started.secondary,
            FAILED: "failed",
            UNKNOWN: "not known yet",
        }
        legend = Text("  ").join(
            Text.assemble((symbol, STYLES[symbol]), f" {word}") for symbol, word in words.items()
        )
        checkers = Text(f"health check: {health[0]} of {health[1]} checkers say healthy")
        return Group(Text(head, style="bold"), checkers, table, legend)

    def _head(self) -> str:
        waited = self._at - self._since
        bound = (
            f" of at most {self._bound:.0f} s"
            if self._phase.endswith(("failover", "failback"))
            else ""
        )
        return f"{self._at:7.1f} s  {self._phase}, {waited:.0f} s{bound}; served by {self._serves}"


def _coloured(strip: str) -> "Text":
    """A strip, each symbol in its colour."""
    from rich.text import Text  # noqa: PLC0415  # only where something is redrawn

    return Text.assemble(*(("".join(run), STYLES[symbol]) for symbol, run in groupby(strip)))
