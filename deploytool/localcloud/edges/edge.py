"""A region's HTTPS edge: real TLS on the region's loopback address, serving, or broken in one of
four ways.

What clients see of an edge that is
- refusing: open connections end at once, in the handshake too; new ones are refused (RST);
- blackholed: an attempt to connect is not answered at all (the kernel drops the SYN), and over a connection that was open before
  comes nothing more. Once it is mended both go on, as they do when a network is back: an attempt with the client's next SYN
  (Linux: 1, 3, 7... s after its first), a request that was sent meanwhile with its answer;
- slow: connection and TLS at once, each answer of the API late by true seconds (stretched as the checkers' limits are);
- failing: connection and TLS at once, 503 with a JSON body to every request, which does not say whose region that is.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never
from weakref import WeakKeyDictionary

from deploytool.core.errors import DeploytoolError, InputError
from deploytool.localcloud.clock import CloudClock
from deploytool.localcloud.edges.asgi import AsgiApp, Receive, Scope, Send
from deploytool.localcloud.edges.ca import CertificateAuthority
from deploytool.localcloud.edges.edge_state import Condition
from deploytool.localcloud.edges.gateway import ApiGateway, DataPlane, covers, unavailable
from deploytool.localcloud.edges.httpserver import HttpServer, bind
from deploytool.localcloud.health.checkers import wall_delay

_TRIES = 20


@dataclass(frozen=True)
class ClientMoved:
    """A connection for a custom domain came to another region than the one before it; cloud
    seconds.
    """

    name: str
    old: str
    new: str
    at: float


class Arrivals:
    """Which region the connections for each custom domain come to, over all edges; `on_move` hears
    when that changes.
    """

    def __init__(self, now: Callable[[], float], on_move: Callable[[ClientMoved], None]) -> None:
        self._now, self._on_move = now, on_move
        self._last: dict[str, str] = {}

    def note(self, name: str, region: str) -> None:
        """A client says hello (in TLS) for this name to this region's edge."""
        before = self._last.get(name)
        self._last[name] = region
        if before is not None and before != region:
            self._on_move(ClientMoved(name, before, region, self._now()))


@dataclass(frozen=True)
class EdgeChanged:
    """An edge is no longer in the condition that it was in; cloud seconds."""

    region: str
    old: Condition
    new: Condition
    at: float


class Edge:
    """API Gateway's endpoint in one region.

    Its certificate follows the name in the handshake: the custom domain's own when ACM has issued
    one in this region that covers it, else that of the region's execute-api endpoint. Starts
    refusing. `on_change` hears of each change of condition.
    """

    def __init__(
        self,
        region: str,
        bound: socket.socket,
        gateway: ApiGateway,
        emulator: AsgiApp,
        ca: CertificateAuthority,
        clock: CloudClock,
        on_change: Callable[[EdgeChanged], None],
        arrivals: Arrivals,
    ) -> None:
        self.region = region
        self._gateway = gateway
        self._emulator = emulator
        self._ca = ca
        self._clock = clock
        self._on_change = on_change
        self._arrivals = arrivals
        self._changing = asyncio.Lock()
        self._reachable = asyncio.Event()
        self._reachable.set()
        self.condition = Condition("refusing")
        self._names: WeakKeyDictionary[ssl.SSLObject, str] = WeakKeyDictionary()
        self._default_names = (f"*.execute-api.{region}.amazonaws.com",)
        # The handshake begins in a context of our own: the authority shares its contexts among the
        # edges.
        tls = ca.new_context(self._default_names)
        tls.sni_callback = self._choose_certificate
        self._server = HttpServer(bound, self._app_for, tls)
        self.address: str = self._server.address
        self.port: int = self._server.port

    async def set_condition(self, wanted: Condition) -> None:
        """Returns once it holds; nothing to do when it does. Raises InputError when this system
        cannot blackhole.
        """
        async with self._changing:
            old, at = self.condition, self._clock.now()
            if wanted == old:
                return
            self._take(wanted)
            try:
                match wanted.state:
                    case "serving" | "slow" | "failing":
                        self._server.start()
                    case "refusing":
                        await self._server.stop()
                    case "blackholed":
                        await self._server.ignore()
                    case _:
                        assert_never(wanted.state)
            except InputError:
                self._take(old)
                if old.state != "refusing":  # which is how the server is left
                    self._server.start()
                raise
            self._on_change(EdgeChanged(self.region, old, wanted, at))

    async def close(self) -> None:
        """Refuse for good and give the port back."""
        await self._server.close()

    def _choose_certificate(
        self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext
    ) -> None:
        if name is None or not isinstance(connection, ssl.SSLObject):
            return
        name = name.lower().rstrip(".")
        self._names[connection] = name
        domain = self._gateway.custom_domain(self.region, name)
        if domain is not None:
            self._arrivals.note(name, self.region)
        if domain is not None and covers(domain.certificate, name):
            connection.context = self._ca.context(domain.certificate)

    def _take(self, condition: Condition) -> None:
        self.condition = condition
        if condition.state == "blackholed":
            self._reachable.clear()
        else:
            self._reachable.set()

    def _app_for(self, connection: ssl.SSLObject | None) -> AsgiApp:
        sni = None if connection is None else self._names.get(connection)
        data_plane = DataPlane(self._gateway, self.region, self._emulator, sni)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_when_reachable(message: Any) -> None:  # noqa: ANN401 - what ASGI's messages are
                await self._reachable.wait()
                await send(message)

            await self._reachable.wait()
            if scope["type"] == "http" and self.condition.state == "failing":
                return await unavailable(send_when_reachable)
            if self.condition.state == "slow":
                await asyncio.sleep(wall_delay(self.condition.seconds, self._clock.speed))
            return await data_plane(scope, receive, send_when_reachable)

        return answer


def bind_edges(addresses: tuple[str, ...]) -> list[socket.socket]:
    """Sockets on these addresses, all with the same free port number.

    Raises InputError that names the commands to give when this machine lacks an address (macOS has
    only 127.0.0.1).
    """
    missing = [address for address in addresses if not _can_bind(address)]
    if missing:
        commands = "\n".join(f"    sudo ifconfig lo0 alias {address} up" for address in missing)
        raise InputError(
            f"this machine lacks loopback addresses that the regions' edges need; add them with\n{commands}"
        )
    for _ in range(_TRIES):
        with contextlib.ExitStack() as bound:
            try:
                sockets = [bound.enter_context(bind(addresses[0]))]
                sockets += [
                    bound.enter_context(bind(address, sockets[0].getsockname()[1]))
                    for address in addresses[1:]
                ]
            except OSError:
                continue  # another program has that port on a later address
            bound.pop_all()
            return sockets
    raise DeploytoolError(f"no port number is free on all of {', '.join(addresses)}")


def _can_bind(address: str) -> bool:
    try:
        bind(address).close()
    except OSError:
        return False
    return True
