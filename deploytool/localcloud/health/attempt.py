"""One attempt of a health check against a real endpoint: TCP, TLS, HTTP/1.1 with h11.

`core.route53.health.judge_check` judges what an attempt measured.
"""

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import replace
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

# What Route 53's checkers send; the reference is the health check's id there. Source: AWS re:Post
# knowledge center, "identify unwanted health checks".
USER_AGENT = "Amazon-Route53-Health-Check-Service (ref {reference}; report http://amzn.to/1vsZADi)"
# Seconds of wall time, for a server to end its side of TLS before the connection is cut.
_CLOSING_SECONDS = 1.0
_READ_BYTES = 65536


class Dial(Protocol):
    """Makes one attempt; never raises for what the endpoint does."""

    async def __call__(
        self, config: HealthCheckConfig, address: str, limits: TimeLimits
    ) -> Attempt:
        """Return what happened at `address`. The limits and the measures are in wall seconds."""
        ...


class EndpointDial:
    """Dials endpoints on loopback.

    `ports` maps the port of a health check to the local one (443 to that of the edges). No other
    address is dialled: the local cloud has no internet, and a check must not leave the machine.
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
                failure=f"{address} is not on this machine, "
                "and there is no internet behind the local cloud."
            )

        loop = asyncio.get_running_loop()
        began = loop.time()
        port = self._ports.get(config.port, config.port)
        try:
            connection = await _connect(address, port, limits.connect)
        except TimeoutError:
            return Attempt(
                failure="The health checker could not establish a connection "
                "within the timeout limit."
            )
        except OSError as error:
            return Attempt(
                failure=f"The health checker could not establish a connection: {_text(error)}."
            )

        connect_seconds = loop.time() - began
        if limits.response is None:
            connection.close()
            return Attempt(connect_seconds=connect_seconds)
        return await self._request(config, connection, connect_seconds, limits)

    async def _request(
        self,
        config: HealthCheckConfig,
        connection: socket.socket,
        connect_seconds: float,
        limits: TimeLimits,
    ) -> Attempt:
        """Send a GET over a new connection and return what the endpoint answers."""
        try:
            return await self._exchange(config, connection, connect_seconds, limits)
        except TimeoutError:
            failure = "The endpoint sent no HTTP status within the timeout limit."
        except (OSError, h11.ProtocolError) as error:
            failure = f"The endpoint sent no valid HTTP answer: {_text(error)}."
        return Attempt(failure=failure, connect_seconds=connect_seconds)

    async def _exchange(
        self,
        config: HealthCheckConfig,
        connection: socket.socket,
        connect_seconds: float,
        limits: TimeLimits,
    ) -> Attempt:
        """Exchange request and response, and read as much of the latter as the check needs.

        Raises TimeoutError when no status arrives in time, OSError or h11.ProtocolError when what
        arrives is no HTTP. From here on the socket belongs to asyncio. If it were closed here,
        another attempt could get its descriptor while asyncio still waits for the end of TLS on it.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        exchange = _Exchange()
        writer = None
        try:
            async with asyncio.timeout(limits.response):
                reader, writer = await asyncio.open_connection(
                    sock=connection, **self._tls_options(config)
                )
                writer.write(exchange.request(config, self._user_agent))
                status = await exchange.read_status(reader)
            response_seconds = loop.time() - began
            attempt = Attempt(
                connect_seconds=connect_seconds, status=status, response_seconds=response_seconds
            )
            if limits.body is None:
                return attempt

            body = await _read_body(exchange, reader, limits.body)
            if body is None:
                return attempt
            body_seconds = loop.time() - began - response_seconds
            return replace(attempt, body=body, body_seconds=body_seconds)
        finally:
            if writer is not None:
                await close_connection(writer)

    def _tls_options(self, config: HealthCheckConfig) -> dict[str, Any]:
        """Return asyncio's arguments for TLS: none for plain HTTP."""
        if not uses_tls(config):
            return {}
        return {
            "ssl": self._tls,
            "server_hostname": server_name(config) or "",
            "ssl_shutdown_timeout": _CLOSING_SECONDS,
        }


class _Exchange:
    """One HTTP/1.1 request and its response.

    Reading raises h11.ProtocolError for a response that is not HTTP.
    """

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT)

    def request(self, config: HealthCheckConfig, user_agent: str) -> bytes:
        """Return the bytes of the GET that a checker sends."""
        path = config.resource_path
        target = path if path.startswith("/") else f"/{path}"
        headers = [
            ("Host", host_header(config)),
            ("User-Agent", user_agent),
            ("Accept", "*/*"),
            ("Connection", "close"),
        ]
        start = self._http.send(h11.Request(method="GET", target=target, headers=headers))
        return start + self._http.send(h11.EndOfMessage())

    async def read_status(self, reader: asyncio.StreamReader) -> int:
        """Return the status code of the final response."""
        # Informational responses come before it. h11 raises for anything else, such as a connection
        # that is closed too early.
        while True:
            event = await self._next_event(reader)
            if isinstance(event, h11.Response):
                return event.status_code

    async def read_body(self, reader: asyncio.StreamReader) -> bytes:
        """Return the body, or as much of it as a string match searches."""
        body = b""
        while len(body) < SEARCHED_BYTES:
            event = await self._next_event(reader)
            if not isinstance(event, h11.Data):
                break
            body += event.data
        return body[:SEARCHED_BYTES]

    async def _next_event(self, reader: asyncio.StreamReader) -> h11.Event:
        event = self._http.next_event()
        while event is h11.NEED_DATA:
            self._http.receive_data(await reader.read(_READ_BYTES))
            event = self._http.next_event()
        if isinstance(event, type):
            # h11.PAUSED, the only other event that is a class
            raise h11.RemoteProtocolError("the answer has already ended")
        return event


async def _connect(address: str, port: int, limit: float) -> socket.socket:
    """Return a TCP connection. Raises TimeoutError after `limit` wall seconds, or OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        async with asyncio.timeout(limit):
            await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _read_body(
    exchange: _Exchange, reader: asyncio.StreamReader, limit: float
) -> bytes | None:
    """Return the body, None when it takes more than `limit` wall seconds or breaks off."""
    try:
        async with asyncio.timeout(limit):
            return await exchange.read_body(reader)
    except (TimeoutError, OSError, h11.ProtocolError):
        return None


async def close_connection(writer: asyncio.StreamWriter) -> None:
    """Close a connection that is no longer needed; errors in it do not matter any more."""
    writer.close()
    try:
        # Not wait_for: until Python 3.12 it swallows a cancellation that arrives in the turn of the
        # loop in which the connection closes, and the cancelled checker would continue.
        async with asyncio.timeout(_CLOSING_SECONDS):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()


def _text(error: Exception) -> str:
    """Return the system's text for an error; TLS has error numbers of its own."""
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
