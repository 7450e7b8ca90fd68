"""The resolver: recursion over the hosted zones and AWS's names, and its cache."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dns.asyncquery
import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest
from dns.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.zone import AliasTarget, HostedZone, RecordSet
from deploytool.localcloud.clock import CloudClock
from deploytool.localcloud.dns import resolver
from deploytool.localcloud.dns.nameserver import NameServer
from deploytool.localcloud.dns.resolution import ResolutionFailed, UncachedResolver
from deploytool.localcloud.dns.resolver import Resolver
from deploytool.localcloud.dns.server import DnsServer

EAST, WEST = "127.0.0.11", "127.0.0.12"
EAST_NAME = "d-e.execute-api.us-east-1.amazonaws.com."
WEST_NAME = "d-w.execute-api.us-west-2.amazonaws.com."


def zone(name: str, *records: RecordSet) -> HostedZone:
    """A zone with a SOA whose negative answers last 900 s."""
    values = "ns-1.awsdns-01.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    return HostedZone(f"Z-{name}", name, (), (RecordSet(name, "SOA", 900, (values,)), *records))


def failover(role: str, target: str, check: str) -> RecordSet:
    """One of the two records of dev.example.com."""
    alias = AliasTarget(target, "Z1UJRXOUMOOFQ8", evaluate_target_health=True)
    return RecordSet(
        "dev.example.com.",
        "A",
        alias=alias,
        set_identifier=role,
        failover=role,
        health_check_id=check,
    )


ZONES = (
    zone(
        "example.com.",
        failover("PRIMARY", EAST_NAME, "hc"),
        failover("SECONDARY", WEST_NAME, ""),
        RecordSet("shop.example.com.", "CNAME", 300, ("dev.example.com.",)),
        RecordSet("away.example.com.", "CNAME", 300, ("www.example.org.",)),
        RecordSet("aws.example.com.", "CNAME", 300, (EAST_NAME,)),
        RecordSet("far.example.com.", "CNAME", 300, ("www.example.net.",)),
        RecordSet("lost.example.com.", "CNAME", 300, ("none.example.org.",)),
        RecordSet("ping.example.com.", "CNAME", 300, ("pong.example.org.",)),
        RecordSet("child.example.com.", "NS", 300, ("ns.elsewhere.net.",)),
        RecordSet("weighted.example.com.", "A", 60, ("192.0.2.1",), set_identifier="a"),
    ),
    zone(
        "example.org.",
        RecordSet("www.example.org.", "A", 30, ("192.0.2.1",)),
        RecordSet("pong.example.org.", "CNAME", 300, ("ping.example.com.",)),
    ),
)


@dataclass
class Cloud:
    """The control plane, the health of the primary and the cloud's time, as values."""

    healthy: bool = True
    time: float = 0.0
    queries: int = 0

    def hosted_zones(self) -> Sequence[HostedZone]:
        return ZONES

    def health_checks(self) -> Mapping[str, HealthCheck]:
        return {}

    def aws_names(self) -> Mapping[str, str]:
        return {EAST_NAME: EAST, WEST_NAME: WEST}

    def is_healthy(self, health_check_id: str) -> bool:
        return self.healthy

    def authority(self, query: Message) -> Message:
        self.queries += 1
        return NameServer(self, self).respond(query)


@pytest.fixture
def cloud() -> Cloud:
    """A healthy cloud at second 0."""
    return Cloud()


@pytest.fixture
def server(cloud: Cloud) -> Resolver:
    """Its resolver."""
    return Resolver(UncachedResolver(cloud.authority, cloud).step, lambda: cloud.time)


def ask(server: Resolver, name: str, type_: str = "A") -> Message:
    """The response to one question with RD."""
    return server.respond(dns.message.make_query(name, type_, use_edns=0))


def answers(response: Message) -> list[str]:
    """The answer section's records as text."""
    return [line for rrset in response.answer for line in rrset.to_text().splitlines()]


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        pytest.param(
            "dev.example.com.", "A", [f"dev.example.com. 60 IN A {EAST}"], id="a hosted zone"
        ),
        pytest.param(EAST_NAME, "A", [f"{EAST_NAME} 60 IN A {EAST}"], id="AWS's own name"),
        pytest.param(EAST_NAME, "AAAA", [], id="AWS's own name has no AAAA"),
        pytest.param(
            "shop.example.com.",
            "A",
            ["shop.example.com. 300 IN CNAME dev.example.com.", f"dev.example.com. 60 IN A {EAST}"],
            id="a CNAME within the zone",
        ),
        pytest.param(
            "away.example.com.",
            "A",
            [
                "away.example.com. 300 IN CNAME www.example.org.",
                "www.example.org. 30 IN A 192.0.2.1",
            ],
            id="a CNAME to another zone",
        ),
        pytest.param(
            "aws.example.com.",
            "A",
            [f"aws.example.com. 300 IN CNAME {EAST_NAME}", f"{EAST_NAME} 60 IN A {EAST}"],
            id="a CNAME to AWS",
        ),
        pytest.param(
            "aws.example.com.",
            "AAAA",
            [f"aws.example.com. 300 IN CNAME {EAST_NAME}"],
            id="without AAAA",
        ),
        pytest.param(
            "away.example.com.",
            "CNAME",
            ["away.example.com. 300 IN CNAME www.example.org."],
            id="the CNAME itself",
        ),
        pytest.param("dev.example.com.", "AAAA", [], id="nothing of the type"),
    ],
)
def test_answers(server: Resolver, name: str, type_: str, expected: list[str]) -> None:
    """Names of hosted zones and of AWS are resolved to the end.

    The answer offers recursion and claims no authority.
    """
    for _ in range(2):  # the second time from the cache
        response = ask(server, name, type_)
        assert response.rcode() == dns.rcode.NOERROR
        assert answers(response) == expected
        assert response.flags & dns.flags.RA
        assert not response.flags & dns.flags.AA


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("www.example.net.", "no internet", id="no zone here"),
        pytest.param("far.example.com.", "no internet", id="a CNAME to no zone here"),
        pytest.param("x.child.example.com.", "delegated", id="delegated elsewhere"),
        pytest.param("weighted.example.com.", "only simple and failover routing", id="not built"),
        pytest.param("ping.example.com.", "CNAMEs", id="CNAMEs in a circle"),
    ],
)
def test_failures(server: Resolver, cloud: Cloud, name: str, text: str) -> None:
    """What cannot be resolved is SERVFAIL with its reason, and is not cached."""
    response = ask(server, name)
    assert response.rcode() == dns.rcode.SERVFAIL
    (option,) = response.options
    assert isinstance(option, dns.edns.EDEOption)
    assert text in (option.text or "")
    before = cloud.queries
    ask(server, name)
    if name != "ping.example.com.":
        assert cloud.queries > before


def test_queries_without_recursion_are_refused(server: Resolver) -> None:
    """A query without RD is refused, and so is one that no server answers."""
    query = dns.message.make_query("dev.example.com.", "A", flags=0)
    assert server.respond(query).rcode() == dns.rcode.REFUSED
    assert ask(server, "dev.example.com.", "AXFR").rcode() == dns.rcode.REFUSED


def test_answers_are_kept_for_their_ttl(server: Resolver, cloud: Cloud) -> None:
    """An answer is cached for its TTL in cloud seconds, although the zone has failed over.

    The TTL of the answer counts down.
    """
    records = []
    for cloud.time in (0.0, 0.5, 1.0, 59.9, 60.0):
        records += answers(ask(server, "dev.example.com."))
        cloud.healthy = False
    assert records == [
        f"dev.example.com. 60 IN A {EAST}",
        f"dev.example.com. 60 IN A {EAST}",
        f"dev.example.com. 59 IN A {EAST}",
        f"dev.example.com. 1 IN A {EAST}",
        f"dev.example.com. 60 IN A {WEST}",
    ]
    assert cloud.queries == 2


def test_each_zone_keeps_its_own_ttl(server: Resolver, cloud: Cloud) -> None:
    """Each part of a chain over two zones is cached for its own TTL."""
    ask(server, "away.example.com.")
    cloud.time = 40.0
    expected = [
        "away.example.com. 260 IN CNAME www.example.org.",
        "www.example.org. 30 IN A 192.0.2.1",
    ]
    assert answers(ask(server, "away.example.com.")) == expected
    assert cloud.queries == 3


@pytest.mark.parametrize(
    ("name", "type_", "rcode"),
    [
        ("none.example.com.", "A", "NXDOMAIN"),
        ("dev.example.com.", "AAAA", "NOERROR"),
        ("lost.example.com.", "A", "NXDOMAIN"),
    ],
)
def test_negative_answers_are_kept(
    server: Resolver, cloud: Cloud, name: str, type_: str, rcode: str
) -> None:
    """A negative answer stays for the SOA's time, which it shows counting down."""
    for cloud.time, ttl in ((0.0, 900), (100.0, 800), (299.0, 601)):
        response = ask(server, name, type_)
        assert dns.rcode.to_text(response.rcode()) == rcode
        assert [rrset.ttl for rrset in response.authority] == [ttl]
    before = cloud.queries
    cloud.time = 900.0
    ask(server, name, type_)
    assert cloud.queries > before


def test_the_cache_is_bounded(
    server: Resolver, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache keeps a bounded number of answers and forgets the oldest."""
    monkeypatch.setattr(resolver, "_LARGEST_CACHE", 2)
    for number in (1, 2, 3, 3, 1):
        ask(server, f"n{number}.example.com.")
    assert cloud.queries == 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dev.example.com", (EAST,)),
        ("aws.example.com.", (EAST,)),
        ("away.example.com", ("192.0.2.1",)),
    ],
)
def test_addresses(cloud: Cloud, name: str, expected: tuple[str, ...]) -> None:
    """The uncached resolver follows CNAMEs to the addresses."""
    assert UncachedResolver(cloud.authority, cloud).addresses(name) == expected


def test_addresses_are_never_cached(cloud: Cloud) -> None:
    """The uncached resolver sees a failover at once."""
    assert UncachedResolver(cloud.authority, cloud).addresses("dev.example.com") == (EAST,)
    cloud.healthy = False
    assert UncachedResolver(cloud.authority, cloud).addresses("dev.example.com") == (WEST,)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("none.example.com", "NXDOMAIN"),
        ("www.example.net", "no internet"),
        ("a..b", "a..b"),
        ("example.com", "NOERROR, no A record"),
    ],
)
def test_no_address(cloud: Cloud, name: str, text: str) -> None:
    """A name without an address says why."""
    with pytest.raises(ResolutionFailed, match=text):
        UncachedResolver(cloud.authority, cloud).addresses(name)


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_arbitrary_bytes(wire: bytes) -> None:
    """No bytes make the resolver raise."""
    cloud = Cloud()
    answer = Resolver(UncachedResolver(cloud.authority, cloud).step, lambda: 0.0).handle(
        wire, tcp=False
    )
    assert answer is None or answer[:2] == wire[:2]


def test_over_sockets_at_speed(cloud: Cloud) -> None:
    """At speed 600 an answer with a TTL of 60 s expires after a tenth of a second of wall time."""

    async def run() -> None:
        clock = CloudClock(600)
        sockets = DnsServer(
            Resolver(UncachedResolver(cloud.authority, cloud).step, clock.now).handle
        )
        await sockets.start()
        query = dns.message.make_query("dev.example.com.", "A")
        try:
            first = await dns.asyncquery.udp(query, sockets.address, port=sockets.port, timeout=5)
            first_answered = clock.now()
            cloud.healthy = False
            await clock.sleep(first_answered + 60 - clock.now() + 1)
            second = await dns.asyncquery.tcp(query, sockets.address, port=sockets.port, timeout=5)
        finally:
            await sockets.stop()
        assert answers(first) == [f"dev.example.com. 60 IN A {EAST}"]
        assert answers(second) == [f"dev.example.com. 60 IN A {WEST}"]

    asyncio.run(run())
