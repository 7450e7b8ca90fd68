"""The seam: what the work asks of a target, in narrow protocols, bundled in one frozen environment.

Three targets implement it: simulated (a virtual clock, no socket), local (the AWS adapters against the local cloud) and AWS.
All times are seconds of the target's clock: on a local cloud at speed 10, ten of them pass in one second of wall time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from deploytool.core.route53.health import CheckerObservation, HealthCheck


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


class Http(Protocol):
    """Calls https://<domain><path> at a given address: TLS with the domain's name, certificate verified."""

    def get(self, domain: str, address: str, path: str) -> HttpAnswer:
        """Raises ProbeFailed (refused, timeout, tls, reset, other) when there is no answer."""
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

    `edges` is None where they cannot be broken, as on AWS.
    """

    clock: Clock
    runner: Runner
    dns: Dns
    http: Http
    health_checks: HealthChecks
    hosted_zones: HostedZones
    resolvers: tuple[Nameserver, ...]
    edges: Edges | None = None
