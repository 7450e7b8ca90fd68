"""The observers of a drill: what they ask, and whom they learn of."""

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
    """A connection to it."""

    def get(self, path: str) -> HttpAnswer:
        return HttpAnswer(200, "us-east-1", "v1", "id", 0.01)

    def close(self) -> None:
        pass


def observed(world: World, seconds: float, **changes: object) -> list[Event]:
    """What the observers emit in so many seconds."""
    events: list[Event] = []
    probes = replace(world.probes(), **changes)  # type: ignore[arg-type]
    ports = replace(world.drill_ports(), probes=probes)
    observers = Observers(ports, world, SERVICE, Scenario(), world.name_servers, events.append)
    while world.now() < seconds:
        world.sleep(observers.tick())
    return events


def test_a_client_takes_the_addresses_of_an_answer_in_turn() -> None:
    """So that it is learnt of each whose it is: API Gateway answers with several."""
    both = TwoAddresses()
    one_lane = [
        each for each in observed(World(), 10.0, dns=both, http=both) if isinstance(each, Served)
    ]
    assert {each.address for each in one_lane if each.lane == FRESH_CLIENT} == {
        "192.0.2.1",
        "192.0.2.2",
    }


def test_each_lane_keeps_its_own_pace() -> None:
    """An open loop: as many requests of a client as its interval says, whatever the others do."""
    served = [each for each in observed(World(), 30.0) if isinstance(each, Served)]
    for lane in (FRESH_CLIENT, KEPT_CONNECTION_CLIENT):
        assert 29 <= sum(each.lane == lane for each in served) <= 31
