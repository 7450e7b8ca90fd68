"""The name server: message to message, bytes to bytes, and over real sockets."""

import asyncio
import shutil
import struct
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dns.asyncquery
import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from dns.message import Message
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.zone import AliasTarget, HostedZone, RecordSet
from deploytool.localcloud.dns.nameserver import AnswerChanged, NameServer
from deploytool.localcloud.dns.server import DnsServer

EAST, WEST = "127.0.0.11", "127.0.0.12"
TARGETS = {
    "d-e.execute-api.us-east-1.amazonaws.com.": EAST,
    "d-w.execute-api.us-west-2.amazonaws.com.": WEST,
}


def alias(target: str, zone: str = "Z1UJRXOUMOOFQ8") -> AliasTarget:
    """An alias target of AWS, or within the zone Z1."""
    return AliasTarget(target, zone, evaluate_target_health=True)


APEX = "example.com."
EAST_ALIAS, WEST_ALIAS = (alias(target) for target in TARGETS)
RECORDS = (
    RecordSet(
        APEX,
        "SOA",
        900,
        ("ns-1.awsdns-01.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",),
    ),
    RecordSet(APEX, "NS", 172800, ("ns-1.awsdns-01.com.", "ns-2.awsdns-02.net.")),
    RecordSet(
        "dev.example.com.",
        "A",
        alias=EAST_ALIAS,
        set_identifier="e",
        failover="PRIMARY",
        health_check_id="hc",
    ),
    RecordSet("dev.example.com.", "A", alias=WEST_ALIAS, set_identifier="w", failover="SECONDARY"),
    RecordSet("us-east-1.dev.example.com.", "A", alias=EAST_ALIAS),
    RecordSet("again.example.com.", "A", alias=alias("dev.example.com.", "Z1")),
    RecordSet("gone.example.com.", "A", alias=alias("d-x.execute-api.us-east-1.amazonaws.com.")),
    RecordSet("nowhere.example.com.", "A", alias=alias("nothing.example.com.", "Z1")),
    RecordSet("circle.example.com.", "A", alias=alias("circle.example.com.", "Z1")),
    RecordSet("six.example.com.", "AAAA", alias=EAST_ALIAS),
    RecordSet("plain.example.com.", "A", 300, ("192.0.2.1", "192.0.2.2")),
    RecordSet("www.example.com.", "CNAME", 120, ("plain.example.com",)),
    RecordSet("out.example.com.", "CNAME", 120, ("www.example.org.",)),
    RecordSet("dangling.example.com.", "CNAME", 120, ("missing.example.com.",)),
    RecordSet("round.example.com.", "CNAME", 120, ("round.example.com.",)),
    RecordSet("child.example.com.", "NS", 300, ("ns.child.example.com.",)),
    RecordSet("ns.child.example.com.", "A", 300, ("192.0.2.53",)),
    RecordSet("into.example.com.", "CNAME", 120, ("x.child.example.com.",)),
    RecordSet("weighted.example.com.", "A", 60, ("192.0.2.1",), set_identifier="a"),
    RecordSet("bad.example.com.", "A", 60, ("not an address",)),
    RecordSet("no-ttl.example.com.", "A", None, ("192.0.2.1",)),
    RecordSet("\\052.wild.example.com.", "TXT", 60, ('"wild"',)),
    RecordSet("long.example.com.", "TXT", 60, tuple(f'"{number:0200}"' for number in range(20))),
)


@dataclass
class Cloud:
    """The control plane and the verdicts on health checks, as values."""

    zones: tuple[HostedZone, ...] = (HostedZone("Z1", APEX, ("ns-1.awsdns-01.com.",), RECORDS),)
    unhealthy: set[str] = field(default_factory=set)

    def hosted_zones(self) -> Sequence[HostedZone]:
        return self.zones

    def health_checks(self) -> Mapping[str, HealthCheck]:
        return {}

    def aws_names(self) -> Mapping[str, str]:
        return TARGETS

    def is_healthy(self, health_check_id: str) -> bool:
        return health_check_id not in self.unhealthy


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with one zone, everything healthy."""
    return Cloud()


@pytest.fixture
def server(cloud: Cloud) -> NameServer:
    """Its name server."""
    return NameServer(cloud, cloud)


def ask(server: NameServer, name: str, type_: str = "A", **options: Any) -> Message:
    """The response to one question."""
    return server.respond(dns.message.make_query(name, type_, **options))


def answers(response: Message) -> list[str]:
    """The answer section's records as text: name, TTL, class, type, value."""
    return [line for rrset in response.answer for line in rrset.to_text().splitlines()]


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        pytest.param(
            "us-east-1.dev.example.com.",
            "A",
            [f"us-east-1.dev.example.com. 60 IN A {EAST}"],
            id="an alias, TTL 60",
        ),
        pytest.param(
            "dev.example.com.", "A", [f"dev.example.com. 60 IN A {EAST}"], id="the primary"
        ),
        pytest.param(
            "again.example.com.",
            "A",
            [f"again.example.com. 60 IN A {EAST}"],
            id="an alias within the zone",
        ),
        pytest.param(
            "DEV.example.com.",
            "A",
            [f"DEV.example.com. 60 IN A {EAST}"],
            id="upper case of the query is kept",
        ),
        pytest.param(
            "plain.example.com.",
            "A",
            ["plain.example.com. 300 IN A 192.0.2.1", "plain.example.com. 300 IN A 192.0.2.2"],
            id="a simple record",
        ),
        pytest.param(
            "www.example.com.",
            "A",
            [
                "www.example.com. 120 IN CNAME plain.example.com.",
                "plain.example.com. 300 IN A 192.0.2.1",
                "plain.example.com. 300 IN A 192.0.2.2",
            ],
            id="a CNAME within the zone",
        ),
        pytest.param(
            "out.example.com.",
            "A",
            ["out.example.com. 120 IN CNAME www.example.org."],
            id="a CNAME out of the zone",
        ),
        pytest.param(
            "x.wild.example.com.", "TXT", ['x.wild.example.com. 60 IN TXT "wild"'], id="a wildcard"
        ),
        pytest.param(
            APEX,
            "NS",
            [
                "example.com. 172800 IN NS ns-1.awsdns-01.com.",
                "example.com. 172800 IN NS ns-2.awsdns-02.net.",
            ],
            id="NS",
        ),
    ],
)
def test_answers(server: NameServer, name: str, type_: str, expected: list[str]) -> None:
    """A name that has records of the type is answered with them.

    The answer has authority and offers no recursion.
    """
    response = ask(server, name, type_)
    assert response.rcode() == dns.rcode.NOERROR
    assert answers(response) == expected
    assert response.flags & dns.flags.AA
    assert response.flags & dns.flags.QR
    assert not response.flags & dns.flags.RA
    assert response.flags & dns.flags.RD  # copied from the query
    assert not response.authority


@pytest.mark.parametrize(
    ("name", "type_", "rcode", "records"),
    [
        pytest.param("dev.example.com.", "AAAA", "NOERROR", 0, id="AAAA of an alias"),
        pytest.param(
            "six.example.com.", "AAAA", "NOERROR", 0, id="an AAAA alias to an IPv4 target"
        ),
        pytest.param(
            "gone.example.com.", "A", "NOERROR", 0, id="an alias to a name that AWS no longer has"
        ),
        pytest.param(
            "nowhere.example.com.",
            "A",
            "NOERROR",
            0,
            id="an alias to a name that the zone does not have",
        ),
        pytest.param("wild.example.com.", "A", "NOERROR", 0, id="an empty non-terminal"),
        pytest.param("missing.example.com.", "A", "NXDOMAIN", 0, id="no such name"),
        pytest.param("dangling.example.com.", "A", "NXDOMAIN", 1, id="a CNAME to no such name"),
    ],
)
def test_negative_answers(
    server: NameServer, name: str, type_: str, rcode: str, records: int
) -> None:
    """NODATA and NXDOMAIN carry the SOA, with the lower of its TTL and its minimum."""
    response = ask(server, name, type_)
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert len(response.answer) == records
    assert [(str(rrset.name), rrset.rdtype, rrset.ttl) for rrset in response.authority] == [
        (APEX, dns.rdatatype.SOA, 900)
    ]
    assert response.flags & dns.flags.AA


def test_failover(server: NameServer, cloud: Cloud) -> None:
    """When the primary's health check fails the secondary answers, also for an alias; and back."""
    cloud.unhealthy.add("hc")
    assert answers(ask(server, "dev.example.com.")) == [f"dev.example.com. 60 IN A {WEST}"]
    assert answers(ask(server, "again.example.com.")) == [f"again.example.com. 60 IN A {WEST}"]
    cloud.unhealthy.clear()
    assert answers(ask(server, "dev.example.com.")) == [f"dev.example.com. 60 IN A {EAST}"]


def test_referral(server: NameServer) -> None:
    """A name below a delegation is referred to the child's name servers, without authority.

    Their addresses are included.
    """
    response = ask(server, "x.child.example.com.")
    assert not response.flags & dns.flags.AA
    assert not response.answer
    assert [rrset.to_text() for rrset in response.authority] == [
        "child.example.com. 300 IN NS ns.child.example.com."
    ]
    assert [rrset.to_text() for rrset in response.additional] == [
        "ns.child.example.com. 300 IN A 192.0.2.53"
    ]
    assert ask(server, "into.example.com.").flags & dns.flags.AA  # for the CNAME that led there


@pytest.mark.difference
def test_an_alias_has_no_ipv6_address(server: NameServer) -> None:
    """On AWS the domain name of a dual-stack API has IPv6 addresses, which an AAAA alias answers.

    Source: API Gateway Developer Guide, "IP address types for custom domain names in API Gateway".
    The local edges have IPv4 addresses of this machine only: it has a single one of IPv6.
    """
    response = ask(server, "six.example.com.", "AAAA")
    assert response.rcode() == dns.rcode.NOERROR
    assert not response.answer


@pytest.mark.difference
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("weighted.example.com.", "only simple and failover routing"),
        ("circle.example.com.", "circle"),
        ("round.example.com.", "CNAMEs"),
        ("bad.example.com.", "not an address"),
        ("no-ttl.example.com.", "needs a TTL"),
    ],
)
def test_what_is_not_built_is_refused(server: NameServer, name: str, text: str) -> None:
    """What a zone needs and is not built is SERVFAIL, with the reason as extended DNS error.

    A client without EDNS0 gets no reason.
    """
    response = ask(server, name, use_edns=0)
    assert response.rcode() == dns.rcode.SERVFAIL
    assert not response.answer
    assert not response.flags & dns.flags.AA
    (option,) = response.options
    assert isinstance(option, dns.edns.EDEOption)
    assert text in (option.text or "")
    assert ask(server, name, use_edns=False).edns == -1


def test_zone_without_soa(cloud: Cloud) -> None:
    """A zone without SOA cannot give a negative answer: SERVFAIL, not an exception."""
    cloud.zones = (HostedZone("Z2", "empty.org.", (), ()),)
    assert ask(NameServer(cloud, cloud), "x.empty.org.").rcode() == dns.rcode.SERVFAIL


def query_of(
    *,
    type_: str = "A",
    class_: str = "IN",
    opcode: dns.opcode.Opcode = dns.opcode.QUERY,
    questions: int = 1,
    edns: int | None = None,
) -> Message:
    """A query about the apex with something unusual about it."""
    query = dns.message.make_query(APEX, type_, class_, use_edns=edns)
    query.set_opcode(opcode)
    query.question *= questions
    return query


@pytest.mark.parametrize(
    ("query", "rcode"),
    [
        pytest.param(dns.message.make_query("example.org.", "A"), "REFUSED", id="not our zone"),
        pytest.param(
            dns.message.make_query(next(iter(TARGETS)), "A"), "REFUSED", id="AWS's own name"
        ),
        pytest.param(query_of(class_="CH"), "REFUSED", id="another class"),
        pytest.param(query_of(type_="AXFR"), "REFUSED", id="a zone transfer"),
        pytest.param(query_of(type_="ANY"), "NOTIMP", id="ANY"),
        pytest.param(query_of(opcode=dns.opcode.NOTIFY), "NOTIMP", id="another opcode"),
        pytest.param(query_of(questions=0), "FORMERR", id="no question"),
        pytest.param(query_of(questions=2), "FORMERR", id="two questions"),
        pytest.param(query_of(edns=1), "BADVERS", id="EDNS version 1"),
    ],
)
def test_refusals(server: NameServer, query: Message, rcode: str) -> None:
    """What this server does not do is answered with the error that the protocol has for it."""
    wire = server.handle(query.to_wire(), tcp=False)
    assert wire is not None
    response = dns.message.from_wire(wire)
    assert dns.rcode.to_text(response.rcode()) == rcode
    assert response.id == query.id
    assert not response.answer


@pytest.mark.parametrize(
    ("edns", "payload", "tcp", "truncated"),
    [
        pytest.param(False, 0, False, True, id="plain UDP: 512 bytes"),
        pytest.param(0, 100, False, True, id="a payload below 512 counts as 512"),
        pytest.param(0, 65535, False, True, id="our own limit of 1,232"),
        pytest.param(False, 0, True, False, id="TCP"),
    ],
)
def test_truncation(
    server: NameServer, edns: bool | int, payload: int, tcp: bool, truncated: bool
) -> None:
    """An answer too large for UDP has TC set and fits the client's limit; over TCP it is whole."""
    query = dns.message.make_query("long.example.com.", "TXT", use_edns=edns, payload=payload)
    wire = server.handle(query.to_wire(), tcp=tcp)
    assert wire is not None
    response = dns.message.from_wire(wire)
    assert bool(response.flags & dns.flags.TC) == truncated
    assert len(wire) <= (65535 if tcp else max(512, min(payload, 1232)))
    assert bool(response.answer) == (not truncated)


def test_edns_is_answered_with_edns(server: NameServer) -> None:
    """A query with EDNS0 gets EDNS0 back with our payload, one without gets none."""
    with_edns = ask(server, "dev.example.com.", use_edns=0, payload=4096)
    assert (with_edns.edns, with_edns.payload) == (0, 1232)
    assert ask(server, "dev.example.com.", use_edns=False).edns == -1


PLAIN = dns.message.make_query("dev.example.com.", "A").to_wire()


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=600),
        st.tuples(st.just(PLAIN[:12]), st.binary(max_size=80)).map(b"".join),
    ),
    st.booleans(),
)
@example(PLAIN[:20], False)
@example(PLAIN + b"trailing", True)
@example(struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c\x00\x01\x00\x01", False)
def test_arbitrary_bytes(wire: bytes, tcp: bool) -> None:
    """No bytes make the server raise.

    It answers with a well-formed response to the same id, or not at all.
    """
    cloud = Cloud()
    answer = NameServer(cloud, cloud).handle(wire, tcp=tcp)
    if len(wire) < 12 or wire[2] & 0x80:
        assert answer is None
    else:
        assert answer is not None
        assert answer[:2] == wire[:2]
        assert dns.message.from_wire(answer).flags & dns.flags.QR


@settings(deadline=None)
@given(
    st.binary(max_size=60),
    st.integers(0, 65535),
    st.sampled_from([1, 2, 5, 6, 16, 28, 43, 255, 65280]),
)
def test_arbitrary_names(label: bytes, ident: int, rdtype: int) -> None:
    """Whatever bytes a name's label has, the question is answered."""
    name = bytes([len(label)]) + label if label else b""
    question = name + b"\x07example\x03com\x00" + struct.pack("!2H", rdtype, 1)
    cloud = Cloud()
    answer = NameServer(cloud, cloud).handle(
        struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + question, tcp=False
    )
    assert answer is not None
    assert answer[:2] == struct.pack("!H", ident)
    assert answer[3] & 0x0F in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.NOTIMP)


def test_changes_of_the_answer_are_told(cloud: Cloud) -> None:
    """Each change of a failover name's answer is reported once, with old and new and the time.

    Changes of other names are not reported.
    """
    changes: list[AnswerChanged] = []
    time = iter(range(100, 200))
    server = NameServer(cloud, cloud, on_change=changes.append, now=lambda: float(next(time)))
    server.refresh()
    assert changes == []
    cloud.unhealthy.add("hc")
    ask(server, "DEV.example.com.")
    ask(server, "dev.example.com.")
    ask(server, "plain.example.com.")
    cloud.unhealthy.clear()
    server.refresh()
    assert changes == [
        AnswerChanged("dev.example.com.", (EAST,), (WEST,), 100.0),
        AnswerChanged("dev.example.com.", (WEST,), (EAST,), 101.0),
    ]


def over_sockets(server: NameServer, work: Callable[[DnsServer], Awaitable[None]]) -> None:
    """Run `work` while the server listens on a free port."""

    async def run() -> None:
        sockets = DnsServer(server.handle)
        await sockets.start()
        try:
            await asyncio.wait_for(work(sockets), 10)
        finally:
            await sockets.stop()
            await sockets.stop()

    asyncio.run(run())


def test_over_udp_and_tcp(server: NameServer) -> None:
    """A client of dnspython gets the same answer over UDP and TCP, and a truncated one over TCP."""

    async def work(sockets: DnsServer) -> None:
        query = dns.message.make_query("dev.example.com.", "A")
        for transport in (dns.asyncquery.udp, dns.asyncquery.tcp):
            response = await transport(query, sockets.address, port=sockets.port, timeout=5)
            assert answers(response) == [f"dev.example.com. 60 IN A {EAST}"]
        long = dns.message.make_query("long.example.com.", "TXT")
        response, tcp = await dns.asyncquery.udp_with_fallback(
            long, sockets.address, port=sockets.port, timeout=5
        )
        assert tcp
        assert len(response.answer[0]) == 20

    over_sockets(server, work)


@pytest.mark.skipif(shutil.which("dig") is None, reason="dig is not installed")
def test_dig(server: NameServer) -> None:
    """The tool dig gets the answer over UDP and TCP, and shows the reason of a SERVFAIL."""

    async def dig(sockets: DnsServer, *arguments: str) -> str:
        command = [
            "dig",
            f"@{sockets.address}",
            "-p",
            str(sockets.port),
            "+tries=1",
            "+time=5",
            *arguments,
        ]
        return (
            await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, check=True
            )
        ).stdout

    async def work(sockets: DnsServer) -> None:
        assert (await dig(sockets, "+short", "dev.example.com")).split() == [EAST]
        assert (await dig(sockets, "+short", "+tcp", "dev.example.com")).split() == [EAST]
        assert "ns-1.awsdns-01.com." in await dig(sockets, "+short", "example.com", "NS")
        weighted = await dig(sockets, "weighted.example.com")
        assert "status: SERVFAIL" in weighted
        assert "only simple and failover routing" in weighted

    over_sockets(server, work)


def test_tcp_connections(server: NameServer) -> None:
    """One TCP connection carries several queries; a message without answer closes it.

    Stopping closes an idle connection.
    """

    async def work(sockets: DnsServer) -> None:
        reader, writer = await asyncio.open_connection(sockets.address, sockets.port)
        query = dns.message.make_query("dev.example.com.", "A").to_wire()
        for _ in range(2):
            writer.write(struct.pack("!H", len(query)) + query)
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            assert dns.message.from_wire(await reader.readexactly(length)).answer
        writer.write(b"\x00\x03abc")
        assert await reader.read() == b""
        writer.close()
        idle, its_writer = await asyncio.open_connection(sockets.address, sockets.port)
        await sockets.stop()
        assert await idle.read() == b""
        its_writer.close()

    over_sockets(server, work)


def test_a_taken_port_is_an_error(server: NameServer) -> None:
    """A given port that is taken, on UDP or on TCP alone, is an OSError."""

    async def work(sockets: DnsServer) -> None:
        with pytest.raises(OSError, match=r"(?i)address already in use"):
            await DnsServer(server.handle, port=sockets.port).start()
        tcp_only = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        taken = DnsServer(server.handle, port=tcp_only.sockets[0].getsockname()[1])
        with pytest.raises(OSError, match=r"(?i)address already in use"):
            await taken.start()
        await taken.stop()
        tcp_only.close()

    over_sockets(server, work)
