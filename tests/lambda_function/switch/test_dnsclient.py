"""The function's DNS client against dnspython: its messages, and exchanges over real sockets."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

NAME = "dev.example.com"
Respond = Callable[[dns.message.Message], list[bytes]]
labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
names = st.lists(labels, min_size=1, max_size=6).map(".".join)
addresses = st.lists(st.ip_addresses(v=4).map(str), max_size=8, unique=True)


@given(names, st.integers(0, 65535), st.booleans())
def test_a_query_is_what_dnspython_reads(
    dnsclient: ModuleType, name: str, query_id: int, recurse: bool
) -> None:
    """It has one question, for the name's addresses, and the flag RD as asked."""
    query = dns.message.from_wire(dnsclient.make_query(query_id, name, recurse=recurse))
    assert query.id == query_id
    assert bool(query.flags & dns.flags.RD) is recurse
    [question] = query.question
    assert question.name.to_text(omit_final_dot=True) == name
    assert question.rdtype == dns.rdatatype.A


@pytest.mark.parametrize("name", ["", ".", "a..b", f"{'a' * 64}.com", ".".join(["a" * 60] * 5)])
def test_a_name_that_dns_does_not_have_is_refused(dnsclient: ModuleType, name: str) -> None:
    """A label has 1 to 63 bytes, a name 255 at most."""
    with pytest.raises(dnsclient.DnsFailed, match=r"127\.0\.0\.1:53 gave no answer"):
        dnsclient.addresses_of(name, dnsclient.Server("127.0.0.1"), recurse=False)


def reply_to(query: dns.message.Message, *given: str) -> dns.message.Message:
    """Return a response with a CNAME, and the addresses at its target."""
    response = dns.message.make_response(query)
    name = query.question[0].name
    response.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", "target.example.net."))
    if given:
        response.answer.append(dns.rrset.from_text("target.example.net.", 60, "IN", "A", *given))
    return response


@given(names, addresses)
def test_a_reply_of_dnspython_is_read(
    dnsclient: ModuleType, name: str, expected: list[str]
) -> None:
    """Its names are compressed, and records of other types are passed over."""
    query = dns.message.make_query(name, "A")
    reply = dnsclient.parse_reply(reply_to(query, *expected).to_wire())
    assert sorted(reply.addresses) == sorted(expected)
    assert (reply.truncated, reply.rcode) == (False, 0)


@given(st.binary(max_size=80), st.integers(0, 100))
def test_any_bytes_are_read_or_refused(dnsclient: ModuleType, noise: bytes, cut: int) -> None:
    """No message raises another error than the one for malformed messages, and none loops."""
    whole = reply_to(dns.message.make_query(NAME, "A"), "192.0.2.1").to_wire()
    for message in (noise, whole[:cut], whole[:cut] + noise):
        try:
            dnsclient.parse_reply(message)
        except dnsclient._Malformed:
            continue


class UdpAnswers(socketserver.BaseRequestHandler):
    """Answers one datagram."""

    def handle(self) -> None:
        wire, connection = self.request
        for message in self.server.respond(dns.message.from_wire(wire)):  # type: ignore[attr-defined]
            connection.sendto(message, self.client_address)


class TcpAnswers(socketserver.BaseRequestHandler):
    """Answers one message of a connection."""

    def handle(self) -> None:
        wire = self.request.recv(65535)[2:]
        for message in self.server.respond(dns.message.from_wire(wire)):  # type: ignore[attr-defined]
            self.request.sendall(message)


@contextmanager
def running(server: socketserver.BaseServer, respond: Respond) -> Iterator[None]:
    server.respond = respond  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serving(respond: Respond, respond_by_tcp: Respond | None = None) -> Iterator[tuple[str, int]]:
    """Serve DNS by TCP, and by UDP on the same port, and yield the address.

    The functions return the messages to send for each query.
    """
    while True:
        tcp = socketserver.TCPServer(("127.0.0.1", 0), TcpAnswers)
        address = "127.0.0.1", int(tcp.server_address[1])
        try:
            udp = socketserver.UDPServer(address, UdpAnswers)
            break
        except OSError:
            # Another process has this port for UDP
            tcp.server_close()
    with running(tcp, respond_by_tcp or respond), running(udp, respond):
        yield address


def framed(message: dns.message.Message) -> bytes:
    wire = message.to_wire(max_size=65535)
    return len(wire).to_bytes(2, "big") + wire


def test_it_returns_the_addresses_of_a_name(dnsclient: ModuleType) -> None:
    """They are those of the answer, the target's of a CNAME too."""
    with serving(lambda query: [reply_to(query, "192.0.2.1", "192.0.2.2").to_wire()]) as where:
        found = dnsclient.addresses_of(NAME, dnsclient.Server(*where), recurse=True)
    assert sorted(found) == ["192.0.2.1", "192.0.2.2"]


def test_a_truncated_answer_is_asked_for_by_tcp(dnsclient: ModuleType) -> None:
    """More addresses than fit into a datagram come whole, in as many pieces as TCP makes."""
    expected = [f"192.0.2.{number}" for number in range(200)]

    def truncated(query: dns.message.Message) -> list[bytes]:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return [response.to_wire()]

    def whole(query: dns.message.Message) -> list[bytes]:
        wire = framed(reply_to(query, *expected))
        return [wire[:1], wire[1:700], wire[700:]]

    with serving(truncated, whole) as where:
        found = dnsclient.addresses_of(NAME, dnsclient.Server(*where), recurse=False)
    assert sorted(found) == sorted(expected)


def test_a_connection_that_ends_early_is_no_answer(dnsclient: ModuleType) -> None:
    """Half an answer is not taken for a whole one."""

    def truncated(query: dns.message.Message) -> list[bytes]:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return [response.to_wire()]

    with (
        serving(truncated, lambda query: [framed(reply_to(query, "192.0.2.1"))[:20]]) as where,
        pytest.raises(dnsclient.DnsFailed, match="the connection ended early"),
    ):
        dnsclient.addresses_of(NAME, dnsclient.Server(*where), recurse=False)


def test_an_answer_to_another_question_is_ignored(dnsclient: ModuleType) -> None:
    """One with another id, one for another name and a query are passed over."""

    def respond(query: dns.message.Message) -> list[bytes]:
        other_id = reply_to(query, "192.0.2.66")
        other_id.id = query.id ^ 1
        other_name = dns.message.make_query("other.example.com", "A", id=query.id)
        answer = reply_to(query, "192.0.2.1")
        return [
            other_id.to_wire(),
            reply_to(other_name, "192.0.2.66").to_wire(),
            query.to_wire(),
            answer.to_wire(),
        ]

    with serving(respond) as where:
        assert dnsclient.addresses_of(NAME, dnsclient.Server(*where), recurse=False) == (
            "192.0.2.1",
        )


def test_a_lost_question_is_asked_again(
    dnsclient: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A datagram can be lost, so there is a second attempt, and no third."""
    monkeypatch.setattr(dnsclient, "TIMEOUT", 0.2)
    asked: list[int] = []

    def lossy(query: dns.message.Message) -> list[bytes]:
        asked.append(query.id)
        return [] if len(asked) == 1 else [reply_to(query, "192.0.2.1").to_wire()]

    with serving(lossy) as where:
        assert dnsclient.addresses_of(NAME, dnsclient.Server(*where), recurse=False)
    assert len(asked) == 2

    with serving(lambda query: []) as where, pytest.raises(dnsclient.DnsFailed, match="timed out"):
        dnsclient.addresses_of(NAME, dnsclient.Server(*where), recurse=False)


@pytest.mark.parametrize(
    ("rcode", "is_answer"),
    [(dns.rcode.NXDOMAIN, True), (dns.rcode.REFUSED, False), (dns.rcode.SERVFAIL, False)],
)
def test_a_refusal_is_no_answer(dnsclient: ModuleType, rcode: Any, is_answer: bool) -> None:
    """That a name does not exist is an answer without addresses; an error is none at all."""

    def respond(query: dns.message.Message) -> list[bytes]:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        return [response.to_wire()]

    with serving(respond) as where:
        server = dnsclient.Server(*where)
        if is_answer:
            assert dnsclient.addresses_of(NAME, server, recurse=False) == ()
            return
        with pytest.raises(dnsclient.DnsFailed, match=f"RCODE {int(rcode)}"):
            dnsclient.addresses_of(NAME, server, recurse=False)


def test_a_server_that_is_not_there_is_no_answer(dnsclient: ModuleType) -> None:
    """The message names the server and the name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    with pytest.raises(
        dnsclient.DnsFailed, match=rf"127\.0\.0\.1:{port} gave no answer for {NAME}"
    ):
        dnsclient.addresses_of(NAME, dnsclient.Server("127.0.0.1", port), recurse=False)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (
            "# a comment\nsearch example.com\nnameserver 192.0.2.53\nnameserver 192.0.2.54\n",
            "192.0.2.53",
        ),
        ("nameserver fd00::53\n", "fd00::53"),
        ("options edns0\n", None),
    ],
)
def test_the_system_s_resolver_is_the_first_one(
    dnsclient: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
    text: str,
    address: str | None,
) -> None:
    """Without any, the error says so."""
    file = tmp_path / "resolv.conf"
    file.write_text(text)
    monkeypatch.setattr(dnsclient, "RESOLVERS", file)
    if address is None:
        with pytest.raises(dnsclient.DnsFailed, match="names no resolver"):
            dnsclient.system_resolver()
        return
    assert dnsclient.system_resolver() == dnsclient.Server(address, 53)
