"""The seam: what the work asks of a target, in narrow protocols, bundled in one frozen environment.

Three targets implement it: simulated (a virtual clock, no socket), local (the AWS adapters against
the local cloud) and AWS. All times are seconds of the target's clock: on a local cloud at speed 10,
ten of them pass in one second of wall time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Monotonic time at the target's rate."""

    def now(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` (at once when not positive)."""
        ...


class Runner(Protocol):
    """Runs a task beside the caller, so that a slow one delays nobody. A simulated target runs it
    inline.
    """

    def submit(self, task: Callable[[], None]) -> None: ...


@dataclass(frozen=True)
class Nameserver:
    """A DNS server to ask: its name for people, where it listens."""

    name: str
    address: str
    port: int = 53


@dataclass(frozen=True)
class DnsAnswer:
    """The answer to an A query: `rcode` by name (NOERROR, NXDOMAIN...), IPv4 addresses in the order
    received, TTL in seconds.
    """

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
    """An HTTP answer: `region` from its own header (None when it carries none), `seconds` from
    sending to the last byte.
    """

    status: int
    region: str | None
    version: str | None
    request_id: str | None
    seconds: float


class Connection(Protocol):
    """A connection to one address that is kept: what a client with a connection pool holds."""

    def get(self, path: str) -> HttpAnswer:
        """One request on it. Raises ProbeFailed as `Http.get` does; the connection is of no use
        then.
        """
        ...

    def close(self) -> None: ...


class Http(Protocol):
    """Calls https://<domain><path> at a given address: TLS with the domain's name, certificate
    verified.
    """

    def get(self, domain: str, address: str, path: str) -> HttpAnswer:
        """Raises ProbeFailed (refused, timeout, tls, reset, other) when there is no answer."""
        ...

    def connect(self, domain: str, address: str) -> Connection:
        """A connection to keep; it is made by its first request."""
        ...
