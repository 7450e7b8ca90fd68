"""A drill as lines of a log: the phases, the fault, and each lane that moves to another region."""

from deploytool.core.drill.history import (
    DnsAnswered,
    DrillAborted,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    PhaseBegan,
    Served,
    SwitchHeld,
    SwitchMetricFailed,
    SwitchReleased,
    SwitchReleasing,
)
from deploytool.core.drill.live_state import AddressBook
from deploytool.render.drill.timeline import sentence
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape

LANE_WIDTH = 36  # columns of a lane's name


class DrillLines:
    """A listener for the events of a drill that prints a line for each notable one."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._book = AddressBook()
        self._regions: dict[str, str | None] = {}  # the last region of each lane

    def __call__(self, event: Event) -> None:
        """Take in one event, and print it if it is notable."""
        self._book.learn(event)
        match event:
            case Served():
                region = event.region if event.good else None
                self._report_move(event.lane, event.at, region)
            case DnsAnswered():
                region = self._book.region_of(event.addresses)
                # Before a region has served from an address, the address belongs to no region
                if region or event.lane in self._regions:
                    self._report_move(event.lane, event.at, region)
            case _:
                text = _styled(event)
                if text:
                    self._report(event.at, text)

    def _report_move(self, lane: str, at: float, region: str | None) -> None:
        """Print a line when the region of a lane changes. Its first region is no change."""
        if lane in self._regions and self._regions[lane] != region:
            before = self._regions[lane] or "no answer"
            after = region or "no answer"
            self._report(at, f"  {escape(lane):{LANE_WIDTH}} {before} -> [bold]{after}[/]")
        self._regions[lane] = region

    def _report(self, at: float, text: str) -> None:
        self._terminal.note(f"{at:7.1f} s  {text}")


def _styled(event: Event) -> str:
    """Return the sentence of an event in the style of the event; empty when it has none."""
    text = escape(sentence(event))
    style = _style(event)
    if not text or not style:
        return text
    return f"[{style}]{text}[/]"


def _style(event: Event) -> str:
    match event:
        case DrillStarted() | PhaseBegan() | FaultInjecting() | SwitchReleasing():
            return "bold"
        case FaultInjected() | SwitchHeld() | SwitchMetricFailed():
            return "yellow"
        case FaultRestored(_, verified) | SwitchReleased(_, verified):
            return "green" if verified else "red"
        case DrillAborted():
            return "red"
        case _:
            return ""
