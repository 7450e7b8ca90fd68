"""A movement of traffic as a value that takes in one observation after another. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from deploytool.core.failover.events import ClientServed, NameServerAnswered

# Answers in a row from one region after which a name server or a client counts as being there. A
# name server of Route 53 is many machines behind one address, which do not change at one moment.
LASTING = 3

# Queries in a row without an answer after which a name server is not waited for any more. A single
# one may be a lost datagram.
SILENT_AFTER = 3


class Phase(StrEnum):
    """How far a movement is."""

    NAME_SERVERS = "name servers"  # some name server answers with another region
    CLIENT = "client"  # the client still has the old answer
    DONE = "done"


@dataclass(frozen=True)
class Lane:
    """The answers of one name server, or of the client.

    `region` is that of the last answer, None when it is not known. `since` is the time of the first
    of `count` answers in a row from it. `first` is the region of the first answer of a known
    region. `addresses` are those of the last answer. `silent` counts the queries in a row without
    an answer, and `failure` says why the last one had none.
    """

    region: str | None = None
    since: float | None = None
    count: int = 0
    first: str | None = None
    addresses: tuple[str, ...] = ()
    silent: int = 0
    failure: str = ""

    def answered(self, at: float, region: str | None, addresses: tuple[str, ...] = ()) -> "Lane":
        """Return the lane after an answer."""
        first = self.first or region
        if region is not None and region == self.region:
            return replace(self, count=self.count + 1, addresses=addresses, silent=0, failure="")
        return Lane(region, at, 1, first, addresses)

    def missed(self, failure: str) -> "Lane":
        """Return the lane after a query without an answer. That says nothing about the region."""
        return replace(self, silent=self.silent + 1, failure=failure)

    def failed(self, at: float, failure: str, addresses: tuple[str, ...]) -> "Lane":
        """Return the lane after a request that no region served well."""
        return Lane(None, at, 1, self.first, addresses, failure=failure)

    @property
    def is_silent(self) -> bool:
        """Whether it is not waited for."""
        return self.silent >= SILENT_AFTER

    def has_arrived(self, destination: str) -> bool:
        """Whether the last answers came from the region."""
        return self.region == destination and self.count >= LASTING

    def has_moved(self, destination: str) -> bool:
        """Whether it is at the region and was not there at first."""
        return self.has_arrived(destination) and self.first != destination


@dataclass(frozen=True)
class Move:
    """A movement to the region `destination`. `name_servers` has a lane for each name server."""

    destination: str
    name_servers: Mapping[str, Lane]
    client: Lane = field(default_factory=Lane)

    @classmethod
    def begin(cls, destination: str, name_servers: Iterable[str]) -> "Move":
        """Return a movement of which nothing has been observed."""
        return cls(destination, {name: Lane() for name in name_servers})

    def observe(self, event: NameServerAnswered | ClientServed) -> "Move":
        """Return the movement after an observation."""
        match event:
            case NameServerAnswered(at, name, addresses, region, failure):
                lane = self.name_servers[name]
                if failure:
                    lane = lane.missed(failure)
                else:
                    lane = lane.answered(at, region, addresses)
                return replace(self, name_servers={**self.name_servers, name: lane})
            case ClientServed(at, address, region, failure):
                addresses = (address,) if address else ()
                if failure:
                    client = self.client.failed(at, failure, addresses)
                else:
                    client = self.client.answered(at, region, addresses)
                return replace(self, client=client)

    @property
    def phase(self) -> Phase:
        """How far the movement is. It may fall back, when a name server does."""
        if not self._is_everywhere():
            return Phase.NAME_SERVERS
        if not self.client.has_arrived(self.destination):
            return Phase.CLIENT
        return Phase.DONE

    def _is_everywhere(self) -> bool:
        """Whether all name servers that answer do so with the destination, and one does answer."""
        answering = [lane for lane in self.name_servers.values() if not lane.is_silent]
        return bool(answering) and all(lane.has_arrived(self.destination) for lane in answering)

    @property
    def has_nothing_to_move(self) -> bool:
        """Whether every name server that has answered so far is at the destination, and one is."""
        answered = [lane for lane in self.name_servers.values() if lane.count]
        return bool(answered) and all(lane.region == self.destination for lane in answered)

    @property
    def silent(self) -> tuple[str, ...]:
        """The name servers that are not waited for."""
        return tuple(name for name, lane in self.name_servers.items() if lane.is_silent)

    @property
    def name_servers_at(self) -> float | None:
        """The time at which the last name server that moved was at the destination.

        None when one is not there yet, or none had to move.
        """
        if not self._is_everywhere():
            return None
        times = [
            lane.since
            for lane in self.name_servers.values()
            if lane.has_moved(self.destination) and lane.since is not None
        ]
        return max(times, default=None)

    @property
    def client_at(self) -> float | None:
        """The time at which the client was at the destination; None as for the name servers."""
        return self.client.since if self.client.has_moved(self.destination) else None

    def complaint(self) -> str:
        """Return what the movement still waits for."""
        waiting: list[str] = []
        for name, lane in self.name_servers.items():
            if lane.failure:
                waiting.append(f"{name} does not answer ({lane.failure})")
            elif not lane.has_arrived(self.destination):
                waiting.append(f"{name} answers with {_where(lane)}")
        if not self.client.has_arrived(self.destination):
            served = self.client.failure or f"it is served by {_where(self.client)}"
            waiting.append(f"the client is not at {self.destination} yet ({served})")
        return "; ".join(waiting)


def _where(lane: Lane) -> str:
    """Return the region of a lane's last answer in words."""
    if lane.region:
        return lane.region
    if lane.addresses:
        return f"{', '.join(lane.addresses)}, of an unknown region"
    return "nothing yet"
