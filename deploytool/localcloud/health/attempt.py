"""One attempt of a health check for real: TCP, TLS, HTTP/1.1 with h11. What it measured is judged
elsewhere.
"""

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import Coroutine, Mapping
from contextlib import ExitStack
from typing import Any, Protocol

import h11

from deploytool.core.route53.health import (
    SEARCHED_BYTES,
    Attempt,
    HealthCheckConfig,
    TimeLimits,
    host_header,
    server_name,
    uses_tls,
)

# What Route 53's checkers send; the reference stands for the health check's id there. Source: AWS
# re:Post knowledge center, "identify unwanted health checks".
USER_AGENT = "Amazon-Route53-Health-Check-Service (ref {reference}; report http://amzn.to/1vsZADi)"
# Of wall time, for a server to end its side of TLS before the connection is cut
_CLOSING_SECONDS = 1.0


class Dial(Protocol):
    """Makes one attempt at `address` within `limits` (wall seconds) and never raises for what the
    endpoint does.
    """

    async def __call__(
        self, config: HealthCheckConfig, address: str, limits: TimeLimits
    ) -> Attempt:
        """What happened, in wall seconds."""
        ...


class EndpointDial:
    """Dials endpoints on loopback. `ports` maps the port of a health check to the local one (443 to
    the edges').

    It reaches no other address: the local cloud has no internet, and a check must not leave the
    machine.
    """

    def __init__(self, ports: Mapping[int, int] | None = None, *, reference: str = "local") -> None:
        self._ports = dict(ports or {})
        self._user_agent = USER_AGENT.format(reference=reference)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.check_hostname = False  # Route 53 does not validate certificates
        self._tls.verify_mode = ssl.CERT_NONE

    async def __call__(
        self, config: HealthCheckConfig, address: str, limits: TimeLimits
    ) -> Attempt:
        """See `Dial`."""
        if not ipaddress.ip_address(address).is_loopback:
            return Attempt(
                failure=f"{address} is not on this machine, and there is no internet behind the local cloud."
            )
        loop = asyncio.get_running_loop()
        began = loop.time()
        connection = socket.socket(
            socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM
        )
        connection.setblocking(False)
        with ExitStack() as ours:
            ours.callback(connection.close)
            try:
                async with asyncio.timeout(limits.connect):
                    await loop.sock_connect(
                        connection, (address, self._ports.get(config.port, config.port))
                    )
            except TimeoutError:
                return Attempt(
                    failure="The health checker could not establish a connection within the timeout limit."
                )
            except OSError as error:
                return Attempt(
                    failure=f"The health checker could not establish a connection: {_words(error)}."
                )
            connected = loop.time() - began
            if limits.response is None:
                return Attempt(connect_seconds=connected)
            ours.pop_all()
        return await self._request(config, connection, connected, limits)

    def _tls_of(self, config: HealthCheckConfig) -> dict[str, Any]:
        """What asyncio is told of TLS: nothing for plain HTTP."""
        if not uses_tls(config):
            return {}
        return {
            "ssl": self._tls,
            "server_hostname": server_name(config) or "",
            "ssl_shutdown_timeout": _CLOSING_SECONDS,
        }

    async def _request(
        self,
        config: HealthCheckConfig,
        connection: socket.socket,
        connected: float,
        limits: TimeLimits,
    ) -> Attempt:
        """Ask over a connection just made: TLS, GET, and as much of the answer as the type of the
        check needs.

        The socket is asyncio's from here on. Closed behind its back, its descriptor would go to
        another attempt while asyncio still waits for the end of TLS on it.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        exchange = _Exchange()
        writer = None
        try:
            async with asyncio.timeout(limits.response):
                reader, writer = await asyncio.open_connection(
                    sock=connection, **self._tls_of(config)
                )
                writer.write(exchange.request(config, self._user_agent))
                status = await exchange.status(reader)
            answered = loop.time() - began
            if limits.body is None:
                return Attempt(connect_seconds=connected, status=status, response_seconds=answered)
            body = await _within(limits.body, exchange.body(reader))
            took = loop.time() - began - answered
            whole = None if body is None else took
            return Attempt(
                connect_seconds=connected,
                status=status,
                response_seconds=answered,
                body=body or b"",
                body_seconds=whole,
            )
        except TimeoutError:
            return Attempt(
                failure="The endpoint sent no HTTP status within the timeout limit.",
                connect_seconds=connected,
            )
        except (OSError, h11.ProtocolError) as error:
            return Attempt(
                failure=f"The endpoint sent no valid HTTP answer: {_words(error)}.",
                connect_seconds=connected,
            )
        finally:
            if writer is not None:
                await _close(writer)


class _Exchange:
    """One HTTP/1.1 request and its answer. Raises h11.ProtocolError for an answer that is not
    HTTP.
    """

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT)

    def request(self, config: HealthCheckConfig, user_agent: str) -> bytes:
        """The bytes of the GET that a checker sends."""
        headers = [
            ("Host", host_header(config)),
            ("User-Agent", user_agent),
            ("Accept", "*/*"),
            ("Connection", "close"),
        ]
        target = (
            config.resource_path
            if config.resource_path.startswith("/")
            else f"/{config.resource_path}"
        )
        start = self._http.send(h11.Request(method="GET", target=target, headers=headers))
        return start + self._http.send(h11.EndOfMessage())

    async def status(self, reader: asyncio.StreamReader) -> int:
        """The status code of the final response."""
        while not isinstance(event := await self._event(reader), h11.Response):
            # Informational ones come before it; h11 raises for anything else, such as a connection
            # closed too early
            pass
        return event.status_code

    async def body(self, reader: asyncio.StreamReader) -> bytes:
        """The body, or as much of it as a string match looks at."""
        body = b""
        while len(body) < SEARCHED_BYTES and isinstance(
            event := await self._event(reader), h11.Data
        ):
            body += event.data
        return body[:SEARCHED_BYTES]

    async def _event(self, reader: asyncio.StreamReader) -> h11.Event:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await reader.read(65536))
        if isinstance(event, type):
            raise h11.RemoteProtocolError("the answer has already ended")
        return event


async def _within(seconds: float, body: Coroutine[Any, Any, bytes]) -> bytes | None:
    """The body, None when it takes longer or breaks off."""
    try:
        return await asyncio.wait_for(body, seconds)
    except (TimeoutError, OSError, h11.ProtocolError):
        return None


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection that has served its purpose; whatever goes wrong in it is no longer of
    interest.
    """
    writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), _CLOSING_SECONDS)
    except (OSError, TimeoutError):
        writer.transport.abort()


def _words(error: Exception) -> str:
    """An error in the system's words; TLS has numbers of its own."""
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
