"""An HTTP/1.1 server on one loopback address that can stop or fall silent, and start again on the
same port.

Each connection is hypercorn's (its TCPServer, the part that its own `serve` uses); the listening is
ours, because a region that fails must refuse connections and drop the open ones at once, even in
the handshake, and `serve` has no handle on either.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from deploytool.core.errors import InputError
from deploytool.localcloud.edges.asgi import AsgiApp

_BACKLOG = 1024
_SHORT_BACKLOG = 1  # not 0: Linux would take the first connection for a flood and log that
_MOST_FILLERS = 64
_FULL_SECONDS = 0.2  # a connection on loopback that takes longer is not made at all
_KEEP_ALIVE_SECONDS = 75.0  # MiniStack's own setting
_HANDSHAKE_SECONDS = 10.0
_CLOSING_SECONDS = 1.0
# After the system could not give us a connection (too many open files), before the next try
_PAUSE_SECONDS = 0.1


def bind(address: str, port: int = 0) -> socket.socket:
    """A bound TCP socket that does not listen: connecting to it is refused, and nobody else can
    take the port.
    """
    # The protocol is named: asyncio turns off Nagle's algorithm only where it sees TCP, and a
    # delayed answer takes 40 ms more.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound


def _is_connected(connection: socket.socket) -> bool:
    try:
        connection.getpeername()
    except OSError:
        return False
    return True


class HttpServer:
    """Serves on a bound socket. `app_for` gives the application for a connection, which may depend
    on its TLS handshake.
    """

    def __init__(
        self,
        bound: socket.socket,
        app_for: Callable[[ssl.SSLObject | None], AsgiApp],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._socket = bound
        self._app_for = app_for
        self._tls = tls
        self._accepting: asyncio.Task[None] | None = None
        self._fillers: list[socket.socket] = []
        self._bound_only = True
        self._connections: dict[asyncio.Task[None], socket.socket] = {}
        self._config = Config()
        self._config.keep_alive_timeout = _KEEP_ALIVE_SECONDS
        self._config.loglevel = "WARNING"
        self.address: str = bound.getsockname()[0]
        self.port: int = bound.getsockname()[1]

    def start(self) -> None:
        """Accept connections from now on; nothing to do when it does. Needs a running event
        loop.
        """
        if self._accepting is None:
            self._drop_fillers()
            self._socket.listen(_BACKLOG)
            self._bound_only = False
            self._accepting = asyncio.get_running_loop().create_task(self._accept(self._socket))

    async def stop(self) -> None:
        """Refuse connections from now on and drop the open ones, keeping the port; nothing to do
        when it does that.
        """
        if not self._bound_only:
            await self._stop_listening()
            self._socket = bind(self.address, self.port)

    async def ignore(self) -> None:
        """Leave attempts to connect without any answer from now on; open connections stay, nothing
        to do when it does that.

        The kernel drops the first packet of a connection while as many as the backlog holds wait to
        be accepted: the backlog is made short and filled with connections of our own. Raises
        InputError when this system answers all the same; then it refuses connections.
        """
        if self._fillers:
            return
        await self._stop_accepting()
        self._socket.listen(_SHORT_BACKLOG)
        self._bound_only = False
        while len(self._fillers) < _MOST_FILLERS:
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            self._fillers.append(filler)
            with suppress(TimeoutError):
                async with asyncio.timeout(_FULL_SECONDS):
                    await asyncio.get_running_loop().sock_connect(filler, (self.address, self.port))
            if not _is_connected(filler):
                return
        await self.stop()
        raise InputError(
            "this system answers connections that no program accepts: an edge cannot be blackholed on it"
        )

    async def close(self) -> None:
        """Stop, give the port back and wait for what the connections were about."""
        await self._stop_listening()
        tasks = tuple(self._connections)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)

    async def _stop_accepting(self) -> None:
        accepting, self._accepting = self._accepting, None
        if accepting is not None:
            accepting.cancel()
            await asyncio.wait((accepting,))

    def _drop_fillers(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()

    async def _stop_listening(self) -> None:
        await self._stop_accepting()
        self._socket.close()
        self._bound_only = True
        self._drop_fillers()
        for connection in self._connections.values():
            with suppress(OSError):  # the client has gone already
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
            task = loop.create_task(self._serve(connection))
            self._connections[task] = connection
            task.add_done_callback(self._connections.pop)

    async def _serve(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        limit = _HANDSHAKE_SECONDS if self._tls else None
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self._tls, ssl_handshake_timeout=limit
            )
        except OSError:
            # No handshake: the client has gone, or does not like the certificate; it knows why
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        app = ASGIWrapper(self._app_for(transport.get_extra_info("ssl_object")))  # type: ignore[arg-type]
        await TCPServer(app, loop, self._config, WorkerContext(None), {}, reader, writer)
