"""The sockets of a DNS server: UDP and TCP on one address and one port number.

One event loop serves them and the rest of the local cloud. So TCP connections take turns, one
message for each round of the loop, and so do the clients of UDP. A client's buffers and connections
are limited.
"""

import asyncio
import errno
import socket
import struct
from collections import deque
from contextlib import suppress
from typing import Protocol

# Attempts to find a port number that is free on UDP and on TCP.
_BIND_ATTEMPTS = 50
# Seconds until a TCP connection without a query is closed. RFC 7766 section 6.2.3 leaves the
# figure open.
_IDLE_SECONDS = 10.0
# Connections that are open at once. RFC 7766 section 6.2.2 asks for a limit and leaves the figure
# open.
_MOST_CONNECTIONS = 64
# Bytes of a connection's queries after which nothing more is read until they are answered.
_READ_LIMIT = 4096
# Seconds that a client has to read its last answers after its connection is closed.
_CLOSING_SECONDS = 1.0
# Bytes of the system's buffer for UDP; it gives at most what net.core.rmem_max allows (socket(7)).
_UDP_BUFFER = 4 * 1024 * 1024
# Datagrams that are read from the system's buffer in one round of the loop. Reading is a hundred
# times as fast as answering, so that this buffer does not fill during a flood.
_READ_AT_ONCE = 256
# Queries of one UDP client (address and port) that wait for their answers; more are dropped.
_MOST_WAITING = 64
# UDP clients that wait at the same time; the queries of more are dropped.
_MOST_CLIENTS = 1024

_Client = tuple[str, int]


class Handler(Protocol):
    """A DNS server from bytes to bytes."""

    def __call__(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Return the answer to one DNS message, None for no answer; `tcp` is how it arrived."""
        ...


class DnsServer:
    """A DNS server on UDP and TCP, on one address and the same port number; 0 takes a free one.

    `start` returns once both sockets are bound, so the first query is answered. `stop` closes them
    and every connection.

    A TCP connection is closed after `idle_seconds` without a whole query, or in which the client
    does not read its answers. When `most_connections` are open, a new one takes the place of the
    one whose last query is the longest ago.
    """

    def __init__(
        self,
        handler: Handler,
        address: str = "127.0.0.1",
        port: int = 0,
        *,
        idle_seconds: float = _IDLE_SECONDS,
        most_connections: int = _MOST_CONNECTIONS,
    ) -> None:
        self.address = address
        self.port = port
        self._handler = handler
        self._udp: _Datagrams | None = None
        self._tcp: asyncio.Server | None = None
        self._idle_seconds = idle_seconds
        self._most_connections = most_connections
        # The connections that are served, in the order of their last queries.
        self._served: dict[asyncio.Task[None], None] = {}
        self._connections: set[asyncio.Task[None]] = set()
        # Held by the connection whose message is answered; the others wait in their order.
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Bind both sockets.

        Raises OSError when the given port is taken, or when no number is free on both.
        """
        for attempt in range(_BIND_ATTEMPTS):
            try:
                await self._bind()
            except OSError as error:
                is_last = self.port != 0 or attempt == _BIND_ATTEMPTS - 1
                if is_last or error.errno != errno.EADDRINUSE:
                    raise
            else:
                return

    async def stop(self) -> None:
        """Close the sockets and wait for the connections to end. Idempotent."""
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._tcp is not None:
            await self._tcp.wait_closed()
        self._udp = None
        self._tcp = None

    async def _bind(self) -> None:
        udp = _Datagrams(self._handler, self.address, self.port)
        # The system chose the port for UDP; on TCP it may be taken, and `start` tries another one.
        port = udp.port
        try:
            self._tcp = await asyncio.start_server(
                self._accept, self.address, port, limit=_READ_LIMIT
            )
        except OSError:
            udp.close()
            raise
        self._udp = udp
        self.port = port

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._served) >= self._most_connections:
            self._make_room()
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._served[task] = None
        self._connections.add(task)
        task.add_done_callback(self._forget)

    def _make_room(self) -> None:
        """End the connection whose last query is the longest ago."""
        longest_silent = next(iter(self._served))
        del self._served[longest_silent]
        longest_silent.cancel()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._served.pop(task, None)
        self._connections.discard(task)

    def _note_query(self, task: asyncio.Task[None] | None) -> None:
        """Move the connection to the end of the order, unless it is being ended."""
        if task is not None and task in self._served:
            del self._served[task]
            self._served[task] = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the messages of a connection until the client closes it or is idle too long."""
        task = asyncio.current_task()
        try:
            while True:
                async with asyncio.timeout(self._idle_seconds):
                    message = await _read_message(reader)
                self._note_query(task)

                answer = await self._answer(message)
                if answer is None:
                    break  # close: over TCP the client would wait for an answer

                writer.write(struct.pack("!H", len(answer)) + answer)
                async with asyncio.timeout(self._idle_seconds):
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass  # the client has left, has no more queries or does not read
        finally:
            await _close(writer)

    async def _answer(self, message: bytes) -> bytes | None:
        """Return the answer when it is this connection's turn.

        A buffer full of queries would else be answered without a pause: neither `readexactly` nor
        `drain` yields to the event loop when it need not wait.
        """
        async with self._turn:
            answer = self._handler(message, tcp=True)
            await asyncio.sleep(0)
        return answer


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection; what the client does not read soon is dropped with it."""
    writer.close()
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            await writer.wait_closed()
    except (ConnectionError, TimeoutError):
        pass  # the client has left, or does not read
    finally:
        # A transport that is only closed stays until the client has read everything.
        writer.transport.abort()


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """Read one message, which follows its length in two bytes (RFC 1035 section 4.2.2)."""
    (length,) = struct.unpack("!H", await reader.readexactly(2))
    return await reader.readexactly(length)


class _Datagrams:
    """The UDP socket. Each client that waits gets one answer, then the next client.

    The system's buffer is one queue for all clients, which a client that floods would fill. So it
    is emptied at once, into a short queue for each client.
    """

    def __init__(self, handler: Handler, address: str, port: int) -> None:
        """Bind and begin to answer. Raises OSError when the port is taken."""
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        # By client; the one whose turn is next is first.
        self._waiting: dict[_Client, deque[bytes]] = {}
        self._next_turn: asyncio.Handle | None = None

        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER)
            self._socket.bind((address, port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._loop.add_reader(self._socket, self._read)

    def close(self) -> None:
        """Close the socket; queries that wait are dropped."""
        self._loop.remove_reader(self._socket)
        if self._next_turn is not None:
            self._next_turn.cancel()
        self._socket.close()

    def _read(self) -> None:
        for _ in range(_READ_AT_ONCE):
            try:
                query, client = self._socket.recvfrom(65535)
            except OSError:
                break  # nothing more has arrived
            self._enqueue(client, query)
        if self._waiting and self._next_turn is None:
            self._next_turn = self._loop.call_soon(self._take_turn)

    def _enqueue(self, client: _Client, query: bytes) -> None:
        queries = self._waiting.get(client)
        if queries is None:
            if len(self._waiting) < _MOST_CLIENTS:
                self._waiting[client] = deque((query,))
        elif len(queries) < _MOST_WAITING:
            queries.append(query)

    def _take_turn(self) -> None:
        """Answer one query of the client whose turn it is."""
        client = next(iter(self._waiting))
        queries = self._waiting.pop(client)
        query = queries.popleft()
        if queries:
            self._waiting[client] = queries

        # Before the answer, so that an error in a handler does not end the turns.
        self._next_turn = self._loop.call_soon(self._take_turn) if self._waiting else None
        answer = self._handler(query, tcp=False)
        if answer is not None:
            with suppress(OSError):  # the client's own buffer is full, or its port is 0
                self._socket.sendto(answer, client)
