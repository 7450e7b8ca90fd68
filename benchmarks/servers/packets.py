"""Broken DNS messages, and what a server must make of each.

RFC 1035 (messages), RFC 6891 (EDNS), RFC 7766 (TCP), RFC 8906 (what servers must answer).
"""

import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype

TIME_LIMIT = 10.0  # seconds for one answer, on a machine with other work
HEADER_BYTES = 12
PLAIN_PAYLOAD, MOST_PAYLOAD = 512, 1232  # bytes of UDP
_QR = 0x80
_POINTER_TO_ITSELF = b"\xc0\x0c"
_POINTERS_IN_A_CIRCLE = b"\xc0\x0e\xc0\x0c"
# A resolver that reaches no server of a name says SERVFAIL
_OF_GOOD = frozenset({dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.REFUSED, dns.rcode.SERVFAIL})
_RCODES = frozenset(
    {
        dns.rcode.NOERROR,
        dns.rcode.FORMERR,
        dns.rcode.SERVFAIL,
        dns.rcode.NXDOMAIN,
        dns.rcode.NOTIMP,
        dns.rcode.REFUSED,
        dns.rcode.BADVERS,
    }
)


@dataclass(frozen=True)
class Packet:
    """A message, and the RCODEs of which its answer must have one; none means no answer."""

    kind: str
    wire: bytes
    rcodes: frozenset[int]


def make_packet(random: Random, names: list[str]) -> Packet:
    """Return a message of a random kind, about one of the names."""
    return random.choice(_MAKERS)(random, random.choice(names))


def _query(random: Random, name: str) -> dns.message.Message:
    types = (dns.rdatatype.A, dns.rdatatype.AAAA, dns.rdatatype.NS, dns.rdatatype.SOA)
    query = dns.message.make_query(name, random.choice(types), use_edns=random.random() < 0.5)
    query.id = random.randrange(0x10000)
    return query


def _question(name: str) -> bytes:
    wire = dns.name.from_text(name).to_wire() or b""
    return wire + struct.pack("!HH", dns.rdatatype.A, dns.rdataclass.IN)


def _header(random: Random, questions: int, flags: int = 0) -> bytes:
    return struct.pack("!6H", random.randrange(0x10000), flags, questions, 0, 0, 0)


def _good(random: Random, name: str) -> Packet:
    return Packet("good", _query(random, name).to_wire(), _OF_GOOD)


def _opcode(random: Random, name: str) -> Packet:
    opcode = random.choice([number for number in range(16) if number != dns.opcode.QUERY])
    wire = bytearray(_query(random, name).to_wire())
    wire[2] = (wire[2] & 0x87) | (opcode << 3)
    return Packet("opcode", bytes(wire), frozenset({dns.rcode.NOTIMP, dns.rcode.FORMERR}))


def _class(random: Random, name: str) -> Packet:
    query = dns.message.make_query(
        name, "A", rdclass=random.choice(("CH", "HS", "NONE", "ANY", "CLASS999"))
    )
    return Packet("class", query.to_wire(), frozenset({dns.rcode.REFUSED, dns.rcode.FORMERR}))


def _type(random: Random, name: str) -> Packet:
    number = random.choice((*range(100, 260), 65000))
    query = dns.message.make_query(name, number)
    return Packet("type", query.to_wire(), _RCODES)


def _edns_version(random: Random, name: str) -> Packet:
    query = dns.message.make_query(name, "A", use_edns=random.randint(1, 255))
    return Packet("EDNS version", query.to_wire(), frozenset({dns.rcode.BADVERS}))


def _edns_size(random: Random, name: str) -> Packet:
    size = random.choice((0, 1, 511, 512, 1232, 4096, 65535))
    query = dns.message.make_query(name, "A", use_edns=0, payload=size)
    return Packet("EDNS size", query.to_wire(), _OF_GOOD)


def _questions(random: Random, name: str) -> Packet:
    question = _question(name)
    count = random.choice((0, 2, 20))
    wire = _header(random, count) + question * count
    return Packet("questions", wire, frozenset({dns.rcode.FORMERR}))


def _promised(random: Random, name: str) -> Packet:
    """A header that counts more than there is."""
    question = _question(name)
    header = struct.pack("!6H", random.randrange(0x10000), 0, 1, 0, 0, random.randint(1, 0xFFFF))
    return Packet("counts", header + question, frozenset({dns.rcode.FORMERR}))


def _compression(random: Random, _name: str) -> Packet:
    loop = random.choice((_POINTER_TO_ITSELF, _POINTERS_IN_A_CIRCLE, b"\xc0\xff", b"\xff\xff"))
    wire = _header(random, 1) + loop + struct.pack("!HH", 1, 1)
    return Packet("compression", wire, frozenset({dns.rcode.FORMERR}))


def _long_name(random: Random, _name: str) -> Packet:
    labels = b"".join(bytes([63]) + b"a" * 63 for _ in range(random.randint(4, 20)))
    wire = _header(random, 1) + labels + b"\0" + struct.pack("!HH", 1, 1)
    return Packet("long name", wire, frozenset({dns.rcode.FORMERR}))


def _truncated(random: Random, name: str) -> Packet:
    whole = _query(random, name).to_wire()
    wire = whole[: random.randrange(len(whole))]
    answers = frozenset() if len(wire) < HEADER_BYTES else frozenset({dns.rcode.FORMERR})
    return Packet("truncated", wire, answers)


def _trailing(random: Random, name: str) -> Packet:
    wire = _query(random, name).to_wire() + random.randbytes(random.randint(1, 100))
    return Packet("trailing", wire, _RCODES)


def _response(random: Random, name: str) -> Packet:
    wire = bytearray(_query(random, name).to_wire())
    wire[2] |= _QR
    return Packet("response", bytes(wire), frozenset())


def _flipped(random: Random, name: str) -> Packet:
    wire = bytearray(_query(random, name).to_wire())
    for _ in range(random.randint(1, 8)):
        # Not the bit that makes it a response
        at = random.choice([number for number in range(len(wire)) if number != 2])
        wire[at] ^= 1 << random.randrange(8)
    return Packet("flipped", bytes(wire), _RCODES)


def _noise(random: Random, _name: str) -> Packet:
    wire = bytearray(random.randbytes(random.randint(0, 600)))
    if len(wire) < HEADER_BYTES:
        return Packet("noise", bytes(wire), frozenset())
    wire[2] &= ~_QR
    return Packet("noise", bytes(wire), _RCODES)


_MAKERS: tuple[Callable[[Random, str], Packet], ...] = (
    _good, _opcode, _class, _type, _edns_version, _edns_size, _questions, _promised, _compression, _long_name,
    _truncated, _trailing, _response, _flipped, _noise,
)  # fmt: skip


class UdpAsker:
    """Sends messages to a server from one socket, and knows which answer belongs to which.

    After each message it sends a query whose answer is known to come. A server answers the messages
    of one client in their order, so what has not come by then does not come.
    """

    def __init__(self, server: tuple[str, int], marker: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(TIME_LIMIT)
        self._socket.connect(server)
        self._marker = marker

    def ask(self, wire: bytes) -> bytes | None:
        """Return the answer to a message, None when there is none. Raises TimeoutError."""
        sent = wire[:2]
        marker = dns.message.make_query(self._marker, "A")
        if marker.id.to_bytes(2, "big") == sent:
            marker.id ^= 1
        self._socket.send(wire)
        self._socket.send(marker.to_wire())
        answer = None
        while True:
            received = self._socket.recv(0x10000)
            if received[:2] == marker.id.to_bytes(2, "big"):
                return answer
            answer = received

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def ask_over_tcp(server: tuple[str, int], wire: bytes) -> bytes | None:
    """Return the answer to a message, None when the server closes the connection instead."""
    with socket.create_connection(server, TIME_LIMIT) as connection:
        connection.sendall(struct.pack("!H", len(wire)) + wire)
        length = _read(connection, 2)
        return _read(connection, struct.unpack("!H", length)[0]) if length else None


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            return b""
        data += part
    return data


def problems(packet: Packet, answer: bytes | None, *, tcp: bool) -> Iterator[str]:
    """Find what is wrong with an answer."""
    if answer is None or not packet.rcodes:
        if bool(answer) == bool(packet.rcodes):
            return
        yield "no answer" if packet.rcodes else "an answer to what is no query"
        return
    if answer[:2] != packet.wire[:2]:
        yield "the id of another message"
    if not tcp and len(answer) > _limit(packet.wire):
        yield f"{len(answer)} bytes, and the client takes {_limit(packet.wire)}"
    try:
        message = dns.message.from_wire(answer)
    except (dns.exception.DNSException, ValueError) as error:
        yield f"it does not parse: {error}"
        return
    if not message.flags & dns.flags.QR:
        yield "no response"
    if message.rcode() not in packet.rcodes:
        yield f"{dns.rcode.to_text(message.rcode())}"


def _limit(wire: bytes) -> int:
    """Return how many bytes of UDP a client takes, as its message says."""
    try:
        query = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return PLAIN_PAYLOAD
    if query.edns < 0:
        return PLAIN_PAYLOAD
    return max(PLAIN_PAYLOAD, min(query.payload, MOST_PAYLOAD))
