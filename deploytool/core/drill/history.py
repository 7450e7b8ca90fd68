"""The events of a drill as frozen values, and their lines in history.jsonl. Pure.

Times are seconds since the drill began, of a monotonic clock at the target's rate, so clock skew
does not change them. `sent` is the time at which a probe was sent, `at` the time of its answer. A
`lane` is a series of probes of one kind to one destination.

The names of the classes and of their fields are part of the format. A change needs another
SCHEMA_VERSION, except for a new field with a default.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.route53.alarms import LAST_KNOWN_STATUS
from deploytool.core.route53.health import CheckerObservation, HealthCheck
from deploytool.core.serialization import by_type_name, decode_typed, encode_typed

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA_VERSION = 1
# The client that resolves again when a TTL has expired, and makes a new connection each time
FRESH_CLIENT = "client:fresh"
# The client that resolves only to connect, and keeps its connection as long as it works
KEPT_CONNECTION_CLIENT = "client:kept-connection"

# How a drill uses the stage's switch. The fault holds it.
SWITCH_BY_FAULT = "fault"
# The drill holds it after the failover, because the stage has a manual failback.
SWITCH_AFTER_FAILOVER = "after-failover"


def name_server_lane(name: str) -> str:
    """Return the lane of an authoritative name server that is queried directly."""
    return f"name-server:{name}"


def resolver_lane(name: str) -> str:
    """Return the lane of a resolver."""
    return f"resolver:{name}"


def region_lane(region: str) -> str:
    """Return the lane of the client that calls a region's own endpoint, which bypasses failover."""
    return f"region:{region}"


@dataclass(frozen=True)
class DrillStarted:
    """The settings of the drill, by which the other events are judged. Always the first event.

    `by_inverting` is whether the fault inverts the verdict itself, so that no checker has to detect
    it. `attempt` is how long one check of the broken endpoint takes, in seconds. `monotonic` is the
    reading of time.monotonic at second 0, in seconds of wall time; the processes of one machine
    share that clock. `switch` is how the drill uses the stage's switch: "fault", "after-failover",
    or empty when it does not use it. `stage` is empty for a pair of records that deploytool did not
    deploy.
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
    drill_id: str = ""
    switch: str = ""


@dataclass(frozen=True)
class PhaseBegan:
    """The drill now waits for `phase`: steady-state, failover, holding, staying or failback.

    In `holding` it waits until the switch holds, in `staying` it sees that traffic does not return
    by itself.
    """

    at: float
    phase: str


@dataclass(frozen=True)
class FaultInjecting:
    """The fault is about to be injected. The event is written before the injection."""

    at: float
    fault: str


@dataclass(frozen=True)
class FaultInjected:
    """The fault is in force. The durations of the failover count from here."""

    at: float


@dataclass(frozen=True)
class FaultRestoring:
    """The fault is about to be undone."""

    at: float


@dataclass(frozen=True)
class FaultRestored:
    """The fault is undone. The durations of the failback count from here unless the switch is held.

    `verified` is whether the restored state was read back.
    """

    at: float
    verified: bool


@dataclass(frozen=True)
class SwitchHeld:
    """The drill has put the switch so that traffic stays at the secondary, after the failover."""

    at: float


@dataclass(frozen=True)
class SwitchReleasing:
    """The switch is about to be released: the explicit failback."""

    at: float


@dataclass(frozen=True)
class SwitchReleased:
    """The switch is released. The durations of an explicit failback count from here.

    `verified` is whether its record was read back.
    """

    at: float
    verified: bool


@dataclass(frozen=True)
class SwitchMetricFailed:
    """The switch's metric could not be repeated. The function of the switch repeats it too."""

    at: float
    failure: str


@dataclass(frozen=True)
class DrillAborted:
    """The drill was ended early for a reason."""

    at: float
    reason: str


@dataclass(frozen=True)
class DrillEnded:
    """The drill reached its end. Always the last event; a history without it was cut short."""

    at: float


@dataclass(frozen=True)
class DnsAnswered:
    """The answer to one DNS query, with its TTL in seconds, or the `failure`."""

    sent: float
    at: float
    lane: str
    rcode: str = ""
    addresses: tuple[str, ...] = ()
    ttl: int | None = None
    failure: str = ""


@dataclass(frozen=True)
class Served:
    """The answer to one HTTPS request, or the `failure`.

    `region` is from the header of the answer. `failure` is refused, timeout, tls, reset, dns or
    other.
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
    """A reading of the health check and the last result of each checker, or its `failure`."""

    at: float
    version: int = 0
    inverted: bool = False
    disabled: bool = False
    checkers: tuple[CheckerObservation, ...] = ()
    failure: str = ""


@dataclass(frozen=True)
class ObserverLate:
    """The drill itself was late: this machine had other work, or slept.

    In the `seconds` before `at` probes were sent later than planned, or begun later than sent, or
    left out. What happened meanwhile was not seen, and an answer may have waited here.
    """

    at: float
    seconds: float


Event = (
    DrillStarted
    | PhaseBegan
    | FaultInjecting
    | FaultInjected
    | FaultRestoring
    | FaultRestored
    | SwitchHeld
    | SwitchReleasing
    | SwitchReleased
    | SwitchMetricFailed
    | DrillAborted
    | DrillEnded
    | DnsAnswered
    | Served
    | HealthSeen
    | ObserverLate
)


_TYPES: Mapping[str, type[Event]] = by_type_name(get_args(Event))

# The settings of calculated checks, of checks on alarms and of chosen regions, where unused.
_UNUSED: Mapping[str, Any] = {
    "regions": (),
    "health_threshold": 0,
    "child_health_checks": (),
    "alarm_identifier": None,
    "insufficient_data_health_status": LAST_KNOWN_STATUS,
}


def to_document(event: "DataclassInstance") -> dict[str, Any]:
    """Return an event as a JSON document: its type, like fault_injected, and its fields.

    Times are rounded to a tenth of a millisecond. Empty fields are left out.
    """
    document: dict[str, Any] = {}
    for name, value in encode_typed(event).items():
        if name == "health_check":
            document[name] = _health_check_document(value)
            continue
        # A time of 0.0 is not empty.
        if name in {"sent", "at"}:
            document[name] = round(value, 4)
        # A field without a default is needed to read the event again.
        elif name == "stage" or value not in (None, "", ()):
            document[name] = value
    return document


def _health_check_document(health_check: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the settings that an endpoint check does not use.

    Versions that knew endpoint checks only wrote none of them.
    """
    document = {name: value for name, value in health_check.items() if value is not None}
    document["config"] = {
        name: value
        for name, value in health_check["config"].items()
        if name not in _UNUSED or value != _UNUSED[name]
    }
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
        except (ValueError, RecursionError) as error:
            is_last = number == numbered[-1][0]
            if is_last:
                break
            raise _problem(file, number, f"is not JSON: {error}") from error

        try:
            events.append(decode_typed(_TYPES, document))
        except ValueError as error:
            message = (
                f"is not an event that this version knows ({error}); judge it with the version "
                "that wrote it"
            )
            raise _problem(file, number, message) from error
    return events


def _problem(file: str, line: int, message: str) -> InputError:
    return InputError([InputProblem(file, f"line {line}", message)])
