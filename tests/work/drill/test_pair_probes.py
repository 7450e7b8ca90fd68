"""Probes of a pair that deploytool did not deploy: which region an answer is from."""

from collections.abc import Mapping

import pytest

from deploytool.core.ports import DnsAnswer, HttpAnswer, Nameserver
from deploytool.work.drill.pair_probes import PairDns, PairHttp, Regions

EAST, WEST = "us-east-1", "us-west-2"
NAMES = {EAST: "east.elb.example.", WEST: "west.elb.example"}
ZONE, RESOLVER = Nameserver("ns", "192.0.2.53"), Nameserver("resolver", "192.0.2.54")


class Servers:
    """A zone's name server, which knows one name, and a resolver, which knows all."""

    def __init__(self, answers: Mapping[str, DnsAnswer]) -> None:
        self.answers = answers

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:
        if server is ZONE and name != "api.example.com":
            return DnsAnswer("REFUSED", (), None)
        return self.answers[name.rstrip(".")]


class Endpoint:
    """Answers with a header, and names no region."""

    def __init__(self, headers: Mapping[str, str], region: str | None = None) -> None:
        self.answer = HttpAnswer(200, region, None, None, 0.1, headers)

    def get(self, *_where: str) -> HttpAnswer:
        return self.answer

    def connect(self, _domain: str, _address: str) -> "Endpoint":
        return self


def of(*addresses: str) -> DnsAnswer:
    return DnsAnswer("NOERROR", addresses, 60)


@pytest.fixture
def regions() -> Regions:
    return Regions(NAMES)


@pytest.fixture
def dns(regions: Regions) -> PairDns:
    answers = {
        "api.example.com": DnsAnswer("NOERROR", (), 30, cname="east.elb.example."),
        "east.elb.example": of("192.0.2.1", "192.0.2.9"),
        "west.elb.example": of("192.0.2.2", "192.0.2.9"),
    }
    return PairDns(Servers(answers), RESOLVER, regions)


def test_a_chain_that_leaves_the_zone_is_followed(dns: PairDns) -> None:
    """A name server answers with the CNAME alone; a client asks its resolver for the rest."""
    assert dns.query(ZONE, "api.example.com").addresses == ("192.0.2.1", "192.0.2.9")


def test_the_targets_are_asked_of_the_resolver(dns: PairDns) -> None:
    """The servers of the zone know nothing of them."""
    assert dns.query(ZONE, "west.elb.example").rcode == "NOERROR"


def test_an_address_is_its_own_answer(dns: PairDns) -> None:
    """A record may have addresses in place of a name."""
    assert dns.query(ZONE, "192.0.2.7").addresses == ("192.0.2.7",)


@pytest.mark.parametrize(
    ("address", "region"), [("192.0.2.1", EAST), ("192.0.2.2", WEST), ("192.0.2.9", None)]
)
def test_an_address_tells_the_region_when_only_one_has_it(
    dns: PairDns, regions: Regions, address: str, region: str | None
) -> None:
    """An address of both tells nothing."""
    for name in NAMES.values():
        dns.query(RESOLVER, name)
    assert PairHttp(Endpoint({}), regions).get("api.example.com", address, "/").region == region
    kept = PairHttp(Endpoint({}), regions).connect("api.example.com", address)
    assert kept.get("/").region == region


def test_a_header_tells_the_region_by_a_name_of_its_own(dns: PairDns) -> None:
    """What `blue` is, the answer at an address of one region tells; then it is known everywhere."""
    regions = Regions(NAMES, "x-color")
    dns = PairDns(dns._dns, RESOLVER, regions)
    for name in NAMES.values():
        dns.query(RESOLVER, name)
    blue = PairHttp(Endpoint({"x-color": "blue"}), regions)
    assert blue.get("api.example.com", "192.0.2.9", "/").region is None
    assert blue.get("api.example.com", "192.0.2.1", "/").region == EAST
    assert blue.get("api.example.com", "192.0.2.9", "/").region == EAST


def test_a_region_that_an_answer_names_is_taken(regions: Regions) -> None:
    """As deploytool's own example does."""
    assert PairHttp(Endpoint({}, WEST), regions).get("d", "192.0.2.77", "/").region == WEST
