"""Good clients, and how long they wait for their answers."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.message
import dns.query

TIME_LIMIT = 5.0  # seconds for one answer
RETRY = 1.0  # seconds after which a query over UDP is sent again, once


@dataclass
class Answers:
    """The seconds that each answer took, and what was wrong with the others."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Return the seconds within which this share of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


@contextmanager
def asking(ask: Callable[[], None], interval: float) -> Iterator[Answers]:
    """Ask at a steady rate during the block, beside it."""
    answers = Answers()
    is_over = threading.Event()

    def keep_asking() -> None:
        while not is_over.wait(interval):
            started = time.monotonic()
            try:
                ask()
            except (OSError, dns.exception.DNSException, ValueError) as error:
                answers.failures.append(f"{type(error).__name__}: {error}")
            else:
                answers.seconds.append(time.monotonic() - started)

    thread = threading.Thread(target=keep_asking)
    thread.start()
    try:
        yield answers
    finally:
        is_over.set()
        thread.join()


def dns_client(server: tuple[str, int], name: str) -> Callable[[], None]:
    """Return what asks a name server for a name over UDP.

    It asks again after a second, as resolvers do: UDP may lose a message.
    """

    def ask() -> None:
        query = dns.message.make_query(name, "A")
        try:
            answer = dns.query.udp(query, server[0], timeout=RETRY, port=server[1])
        except dns.exception.Timeout:
            answer = dns.query.udp(query, server[0], timeout=TIME_LIMIT, port=server[1])
        if not answer.answer:
            raise ValueError(f"no address: {answer.rcode()}")

    return ask


def https_client(edge: tuple[str, int], name: str, ca: Path) -> Callable[[], None]:
    """Return what makes a new connection to an edge and one request."""
    context = ssl.create_default_context(cafile=str(ca))
    request = f"GET /v1 HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()

    def ask() -> None:
        with (
            socket.create_connection(edge, TIME_LIMIT) as connection,
            context.wrap_socket(connection, server_hostname=name) as secure,
        ):
            secure.sendall(request)
            answer = secure.recv(4096)
        if b" 200 " not in answer[:20]:
            raise ValueError(f"the answer begins with {answer[:40]!r}")

    return ask
