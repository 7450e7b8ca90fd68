"""What happened in a drill, as frozen events, and their lines in history.jsonl. Pure.

Times are seconds since the drill began, of a monotonic clock at the target's rate: clock skew
cannot enter. `sent` is when a question was asked, `at` when its answer was there. A `lane` is one
observer asking again and again.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.route53.health import CheckerObservation, HealthCheck
from deploytool.core.serialization import by_type_name, decode_typed, encode_typed

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA_VERSION = 1
# Resolves again whenever its answer's TTL has passed, and makes a new connection each time
FRESH = "client:fresh"
# Resolves when it must connect, and then keeps its connection as long as that works
KEPT = "client:kept-connection"


def name_server_lane(name: str) -> str:
    """The lane of a name server that is asked directly."""
    return f"name-server:{name}"


def resolver_lane(name: str) -> str:
    """The lane of a resolver."""
    return f"resolver:{name}"


def region_lane(region: str) -> str:
    """The lane of the client that calls a region's own endpoint, past the failover."""
    return f"region:{region}"


@dataclass(frozen=True)
class DrillStarted:
    """The facts that everything else is read against.

    `by_inverting`: the fault swaps the verdict itself. `attempt`: how long one check of the broken
    endpoint takes, in seconds. `monotonic`: what the clock that this machine's processes share read
    at second 0, in seconds of wall time (time.monotonic).
    """

    at: float
    schema_version: int
    tool: str
    wall_time: str
    target: str
    speed: float
    stage: str
    domain: str
    path: str
    primary: str
    secondary: str
    by_inverting: bool
    attempt: float
    scenario: Scenario
    objectives: Objectives
    health_check: HealthCheck
    name_servers: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    monotonic: float | None = None


@dataclass(frozen=True)
class PhaseBegan:
    """What the drill waits for from here on: steady-state, failover, failback."""

    at: float
    phase: str


@dataclass(frozen=True)
class FaultInjecting:
    """The fault is about to be injected: written down before it happens."""

    at: float
    fault: str


@dataclass(frozen=True)
class FaultInjected:
    """The fault is in force: every duration of the failover counts from here."""

    at: float


@dataclass(frozen=True)
class FaultRestoring:
    """The fault is about to be undone."""

    at: float


@dataclass(frozen=True)
class FaultRestored:
    """Undone, and `verified` by reading it back. Every duration of the failback counts from
    here.
    """

    at: float
    verified: bool


@dataclass(frozen=True)
class DrillAborted:
    """The drill ended before its time, and why."""

    at: float
    reason: str


@dataclass(frozen=True)
class DrillEnded:
    """Nothing follows. A history without it was cut short."""

    at: float


@dataclass(frozen=True)
class DnsAnswered:
    """One DNS query: the addresses and TTL (seconds) that came, or the `failure`."""

    sent: float
    at: float
    lane: str
    rcode: str = ""
    addresses: tuple[str, ...] = ()
    ttl: int | None = None
    failure: str = ""


@dataclass(frozen=True)
class Served:
    """One HTTPS request: who answered by its own header, or the `failure` (refused, timeout, tls,
    reset, dns, other).
    """

    sent: float
    at: float
    lane: str
    address: str = ""
    status: int | None = None
    region: str | None = None
    version: str | None = None
    failure: str = ""

    @property
    def good(self) -> bool:
        """Whether the answer has a 2xx status and the header that names its region."""
        return self.status is not None and 200 <= self.status < 300 and self.region is not None

    @property
    def good_region(self) -> str | None:
        """The region that served the request well; None when the request failed."""
        return self.region if self.good else None


@dataclass(frozen=True)
class HealthSeen:
    """The health check's settings and the last result of each of its checkers, or the `failure` to
    read them.
    """

    at: float
    version: int = 0
    inverted: bool = False
    disabled: bool = False
    checkers: tuple[CheckerObservation, ...] = ()
    failure: str = ""


Event = (
    DrillStarted
    | PhaseBegan
    | FaultInjecting
    | FaultInjected
    | FaultRestoring
    | FaultRestored
    | DrillAborted
    | DrillEnded
    | DnsAnswered
    | Served
    | HealthSeen
)


_TYPES: Mapping[str, type[Event]] = by_type_name(get_args(Event))


def to_document(event: "DataclassInstance") -> dict[str, Any]:
    """Return an event as a JSON document: its type, like fault_injected, and its fields.

    Times are rounded to a tenth of a millisecond. Empty fields are left out.
    """
    document: dict[str, Any] = {}
    for name, value in encode_typed(event).items():
        if name in {"sent", "at"}:
            document[name] = round(value, 4)
        elif value not in (None, "", ()):
            document[name] = value
    return document


def to_line(event: Event) -> str:
    """Return the event's line in history.jsonl, without the line's end."""
    return json.dumps(to_document(event), separators=(",", ":"))


def parse_history(lines: Iterable[str], file: str) -> list[Event]:
    """Return the events of a history.jsonl.

    A last line that is not JSON is left out: the drill was killed while it wrote the line. Raises
    InputError that names the line for every other line that is not an event.
    """
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    events: list[Event] = []
    for number, line in numbered:
        try:
            document = json.loads(line)
        except ValueError as error:
            is_last = number == numbered[-1][0]
            if is_last:
                break
            raise _problem(file, number, f"is not JSON: {error}") from error

        try:
            events.append(decode_typed(_TYPES, document))
        except ValueError as error:
            message = f"is not an event that this version knows ({error}); judge it with the version that wrote it"
            raise _problem(file, number, message) from error
    return events


def _problem(file: str, line: int, message: str) -> InputError:
    return InputError([InputProblem(file, f"line {line}", message)])
