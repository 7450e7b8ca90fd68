"""An HTTP/1.1 server on one loopback address that can refuse or ignore connections and serve again.

Each connection is hypercorn's (its TCPServer, which its own `serve` uses). The listening is our
own, because a region that fails must refuse connections and drop the open ones at once, even during
the handshake, and `serve` controls neither.
"""

import asyncio
import socket
import ssl
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from deploytool.core.errors import InputError
from deploytool.localcloud.edges.asgi import CUT, AsgiApp, Receive, Scope, Send
from deploytool.localcloud.edges.sockets import bind

_BACKLOG = 1024
# Not 0: Linux would take the first connection for a flood and log that.
_SHORT_BACKLOG = 1
_MOST_FILLERS = 64
# Seconds. A connection on loopback that takes longer is not made at all.
_FULL_SECONDS = 0.2
_KEEP_ALIVE_SECONDS = 75.0  # MiniStack's own setting
_HANDSHAKE_SECONDS = 10.0
_CLOSING_SECONDS = 1.0
# Seconds that a client has to read what fills the buffers. Without a limit one that never reads
# keeps its connection for good.
_READING_SECONDS = 10.0
# Connections that are open at once. Each with TLS has a buffer of 256 KB.
_MOST_CONNECTIONS = 256
# Seconds until the next attempt to accept, after the system had no descriptor for a connection.
_PAUSE_SECONDS = 0.1


class HttpServer:
    """Serves on a bound socket, refusing connections until it is started.

    `application_for` returns the application of a connection, given its TLS object (None without
    TLS). A connection is dropped when its client does not read for `reading_seconds`. When
    `most_connections` are open, a new one takes the place of the one whose last request is the
    longest ago; one whose request is under way is spared if it can be.
    """

    def __init__(
        self,
        bound: socket.socket,
        application_for: Callable[[ssl.SSLObject | None], AsgiApp],
        tls: ssl.SSLContext | None,
        *,
        reading_seconds: float = _READING_SECONDS,
        most_connections: int = _MOST_CONNECTIONS,
    ) -> None:
        self._socket = bound
        self._application_for = application_for
        self._tls = tls
        self._accepting: asyncio.Task[None] | None = None
        self._fillers: list[socket.socket] = []
        self._listens = False
        self._reading_seconds = reading_seconds
        self._most_connections = most_connections
        self._connections: dict[asyncio.Task[None], socket.socket] = {}
        # The same connections without those that are being dropped, in the order of their last
        # requests.
        self._served: dict[asyncio.Task[None], socket.socket] = {}
        # Those whose requests are under way.
        self._busy: set[asyncio.Task[None]] = set()
        self._config = Config()
        self._config.keep_alive_timeout = _KEEP_ALIVE_SECONDS
        self._config.loglevel = "WARNING"
        self.address: str = bound.getsockname()[0]
        self.port: int = bound.getsockname()[1]

    def start(self) -> None:
        """Accept connections from now on; idempotent. Needs a running event loop."""
        if self._accepting is not None:
            return
        self._drop_fillers()
        self._socket.listen(_BACKLOG)
        self._listens = True
        self._accepting = asyncio.get_running_loop().create_task(self._accept(self._socket))

    async def stop(self) -> None:
        """Refuse connections from now on and drop the open ones, keeping the port; idempotent."""
        # A socket that listens cannot stop listening: a new one takes its place and port.
        if self._listens:
            await self._stop_listening()
            self._socket = bind(self.address, self.port)

    async def ignore(self) -> None:
        """Leave attempts to connect unanswered from now on and open connections open; idempotent.

        The kernel drops the first packet of a connection while the backlog is full of connections
        that wait to be accepted. So the backlog is made short and filled with connections of this
        server's own, the fillers. Raises InputError when this system answers nevertheless; the
        server refuses connections then.
        """
        if self._fillers:
            return
        await self._stop_accepting()
        self._socket.listen(_SHORT_BACKLOG)
        self._listens = True

        while len(self._fillers) < _MOST_FILLERS:
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            self._fillers.append(filler)
            await self._try_to_connect(filler)
            if not _is_connected(filler):
                return  # the backlog is full

        await self.stop()
        raise InputError(
            "this system answers connections that no program accepts: "
            "an edge cannot be blackholed on it"
        )

    async def close(self) -> None:
        """Stop, give the port back and wait until the requests under way have been cancelled."""
        await self._stop_listening()
        tasks = tuple(self._connections)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)

    async def _try_to_connect(self, filler: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FULL_SECONDS):
                await loop.sock_connect(filler, (self.address, self.port))

    def _drop_fillers(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()

    async def _stop_accepting(self) -> None:
        accepting = self._accepting
        self._accepting = None
        if accepting is not None:
            accepting.cancel()
            await asyncio.wait((accepting,))

    async def _stop_listening(self) -> None:
        await self._stop_accepting()
        self._socket.close()
        self._listens = False
        self._drop_fillers()
        for connection in self._connections.values():
            with suppress(OSError):  # the client has closed it already
                connection.shutdown(socket.SHUT_RDWR)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError as error:
                loop.call_exception_handler(
                    {"message": f"{self.address}:{self.port} could not accept", "exception": error}
                )
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if len(self._served) >= self._most_connections:
                self._make_room()
            # The task ends with its connection, which `stop` can shut down until then.
            task = loop.create_task(self._serve(connection))
            self._connections[task] = connection
            self._served[task] = connection
            task.add_done_callback(self._forget)

    def _make_room(self) -> None:
        """Drop the connection whose last request is the longest ago."""
        silent = (task for task in self._served if task not in self._busy)
        longest_silent = next(silent, None) or next(iter(self._served))
        connection = self._served.pop(longest_silent)
        with suppress(OSError):  # the client has closed it already
            connection.shutdown(socket.SHUT_RDWR)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._connections.pop(task)
        self._served.pop(task, None)
        self._busy.discard(task)

    def _note_request(self, task: asyncio.Task[None]) -> None:
        """Move the connection to the end of the order, unless it is being dropped."""
        if task in self._served:
            self._served[task] = self._served.pop(task)
            self._busy.add(task)

    async def _serve(self, connection: socket.socket) -> None:
        """Serve one connection until it ends."""
        loop = asyncio.get_running_loop()
        task = cast(asyncio.Task[None], asyncio.current_task())
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        handshake_seconds = _HANDSHAKE_SECONDS if self._tls else None
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=handshake_seconds,
            )
        except OSError as error:
            # The handshake failed: the client has left or rejects the certificate. It knows why.
            # The error and asyncio's frames refer to each other, and to 256 KB of buffers, which
            # would else stay until the next full garbage collection.
            traceback.clear_frames(error.__traceback__)
            return
        writer = _Writer(transport, protocol, reader, loop, self._reading_seconds)
        application = self._application_for(transport.get_extra_info("ssl_object"))

        async def with_cut(scope: Scope, receive: Receive, send: Send) -> None:
            self._note_request(task)
            if scope["type"] == "http":
                scope["extensions"][CUT] = transport.abort
            try:
                await application(scope, receive, send)
            finally:
                self._busy.discard(task)

        wrapped = ASGIWrapper(with_cut)  # type: ignore[arg-type]
        await TCPServer(wrapped, loop, self._config, WorkerContext(None), {}, reader, writer)


class _Writer(asyncio.StreamWriter):
    """A writer that aborts its connection when the client does not read for `seconds`."""

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        protocol: asyncio.StreamReaderProtocol,
        reader: asyncio.StreamReader,
        loop: asyncio.AbstractEventLoop,
        seconds: float,
    ) -> None:
        super().__init__(transport, protocol, reader, loop)
        self._seconds = seconds

    async def drain(self) -> None:
        """Wait until there is room. Raises ConnectionError when the client has left."""
        try:
            async with asyncio.timeout(self._seconds):
                await super().drain()
        except TimeoutError:
            self._drop()
            raise ConnectionResetError("the client does not read") from None

    async def wait_closed(self) -> None:
        """Wait until what was written is sent. Raises ConnectionError when the client has left."""
        try:
            async with asyncio.timeout(self._seconds):
                await super().wait_closed()
        except TimeoutError:
            self._drop()
            raise ConnectionResetError("the client does not read") from None

    def _drop(self) -> None:
        # A transport that is only closed stays until the client has read everything.
        self.transport.abort()


def _is_connected(connection: socket.socket) -> bool:
    try:
        connection.getpeername()
    except OSError:
        return False
    return True
