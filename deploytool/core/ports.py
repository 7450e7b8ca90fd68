"""The seam: what the work asks of a target, in narrow protocols, bundled in one frozen environment.

Three targets implement it: simulated (a virtual clock, no socket), local (the AWS adapters against the local cloud) and AWS.
All times are seconds of the target's clock: on a local cloud at speed 10, ten of them pass in one second of wall time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deploytool.core.drill.record import DrillRecord
from deploytool.core.route53.health import CheckerObservation, HealthCheck
from deploytool.core.route53.zone import RecordSet


class Clock(Protocol):
    """Monotonic time at the target's rate."""

    def now(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` (at once when not positive)."""
        ...


class Runner(Protocol):
    """Runs a task beside the caller, so that a slow one delays nobody. A simulated target runs it inline."""

    def submit(self, task: Callable[[], None]) -> None: ...


@dataclass(frozen=True)
class Nameserver:
    """A DNS server to ask: its name for people, where it listens."""

    name: str
    address: str
    port: int = 53


@dataclass(frozen=True)
class DnsAnswer:
    """The answer to an A query: `rcode` by name (NOERROR, NXDOMAIN...), IPv4 addresses in the order received, TTL in seconds."""

    rcode: str
    addresses: tuple[str, ...]
    ttl: int | None


class Dns(Protocol):
    """Asks one server for the IPv4 addresses of a name."""

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:
        """Raises ProbeFailed (timeout, refused, dns) when there is no answer."""
        ...


@dataclass(frozen=True)
class HttpAnswer:
    """An HTTP answer: `region` from its own header (None when it carries none), `seconds` from sending to the last byte."""

    status: int
    region: str | None
    version: str | None
    request_id: str | None
    seconds: float


class Connection(Protocol):
    """A connection to one address that is kept: what a client with a connection pool holds."""

    def get(self, path: str) -> HttpAnswer:
        """One request on it. Raises ProbeFailed as `Http.get` does; the connection is of no use then."""
        ...

    def close(self) -> None: ...


class Http(Protocol):
    """Calls https://<domain><path> at a given address: TLS with the domain's name, certificate verified."""

    def get(self, domain: str, address: str, path: str) -> HttpAnswer:
        """Raises ProbeFailed (refused, timeout, tls, reset, other) when there is no answer."""
        ...

    def connect(self, domain: str, address: str) -> Connection:
        """A connection to keep; it is made by its first request."""
        ...


class HealthChecks(Protocol):
    """Route 53 health checks."""

    def get(self, health_check_id: str) -> HealthCheck: ...

    def set_inverted(self, health_check_id: str, *, inverted: bool, version: int) -> HealthCheck:
        """Compare-and-swap on HealthCheckVersion. Raises StaleVersion when `version` is no longer the current one."""
        ...

    def observations(self, health_check_id: str) -> Sequence[CheckerObservation]:
        """The last observation of each checker (GetHealthCheckStatus)."""
        ...


class HostedZones(Protocol):
    """Route 53 hosted zones."""

    def name_servers(self, hosted_zone_id: str) -> Sequence[Nameserver]:
        """The zone's authoritative name servers, with addresses."""
        ...

    def records(self, hosted_zone_id: str, name: str) -> Sequence[RecordSet]:
        """The zone's address records of exactly that name."""
        ...


class DrillRecords(Protocol):
    """Where a stage's drill writes down what to undo: in the account, so that any other machine finds it. At most one."""

    def write(self, record: DrillRecord) -> None:
        """Create the record. Raises DrillUnderWay when another drill's is there."""
        ...

    def read(self) -> DrillRecord | None:
        """The record of the drill under way. Raises DeploytoolError when this version cannot read it."""
        ...

    def clear(self, drill_id: str) -> None:
        """Delete the record if it is this drill's; once it is gone there is nothing to do."""
        ...


class Guard(Protocol):
    """The dead-man's switch: restores what the record says when its time has come, whatever has become of us."""

    def arm(self, drill_id: str, seconds: float) -> None:
        """Restore `seconds` of wall time from now, never earlier and at most a minute later (EventBridge Scheduler)."""
        ...

    def disarm(self, drill_id: str) -> None:
        """Restore no more. As often as one likes."""
        ...


class FunctionCode(Protocol):
    """The code of Lambda functions."""

    def code_hash(self, region: str, name: str) -> str:
        """Base64 of the deployed package's SHA-256."""
        ...


class ApiDefinitions(Protocol):
    """What API Gateway's stages serve."""

    def definition(self, region: str, rest_api_id: str, stage: str) -> Mapping[str, Any]:
        """A stage's deployed API as OpenAPI 3.0, with API Gateway's integrations."""
        ...


class Functions(Protocol):
    """Lambda functions: the reserved concurrency, None when there is no reservation. 0 throttles every call."""

    def reserved_concurrency(self, region: str, name: str) -> int | None: ...

    def set_reserved_concurrency(self, region: str, name: str, reserved: int | None) -> None: ...


@dataclass(frozen=True)
class ApiMapping:
    """What a custom domain name serves below a base path (`(none)`: the root): a stage of a REST API."""

    base_path: str
    rest_api_id: str
    stage: str


class Mappings(Protocol):
    """The base path mappings of API Gateway's custom domain names."""

    def of(self, region: str, domain: str) -> Sequence[ApiMapping]: ...

    def create(self, region: str, domain: str, mapping: ApiMapping) -> None:
        """Nothing to do when it is there. Raises DeploytoolError when another one has its base path."""
        ...

    def delete(self, region: str, domain: str, base_path: str) -> None:
        """Nothing to do when it is gone."""
        ...


class Edges(Protocol):
    """The regions' edges, where the target lets them be broken. Conditions: serving, refusing, blackholed, slow, failing."""

    def set_condition(self, region: str, condition: str, seconds: float = 0.0) -> None:
        """Returns once it holds. `seconds`: how late a slow edge answers, 0 for the target's own choice (longer than a check)."""
        ...

    def condition(self, region: str) -> str:
        """What a client of the region meets now."""
        ...


@dataclass(frozen=True)
class Environment:
    """Everything that a check or a drill needs of a target. `resolvers` are recursive; the first is the system's.

    What is None the target does not have: `guard` when the stage has no stack for it. `least_limit`: no time limit of its health
    checkers is shorter, in seconds of the clock.
    """

    clock: Clock
    runner: Runner
    dns: Dns
    http: Http
    health_checks: HealthChecks
    hosted_zones: HostedZones
    resolvers: tuple[Nameserver, ...]
    functions: Functions | None = None
    mappings: Mappings | None = None
    drill_records: DrillRecords | None = None
    guard: Guard | None = None
    edges: Edges | None = None
    least_limit: float = 0.0
