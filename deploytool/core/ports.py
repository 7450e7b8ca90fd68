"""The ports that every target implements: time, calls beside the caller, DNS and HTTP.

There are three targets: simulated (a virtual clock, no socket), local (the AWS adapters against the
local cloud) and AWS. All times are seconds of the target's clock: on a local cloud at speed 10, ten
of them pass in one second of wall time.
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Clock(Protocol):
    """Monotonic time at the target's rate."""

    def now(self) -> float:
        """Return the seconds since an arbitrary start. They never decrease."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`, or at once when they are not positive."""
        ...


class Executor(Protocol):
    """Runs calls beside the caller, so that a slow call does not delay it.

    A simulated target runs each call inside `submit` or `start`.
    """

    def submit(self, call: Callable[[], Result], /) -> Future[Result]:
        """Start a call. The future has its result, or the exception that it raised."""
        ...

    def start(self, call: Callable[[], object], /) -> None:
        """Start a call that nobody waits for.

        An exception that it raises is raised again when the executor is closed.
        """
        ...

    def wait(self, futures: Collection[Future[Any]], seconds: float, /) -> None:
        """Return when one of the futures is done, or after `seconds` of wall time."""
        ...


@dataclass(frozen=True)
class Nameserver:
    """A DNS server: its name for people, and the address and port where it listens."""

    name: str
    address: str
    port: int = 53


@dataclass(frozen=True)
class DnsAnswer:
    """The answer to an A query.

    `rcode` is a name (NOERROR, NXDOMAIN...), `addresses` are IPv4 addresses in the order received,
    `ttl` is in seconds. `cname` is the name at which an answer without addresses ends, "" when it
    ends with none: a name server leaves the names of other zones to its clients.
    """

    rcode: str
    addresses: tuple[str, ...]
    ttl: int | None
    cname: str = ""


class Dns(Protocol):
    """Asks one server for the IPv4 addresses of a name."""

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:
        """Raises ProbeFailed (timeout, refused, dns) when there is no answer."""
        ...


@dataclass(frozen=True)
class HttpAnswer:
    """An HTTP answer.

    `region` and `version` come from its own headers and body, None when it has none. `seconds` are
    those from sending the request to receiving the last byte. `headers` are by name in lower case.
    """

    status: int
    region: str | None
    version: str | None
    request_id: str | None
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


class Connection(Protocol):
    """A connection to one address that is kept, as a client with a connection pool keeps it."""

    def get(self, path: str) -> HttpAnswer:
        """Send one request. Raises ProbeFailed as `Http.get` does; then the connection is closed."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class Http(Protocol):
    """Calls https://<domain><path> at a given address: TLS with the domain's name, verified."""

    def get(self, domain: str, address: str, path: str) -> HttpAnswer:
        """Raises ProbeFailed (refused, timeout, tls, reset, other) when there is no answer."""
        ...

    def connect(self, domain: str, address: str) -> Connection:
        """Return a connection to keep. Its first request opens it."""
        ...


class Interrupts(Protocol):
    """The requests to stop, from the user (Ctrl-C, a closed terminal) or the system (SIGTERM)."""

    def count(self) -> int:
        """Return how many requests there have been."""
        ...


class NoInterrupts:
    """The Interrupts port where nobody asks to stop."""

    def count(self) -> int:
        """Return zero."""
        return 0
