"""DNS replies as the ports describe them, and questions to a server on a loopback port."""

import socketserver
import struct
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rrset
import pytest

from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import DnsAnswer, Nameserver
from deploytool.core.route53.zone import DnsRecord
from deploytool.net.dns import DnsClient, answer_of


def reply(answer: str, rcode: str = "NOERROR") -> dns.message.Message:
    return dns.message.from_text(
        f"id 1\nopcode QUERY\nrcode {rcode}\nflags QR\n;QUESTION\na.example. IN A\n;ANSWER\n{answer}"
    )


def test_the_addresses_keep_their_order_and_the_shortest_ttl_counts() -> None:
    """A CNAME before the addresses limits the time as well."""
    message = reply(
        "a.example. 20 IN CNAME b.example.\n"
        "b.example. 60 IN A 192.0.2.2\n"
        "b.example. 60 IN A 192.0.2.1\n"
    )
    assert answer_of(message) == DnsAnswer("NOERROR", ("192.0.2.2", "192.0.2.1"), 20)


def test_a_name_that_does_not_exist_has_no_address_and_no_ttl() -> None:
    """The code says so."""
    assert answer_of(reply("", "NXDOMAIN")) == DnsAnswer("NXDOMAIN", (), None)


def _listen(
    tcp_handler: type[socketserver.BaseRequestHandler],
    udp_handler: type[socketserver.BaseRequestHandler],
) -> tuple[socketserver.TCPServer, socketserver.UDPServer]:
    """Listen on a port that is free by TCP and by UDP."""
    while True:
        tcp = socketserver.TCPServer(("127.0.0.1", 0), tcp_handler)
        try:
            return tcp, socketserver.UDPServer(tcp.server_address[:2], udp_handler)
        except OSError:  # the port is in use by UDP
            tcp.server_close()


class Server:
    """A DNS server on a free port, by UDP and TCP. By UDP `long.example.` is truncated."""

    def __init__(self) -> None:
        self.questions: list[tuple[str, bool]] = []  # the transport, and whether RD was set
        server = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, socket = self.request
                answer = server.answer(data, "udp")
                if answer:
                    socket.sendto(answer, self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                (length,) = struct.unpack("!H", self.rfile.read(2))
                answer = server.answer(self.rfile.read(length), "tcp")
                self.wfile.write(struct.pack("!H", len(answer)) + answer)

        self.tcp, self.udp = _listen(Tcp, Udp)
        for listener in (self.tcp, self.udp):
            threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, data: bytes, transport: str) -> bytes:
        question = dns.message.from_wire(data)
        self.questions.append((transport, bool(question.flags & dns.flags.RD)))
        (name,) = (str(rrset.name) for rrset in question.question)
        if name == "silent.example.":
            return b""
        answer = dns.message.make_response(question)
        if name == "long.example." and transport == "udp":
            answer.flags |= dns.flags.TC
            return answer.to_wire()
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.1"))
        return answer.to_wire()

    def nameserver(self) -> Nameserver:
        address, port = self.tcp.server_address[:2]
        return Nameserver("the server", str(address), port)

    def close(self) -> None:
        for listener in (self.tcp, self.udp):
            listener.shutdown()
            listener.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.mark.parametrize(
    ("name", "tcp", "transports"),
    [
        ("a.example", False, ["udp"]),
        ("a.example", True, ["tcp"]),
        ("long.example", False, ["udp", "tcp"]),
    ],
)
def test_a_truncated_answer_is_asked_for_again_by_tcp(
    server: Server, name: str, *, tcp: bool, transports: list[str]
) -> None:
    """Other questions are sent once, by the transport that was chosen."""
    answer = DnsClient().query(server.nameserver(), name, tcp=tcp)
    assert answer == DnsAnswer("NOERROR", ("192.0.2.1",), 60)
    assert [transport for transport, _ in server.questions] == transports


@pytest.mark.parametrize("recurse", [True, False])
def test_only_a_resolver_is_asked_to_recurse(server: Server, *, recurse: bool) -> None:
    """The question has the flag RD exactly then."""
    reply = DnsClient().ask(server.nameserver(), "A.example.", "A", recurse=recurse)
    assert reply.answer == (DnsRecord("a.example.", "A", "192.0.2.1"),)
    assert server.questions == [("udp", recurse)]


def test_a_server_that_does_not_answer_is_a_timeout(server: Server) -> None:
    """The message names the server and the time limit."""
    with pytest.raises(
        ProbeFailed, match=r"the server \(127.0.0.1\) did not answer in 0.05 s"
    ) as caught:
        DnsClient(timeout=0.05).query(server.nameserver(), "silent.example")
    assert caught.value.kind == "timeout"


def test_a_closed_port_refuses(server: Server) -> None:
    """It is no timeout, so the probe ends at once."""
    nameserver = server.nameserver()
    server.close()
    with pytest.raises(ProbeFailed, match="refuses connections") as caught:
        DnsClient().query(nameserver, "a.example", tcp=True)
    assert caught.value.kind == "refused"
