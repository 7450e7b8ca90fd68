"""The sockets of a DNS server: UDP and TCP on one address and one port number."""

import asyncio
import errno
import struct
from typing import Protocol, cast

# Attempts to find a port number that is free on UDP and on TCP.
_BIND_ATTEMPTS = 50
# Seconds until a TCP connection without a query is closed. RFC 7766 section 6.2.3 leaves the
# figure open.
_IDLE_SECONDS = 10.0


class Handler(Protocol):
    """A DNS server from bytes to bytes."""

    def __call__(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Return the answer to one DNS message, None for no answer; `tcp` is how it arrived."""
        ...


class DnsServer:
    """A DNS server on UDP and TCP, on one address and the same port number; 0 takes a free one.

    `start` returns once both sockets are bound, so the first query is answered. `stop` closes them
    and every connection.
    """

    def __init__(self, handler: Handler, address: str = "127.0.0.1", port: int = 0) -> None:
        self.address = address
        self.port = port
        self._handler = handler
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

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
        loop = asyncio.get_running_loop()
        udp, _ = await loop.create_datagram_endpoint(
            lambda: _DatagramProtocol(self._handler), local_addr=(self.address, self.port)
        )
        # The system chose the port for UDP; on TCP it may be taken, and `start` tries another one.
        port: int = udp.get_extra_info("sockname")[1]
        try:
            self._tcp = await asyncio.start_server(self._accept, self.address, port)
        except OSError:
            udp.close()
            raise
        self._udp = udp
        self.port = port

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the messages of a connection until the client closes it or is idle too long."""
        try:
            while True:
                async with asyncio.timeout(_IDLE_SECONDS):
                    message = await _read_message(reader)
                    answer = self._handler(message, tcp=True)
                    if answer is None:
                        return  # close: over TCP the client would wait for an answer
                    writer.write(struct.pack("!H", len(answer)) + answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return  # the client has left or has no more queries
        finally:
            writer.close()


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """Read one message, which follows its length in two bytes (RFC 1035 section 4.2.2)."""
    (length,) = struct.unpack("!H", await reader.readexactly(2))
    return await reader.readexactly(length)


class _DatagramProtocol(asyncio.DatagramProtocol):
    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._handler(data, tcp=False)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)
