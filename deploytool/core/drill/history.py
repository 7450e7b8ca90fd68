"""What happened in a drill, as frozen events, and their lines in history.jsonl. Pure.

Times are seconds since the drill began, of a monotonic clock at the target's rate: clock skew
cannot enter. `sent` is when a question was asked, `at` when its answer was there. A `lane` is one
observer asking again and again.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.route53.health import CheckerObservation, HealthCheck

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
        """Whether a client got what it asked for: a 2xx from a region that says its name."""
        return self.status is not None and 200 <= self.status < 300 and self.region is not None


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


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip(
        "_"
    )


_TYPES: Mapping[str, type[Event]] = {_snake(each.__name__): each for each in get_args(Event)}


def to_document(event: "DataclassInstance") -> dict[str, Any]:
    """An event as JSON: its type (like fault_injected) and its fields, times to a tenth of a
    millisecond, nothing empty.
    """
    document = {"type": _snake(type(event).__name__)} | asdict(event)
    for key in ("sent", "at"):
        if key in document:
            document[key] = round(document[key], 4)
    return {key: value for key, value in document.items() if value not in (None, "", ())}


def to_line(event: Event) -> str:
    """The event's line in history.jsonl, without the line's end."""
    return json.dumps(to_document(event), separators=(",", ":"))


def parse_history(lines: Iterable[str], file: str) -> list[Event]:
    """The events of a history.jsonl. A last line that was cut off is left out: the drill was killed
    while it wrote it.

    Raises InputError that names the line for anything else that is no event.
    """
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    return list(_parsed(numbered, file))


def _parsed(numbered: list[tuple[int, str]], file: str) -> Iterator[Event]:
    for number, line in numbered:
        try:
            document = json.loads(line)
            yield _decoded(_TYPES[document.pop("type")], document)
        except ValueError as error:
            if number == numbered[-1][0]:
                return
            raise InputError(
                [InputProblem(file, f"line {number}", f"is not JSON: {error}")]
            ) from error
        except (KeyError, TypeError, AttributeError) as error:
            message = f"is no event that this version knows ({error}); judge it with the version that wrote it"
            raise InputError([InputProblem(file, f"line {number}", message)]) from error


def _decoded(kind: Any, value: Any) -> Any:  # noqa: ANN401  # JSON to whatever the field's type says
    """A JSON value as the type that a field has: the counterpart of `asdict`."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        known = {each.name for each in fields(kind)}
        if unknown := value.keys() - known:
            raise TypeError(f"unknown fields: {', '.join(sorted(unknown))}")
        return kind(**{name: _decoded(hints[name], each) for name, each in value.items()})  # type: ignore[operator]  # mypy: is_dataclass holds for instances too
    if get_origin(kind) is tuple:
        return tuple(_decoded(get_args(kind)[0], each) for each in value)
    if get_origin(kind) in (Union, UnionType):
        return (
            value
            if value is None
            else _decoded(next(each for each in get_args(kind) if each is not type(None)), value)
        )
    return float(value) if kind is float else value
