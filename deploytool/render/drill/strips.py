"""The state that a terminal shows of a drill: its phase, and the last answers of each lane."""

from collections import deque

from deploytool.core.drill.bounds import expected_movements
from deploytool.core.drill.history import (
    FRESH_CLIENT,
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
    SwitchReleased,
    SwitchReleasing,
)
from deploytool.core.drill.live_state import AddressBook, HealthView
from deploytool.render.drill.timeline import waiting_for

MOST_ANSWERS = 60  # of a lane that are kept

# The symbol of an answer: by the primary, the secondary, another region, an unknown one, or none
PRIMARY = "P"
SECONDARY = "S"
OTHER = "O"
UNKNOWN = "?"
FAILED = "x"


class Strips:
    """The phase of a drill, and a strip for each lane: a symbol for each of its last answers.

    It takes in each event in constant time.
    """

    def __init__(self) -> None:
        self.started: DrillStarted | None = None
        self._health: HealthView | None = None
        self._book = AddressBook()
        self._lanes: dict[str, deque[str]] = {}
        self._phase = ""
        self._phase_start = 0.0
        self._now = 0.0  # the second of the latest event
        self._bounds: dict[str, float] = {}  # the seconds that a phase is expected to take at most
        self._served_by = "no region yet"

    def __call__(self, event: Event) -> None:
        """Take in one event."""
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
        self.started = event
        self._health = HealthView(config)
        expected = expected_movements(
            config, by_inverting=event.by_inverting, attempt=event.attempt, switch=event.switch
        )
        self._bounds = {
            waiting_for("failover"): expected.failover.total,
            waiting_for("failback"): expected.failback.total,
        }

    def _take_request(self, event: Served) -> None:
        symbol = self._symbol(event.region) if event.good else FAILED
        self._append(event.lane, symbol)
        if event.lane != FRESH_CLIENT:
            return
        if event.good and event.region:
            self._served_by = event.region
        else:
            self._served_by = "no region: the last request failed"

    def _append(self, lane: str, symbol: str) -> None:
        strip = self._lanes.setdefault(lane, deque(maxlen=MOST_ANSWERS))
        strip.append(symbol)

    def _symbol(self, region: str | None) -> str:
        if region is None or self.started is None:
            return UNKNOWN
        if region == self.started.primary:
            return PRIMARY
        if region == self.started.secondary:
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
            case SwitchReleasing():
                self._phase = "releasing the switch"
            case FaultInjected() | FaultRestored() | SwitchReleased():
                # The phase that follows is waited for from now on
                pass
            case _:
                return
        self._phase_start = event.at

    @property
    def lanes(self) -> dict[str, str]:
        """The strip of each lane, oldest answer first, in the order of the lanes' names."""
        return {lane: "".join(self._lanes[lane]) for lane in sorted(self._lanes)}

    @property
    def headline(self) -> str:
        """The phase, its expected time, and the region that serves."""
        waited = f"{self._now - self._phase_start:.0f} s"
        # For the steady state no time is expected
        if self._phase in self._bounds:
            waited += f" of expected {self._bounds[self._phase]:.0f} s"
        return f"{self._now:7.1f} s  {self._phase}, {waited}; served by {self._served_by}"

    @property
    def health(self) -> str:
        """How many checkers of the health check report healthy; empty when that is not known."""
        if self._health is None:
            return ""
        healthy, checkers = self._health.checkers
        return f"health check: {healthy} of {checkers} checkers report healthy"
