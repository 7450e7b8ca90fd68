"""The observers of a drill: the requests that they make, and their pace."""

from dataclasses import replace

from deploytool.core.drill.history import FRESH_CLIENT, KEPT_CONNECTION_CLIENT, Event, Served
from deploytool.core.drill.scenario import Scenario
from deploytool.core.ports import DnsAnswer, HttpAnswer, Nameserver
from deploytool.simulated.example import SERVICE
from deploytool.simulated.world import World
from deploytool.work.drill.observers import Observers


class TwoAddresses:
    """DNS and HTTP of a region with two addresses."""

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:
        return DnsAnswer("NOERROR", ("192.0.2.1", "192.0.2.2"), 60)

    def get(self, domain: str, address: str, path: str) -> HttpAnswer:
        return HttpAnswer(200, "us-east-1", "v1", "id", 0.01)

    def connect(self, domain: str, address: str) -> "Kept":
        return Kept()


class Kept:
    """A kept connection to that region."""

    def get(self, path: str) -> HttpAnswer:
        return HttpAnswer(200, "us-east-1", "v1", "id", 0.01)

    def close(self) -> None:
        pass


def observed(world: World, seconds: float, **changes: object) -> list[Event]:
    """Return the events that the observers emit in `seconds`."""
    events: list[Event] = []
    probes = replace(world.probes(), **changes)  # type: ignore[arg-type]
    ports = replace(world.drill_ports(), probes=probes)
    observers = Observers(ports, world, SERVICE, Scenario(), world.name_servers, events.append)
    while world.now() < seconds:
        world.sleep(observers.tick())
    return events


def test_a_client_takes_the_addresses_of_an_answer_in_turn() -> None:
    """Each address is requested, because API Gateway answers with several.

    So the history tells to which region each address belongs.
    """
    region = TwoAddresses()
    addresses: set[str] = set()
    for event in observed(World(), 10.0, dns=region, http=region):
        if isinstance(event, Served) and event.lane == FRESH_CLIENT:
            addresses.add(event.address)
    assert addresses == {"192.0.2.1", "192.0.2.2"}


def test_each_lane_keeps_its_own_pace() -> None:
    """Each client makes one request an interval, whatever the other clients do."""
    lanes = [event.lane for event in observed(World(), 30.0) if isinstance(event, Served)]
    for lane in (FRESH_CLIENT, KEPT_CONNECTION_CLIENT):
        assert 29 <= lanes.count(lane) <= 31
