"""A small DNS client: the IPv4 addresses of a name, asked of one server.

It uses the standard library alone, so that the function needs no package. Sources: RFC 1035
sections 4.1 (format), 4.1.4 (compression) and 4.2 (UDP and TCP), RFC 7766 (a truncated answer is
asked for again over TCP).
"""

import secrets
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 1.0  # seconds for one exchange
ATTEMPTS = 2  # by UDP, where a datagram can be lost

RESOLVERS = Path("/etc/resolv.conf")
TYPE_A = 1
CLASS_IN = 1
_HEADER = struct.Struct("!6H")  # id, flags, and the number of entries of each section
_RECORD = struct.Struct("!HHIH")  # type, class, TTL, length of the data
_RESPONSE = 0x8000
_TRUNCATED = 0x0200
_RECURSION_DESIRED = 0x0100
_RCODE = 0x000F
_LONGEST_NAME = 255  # bytes
_LONGEST_LABEL = 63  # bytes
_LARGEST_UDP = 65_535  # bytes; a server that sends more than 512 does no harm


class DnsFailed(Exception):
    """No usable answer came. The message names the server, the name and the reason."""


class _Malformed(Exception):
    """A message does not follow RFC 1035."""


@dataclass(frozen=True)
class Server:
    """A DNS server."""

    address: str
    port: int = 53

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True)
class Reply:
    """What a reply says: whether it was truncated, its RCODE, and the addresses in its answer."""

    truncated: bool
    rcode: int
    addresses: tuple[str, ...]


def addresses_of(name: str, server: Server, *, recurse: bool) -> tuple[str, ...]:
    """Ask a server for the IPv4 addresses of a name; `recurse` asks it to resolve the name.

    The answer is empty when the name has no address or does not exist. Raises DnsFailed when the
    server does not answer, refuses, or sends what cannot be read.
    """
    query_id = secrets.randbits(16)
    try:
        query = make_query(query_id, name, recurse=recurse)
        reply = _by_udp(server, query)
        if reply.truncated:
            reply = _by_tcp(server, query)
    except (_Malformed, OSError) as error:
        raise DnsFailed(f"{server} gave no answer for {name}: {error or 'timeout'}") from error

    # 0 is NOERROR, 3 is NXDOMAIN: both are answers.
    if reply.rcode not in (0, 3):
        raise DnsFailed(f"{server} answered with RCODE {reply.rcode} for {name}")
    return reply.addresses


def make_query(query_id: int, name: str, *, recurse: bool) -> bytes:
    """Return the message that asks for a name's addresses. Raises _Malformed for a bad name."""
    flags = _RECURSION_DESIRED if recurse else 0
    header = _HEADER.pack(query_id, flags, 1, 0, 0, 0)
    return header + _encoded(name) + struct.pack("!HH", TYPE_A, CLASS_IN)


def _encoded(name: str) -> bytes:
    """Return a name as labels, each after its length."""
    encoded = b""
    for label in name.rstrip(".").split("."):
        text = label.encode("ascii", errors="replace")
        if not 0 < len(text) <= _LONGEST_LABEL:
            raise _Malformed(f"'{name}' is no domain name")
        encoded += bytes([len(text)]) + text
    encoded += b"\0"
    if len(encoded) > _LONGEST_NAME:
        raise _Malformed(f"'{name}' is too long")
    return encoded


def _by_udp(server: Server, query: bytes) -> Reply:
    """Exchange by UDP. A question without an answer is sent once more."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _exchange_by_udp(server, query)
        except TimeoutError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def _exchange_by_udp(server: Server, query: bytes) -> Reply:
    deadline = time.monotonic() + TIMEOUT
    with socket.socket(_family(server), socket.SOCK_DGRAM) as connection:
        # A connected socket takes datagrams of that server only.
        connection.settimeout(TIMEOUT)
        connection.connect((server.address, server.port))
        connection.send(query)

        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            message = connection.recv(_LARGEST_UDP)
            # An answer to another question can be a late one, or forged: go on waiting.
            if _answers(message, query):
                return parse_reply(message)
    raise TimeoutError


def _by_tcp(server: Server, query: bytes) -> Reply:
    """Exchange by TCP, where two bytes of length stand before each message."""
    with socket.create_connection((server.address, server.port), TIMEOUT) as connection:
        connection.sendall(struct.pack("!H", len(query)) + query)
        (length,) = struct.unpack("!H", _received(connection, 2))
        message = _received(connection, length)

    if not _answers(message, query):
        raise _Malformed("it answers another question")
    return parse_reply(message)


def _received(connection: socket.socket, length: int) -> bytes:
    """Return exactly this many bytes."""
    received = b""
    while len(received) < length:
        part = connection.recv(length - len(received))
        if not part:
            raise _Malformed("the connection ended early")
        received += part
    return received


def _family(server: Server) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in server.address else socket.AF_INET


def _answers(message: bytes, query: bytes) -> bool:
    """Return whether a message is the response to a query: the same id and the same question.

    Names are compared without case (RFC 4343), and ASCII letters are the only bytes that change.
    """
    if len(message) < len(query) or message[:2] != query[:2]:
        return False
    (flags,) = struct.unpack_from("!H", message, 2)
    question = slice(_HEADER.size, len(query))
    return bool(flags & _RESPONSE) and message[question].lower() == query[question].lower()


def parse_reply(message: bytes) -> Reply:
    """Read a reply. Raises _Malformed for a message that breaks off or loops."""
    try:
        _, flags, questions, answers, _, _ = _HEADER.unpack_from(message)
        position = _HEADER.size
        for _ in range(questions):
            position = _after_name(message, position) + 4  # type and class

        addresses: list[str] = []
        truncated = bool(flags & _TRUNCATED)
        # What a truncated reply holds is not used.
        for _ in range(0 if truncated else answers):
            position = _after_name(message, position)
            type_, class_, _, length = _RECORD.unpack_from(message, position)
            position += _RECORD.size
            data = message[position : position + length]
            if len(data) < length:
                raise _Malformed("it breaks off")
            if (type_, class_, length) == (TYPE_A, CLASS_IN, 4):
                addresses.append(socket.inet_ntoa(data))
            position += length
    except (struct.error, IndexError) as error:
        raise _Malformed("it breaks off") from error
    return Reply(truncated, flags & _RCODE, tuple(addresses))


def _after_name(message: bytes, position: int) -> int:
    """Return the position after a name. A pointer ends it, so it need not be followed."""
    while True:
        length = message[position]
        if length == 0:
            return position + 1
        if length >= 0xC0:
            return position + 2
        if length > _LONGEST_LABEL:
            raise _Malformed("it has an unknown kind of label")
        position += 1 + length


def system_resolver() -> Server:
    """Return the first resolver of /etc/resolv.conf. Raises DnsFailed when it names none."""
    for line in RESOLVERS.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            return Server(words[1])
    raise DnsFailed("/etc/resolv.conf names no resolver")
