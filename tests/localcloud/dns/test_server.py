"""The sockets of the DNS servers stay fair to good clients beside greedy ones."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import dns.asyncquery
import dns.message

from deploytool.localcloud.dns.server import DnsServer

QUERY = dns.message.make_query("dev.example.com.", "A")
MESSAGE = struct.pack("!H", len(QUERY.to_wire())) + QUERY.to_wire()
PIPELINED = 2000


def over_sockets(sockets: DnsServer, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` while the server listens; a server that makes no progress fails the test."""

    async def run() -> None:
        await sockets.start()
        try:
            await asyncio.wait_for(work(), 30)
        finally:
            await sockets.stop()

    asyncio.run(run())


@asynccontextmanager
async def connection(
    sockets: DnsServer,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A TCP connection to the server, which is dropped at the end."""
    reader, writer = await asyncio.open_connection(sockets.address, sockets.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def echo(wire: bytes, *, tcp: bool) -> bytes:
    """Answer a query with an empty response."""
    assert tcp in (True, False)
    return dns.message.make_response(dns.message.from_wire(wire)).to_wire()


def long_answer(wire: bytes, *, tcp: bool) -> bytes:
    """Answer with as many bytes as a TCP message has."""
    assert tcp
    return wire + bytes(65535 - len(wire))


def test_clients_that_pipeline_do_not_delay_others() -> None:
    """While 20 clients pipeline queries, one over UDP waits for a few of them only."""
    handled = 0

    def count(wire: bytes, *, tcp: bool) -> bytes:
        nonlocal handled
        handled += tcp
        return echo(wire, tcp=tcp)

    sockets = DnsServer(count)

    async def work() -> None:
        async with AsyncExitStack() as clients:
            for _ in range(20):
                _, writer = await clients.enter_async_context(connection(sockets))
                writer.write(MESSAGE * PIPELINED)

            for _ in range(10):
                before = handled
                await dns.asyncquery.udp(QUERY, sockets.address, port=sockets.port)
                assert handled - before < 50

    over_sockets(sockets, work)
    assert handled > 0


def test_a_flood_over_udp_does_not_delay_others() -> None:
    """A client that sends 150 queries at once gets some answers, and the next client does not wait."""
    handled = 0

    def count(wire: bytes, *, tcp: bool) -> bytes:
        nonlocal handled
        handled += 1
        return echo(wire, tcp=tcp)

    sockets = DnsServer(count)

    async def work() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            flood.connect((sockets.address, sockets.port))
            for _ in range(150):
                flood.send(QUERY.to_wire())
            answer = await dns.asyncquery.udp(QUERY, sockets.address, port=sockets.port, timeout=20)
            assert answer.id == QUERY.id
            # A few of each round in which the loop has looked
            assert handled < 40
            flood.settimeout(20)
            assert flood.recv(512)[:2] == QUERY.to_wire()[:2]

    over_sockets(sockets, work)


def test_many_clients_are_answered_over_udp() -> None:
    """More clients than are answered in one round of the loop each get their answer."""
    sockets = DnsServer(echo)

    async def work() -> None:
        asked = [
            dns.asyncquery.udp(QUERY, sockets.address, port=sockets.port, timeout=20)
            for _ in range(100)
        ]
        answers = await asyncio.gather(*asked)
        assert {answer.id for answer in answers} == {QUERY.id}

    over_sockets(sockets, work)


def test_clients_that_pipeline_take_turns() -> None:
    """A client with one query over TCP does not wait for all queries of a client that pipelines."""
    handled = 0

    def count(wire: bytes, *, tcp: bool) -> bytes:
        nonlocal handled
        handled += 1
        return echo(wire, tcp=tcp)

    sockets = DnsServer(count)

    async def work() -> None:
        async with connection(sockets) as (_, greedy):
            greedy.write(MESSAGE * PIPELINED)
            await dns.asyncquery.tcp(QUERY, sockets.address, port=sockets.port)
            assert handled < 50

    over_sockets(sockets, work)


def test_a_client_that_never_reads_is_cut() -> None:
    """The connection of a client that sends and never reads ends, with what waits to be sent."""
    sockets = DnsServer(long_answer, idle_seconds=0.1)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setblocking(False)
            await loop.sock_connect(client, (sockets.address, sockets.port))
            assert await is_cut(client)

    over_sockets(sockets, work)


async def is_cut(client: socket.socket) -> bool:
    """Send until the server resets the connection; does not return before."""
    while True:
        try:
            client.send(MESSAGE)
        except BlockingIOError:
            await asyncio.sleep(0.01)
        except ConnectionError:
            return True
        else:
            await asyncio.sleep(0)


def test_the_connection_that_is_silent_longest_makes_room() -> None:
    """When all connections are taken, a new one is served and the one idle longest is closed."""
    sockets = DnsServer(echo, most_connections=2)

    async def work() -> None:
        async with AsyncExitStack() as clients:
            silent, _ = await clients.enter_async_context(connection(sockets))
            active = await clients.enter_async_context(connection(sockets))
            await ask(*active)

            newest = await clients.enter_async_context(connection(sockets))
            await ask(*newest)

            assert await silent.read() == b""
            await ask(*active)

    over_sockets(sockets, work)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send one query over the connection and read its answer."""
    writer.write(MESSAGE)
    (length,) = struct.unpack("!H", await reader.readexactly(2))
    assert dns.message.from_wire(await reader.readexactly(length)).is_response
