"""Probes of a movement: the name servers, and a client that honours the TTL.

Each has at most one probe under way, so a server that does not answer delays no other.
"""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from deploytool.core.errors import DeploytoolError, ProbeFailed
from deploytool.core.failover.events import ClientServed, NameServerAnswered
from deploytool.core.failover.records import StandbyRecord
from deploytool.core.ports import Clock, Executor, HttpAnswer, Nameserver
from deploytool.work.failover.ports import MovePorts
from deploytool.work.failover.regions import Regions

Observation = NameServerAnswered | ClientServed


@dataclass
class _Lane:
    """What sends one probe after another. `due` is the time of the next one."""

    probe: Callable[[], Observation]
    due: float = 0.0
    future: Future[Observation] | None = None


class Probes:
    """Sends a probe of each kind every `interval` seconds of the clock.

    `clock` dates the observations.
    """

    def __init__(
        self, ports: MovePorts, standby: StandbyRecord, clock: Clock, interval: float
    ) -> None:
        self._executor: Executor = ports.executor
        self._clock = clock
        self._interval = interval
        regions = Regions(ports, standby)
        self._name_servers = [
            _NameServer(ports, standby.domain, name, regions, clock)
            for name in standby.name_servers
        ]
        self._lanes = [_Lane(server) for server in self._name_servers]
        self._lanes.append(_Lane(_FreshClient(ports, standby, clock)))

    def look(self) -> list[NameServerAnswered]:
        """Ask every name server once, at the same time, and return their answers."""
        futures = [self._executor.submit(server) for server in self._name_servers]
        return [future.result() for future in futures]

    def tick(self) -> Iterator[Observation]:
        """Send what is due, and yield the observations that have come in since."""
        now = self._clock.now()
        for lane in self._lanes:
            if lane.future is None and lane.due <= now:
                lane.due = now + self._interval
                lane.future = self._executor.submit(lane.probe)
            if lane.future is not None and lane.future.done():
                yield lane.future.result()
                lane.future = None


class _NameServer:
    """Asks one name server for the domain."""

    def __init__(
        self, ports: MovePorts, domain: str, name: str, regions: Regions, clock: Clock
    ) -> None:
        self._ports = ports
        self._domain = domain
        self._name = name
        self._regions = regions
        self._clock = clock
        self._server: Nameserver | None = None

    def __call__(self) -> NameServerAnswered:
        """Ask once."""
        try:
            # Its address does not change while traffic moves
            self._server = self._server or self._ports.locate(self._name)
            answer = self._ports.dns.query(self._server, self._domain)
        except DeploytoolError as error:
            return NameServerAnswered(self._clock.now(), self._name, failure=str(error))

        at = self._clock.now()
        if not answer.addresses:
            failure = f"it has no address for {self._domain} ({answer.rcode})"
            return NameServerAnswered(at, self._name, failure=failure)
        region = self._regions.region_of(answer.addresses)
        return NameServerAnswered(at, self._name, answer.addresses, region)


class _FreshClient:
    """Calls the domain as a client that honours the TTL and connects anew for each request."""

    def __init__(self, ports: MovePorts, standby: StandbyRecord, clock: Clock) -> None:
        self._ports = ports
        self._standby = standby
        self._clock = clock
        # The cached addresses, and when their TTL is over
        self._cached: tuple[tuple[str, ...], float] = ((), 0.0)
        self._turns = itertools.count()

    def __call__(self) -> ClientServed:
        """Send one request."""
        address = ""
        try:
            address = self._address()
            answer = self._ports.http.get(self._standby.domain, address, self._standby.path)
        except ProbeFailed as error:
            return ClientServed(self._clock.now(), address, failure=str(error))
        at = self._clock.now()
        problem = problem_of(answer)
        if problem:
            return ClientServed(at, address, failure=problem)
        return ClientServed(at, address, answer.region)

    def _address(self) -> str:
        """Return an address of the domain, each in turn. Raises ProbeFailed when it has none."""
        addresses, expires = self._cached
        if self._clock.now() >= expires:
            answer = self._ports.resolve(self._standby.domain)
            addresses = answer.addresses
            self._cached = (addresses, self._clock.now() + (answer.ttl or 0))
        return addresses[next(self._turns) % len(addresses)]


def problem_of(answer: HttpAnswer) -> str:
    """Return what is wrong with an answer of the API, "" when it is good and names its region."""
    if not 200 <= answer.status < 300:
        return f"it answers {answer.status}"
    if answer.region is None:
        return "its answer has no x-served-by-region header"
    return ""
