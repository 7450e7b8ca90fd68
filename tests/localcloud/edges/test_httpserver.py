"""The sockets of the local cloud's HTTP servers."""

import asyncio
import gc
import socket
from asyncio.sslproto import SSLProtocol
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from deploytool.localcloud.edges.asgi import Receive, Scope, Send
from deploytool.localcloud.edges.ca import CertificateAuthority
from deploytool.localcloud.edges.httpserver import HttpServer
from deploytool.localcloud.edges.sockets import bind

REQUEST = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


def test_answers_are_not_held_back() -> None:
    """A connection sends each part of an answer at once.

    With Nagle's algorithm every call would take 40 ms more.
    """

    async def accepted() -> int:
        no_delay: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            no_delay.set_result(
                writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            )
            writer.close()

        bound = bind("127.0.0.1")
        async with await asyncio.start_server(serve, sock=bound):
            _, writer = await asyncio.open_connection(*bound.getsockname())
            value = await no_delay
            writer.close()
            await writer.wait_closed()
            return value

    assert asyncio.run(accepted()) != 0


async def answer_little(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer without a body."""
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def over_sockets(server: HttpServer, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` while the server listens; a server that makes no progress fails the test."""

    async def run() -> None:
        server.start()
        try:
            await asyncio.wait_for(work(), 30)
        finally:
            await server.close()

    asyncio.run(run())


def test_a_client_that_never_reads_is_dropped() -> None:
    """The answer to a client that asks and never reads ends, and with it the connection."""
    has_ended = asyncio.Event()

    async def answer_much(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(30_000_000)})
        has_ended.set()

    server = HttpServer(bind("127.0.0.1"), lambda _: answer_much, None, reading_seconds=0.1)

    async def work() -> None:
        _, writer = await asyncio.open_connection(server.address, server.port, limit=1000)
        writer.write(REQUEST)
        await has_ended.wait()
        writer.transport.abort()

    over_sockets(server, work)


def test_an_unfinished_handshake_leaves_no_memory(tmp_path: Path) -> None:
    """The buffers of TLS go with the connection, not with the next garbage collection."""
    tls = CertificateAuthority(tmp_path / "ca.pem", datetime.now(UTC)).new_context(("here",))
    server = HttpServer(bind("127.0.0.1"), lambda _: answer_little, tls)
    gc.collect()

    async def work() -> None:
        for _ in range(10):
            reader, writer = await asyncio.open_connection(server.address, server.port)
            writer.write_eof()
            assert await reader.read() == b""
            writer.transport.abort()

    gc.disable()
    try:
        over_sockets(server, work)
        assert not [each for each in gc.get_objects() if isinstance(each, SSLProtocol)]
    finally:
        gc.enable()


def test_the_connection_that_is_silent_longest_makes_room() -> None:
    """When all connections are taken, a new one is served and the one idle longest is dropped."""
    server = HttpServer(bind("127.0.0.1"), lambda _: answer_little, None, most_connections=2)

    async def work() -> None:
        silent, silent_writer = await asyncio.open_connection(server.address, server.port)
        active, active_writer = await asyncio.open_connection(server.address, server.port)
        await ask(active, active_writer)
        newest, newest_writer = await asyncio.open_connection(server.address, server.port)
        await ask(newest, newest_writer)

        assert await silent.read() == b""
        await ask(active, active_writer)
        for writer in (silent_writer, active_writer, newest_writer):
            writer.transport.abort()

    over_sockets(server, work)


def test_a_request_under_way_is_spared() -> None:
    """A connection that waits for its answer stays when others make room."""
    has_begun = asyncio.Event()
    may_answer = asyncio.Event()

    async def answer_later(scope: Scope, receive: Receive, send: Send) -> None:
        has_begun.set()
        await may_answer.wait()
        await answer_little(scope, receive, send)

    server = HttpServer(bind("127.0.0.1"), lambda _: answer_later, None, most_connections=2)

    async def work() -> None:
        waiting, waiting_writer = await asyncio.open_connection(server.address, server.port)
        asked = asyncio.create_task(ask(waiting, waiting_writer))
        await has_begun.wait()
        silent, silent_writer = await asyncio.open_connection(server.address, server.port)
        _, newest_writer = await asyncio.open_connection(server.address, server.port)
        assert await silent.read() == b""
        may_answer.set()
        await asked
        for writer in (waiting_writer, silent_writer, newest_writer):
            writer.transport.abort()

    over_sockets(server, work)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send one request over the connection and read the head of its answer."""
    writer.write(REQUEST)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
