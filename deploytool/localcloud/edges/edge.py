"""A region's HTTPS edge: TLS on a loopback address, serving or broken in one of four ways.

What a client meets in each condition:

- refusing: open connections end at once, during the handshake too; new ones are refused (RST).
- blackholed: an attempt to connect is not answered at all (the kernel drops the SYN), and nothing
  arrives over a connection that was open before. Once the edge is fixed both continue, as they do
  when a network is back: an attempt with the client's next SYN (Linux: 1, 3, 7... s after its
  first), a request that was sent meanwhile with its answer.
- slow: TCP and TLS connect at once; each answer of the API is late by a number of true seconds,
  which are scaled as the checkers' limits are.
- failing: TCP and TLS connect at once; every request gets a 503 with a JSON body, which does not
  tell the region.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any, assert_never
from weakref import WeakKeyDictionary

from deploytool.core.errors import InputError
from deploytool.localcloud.clock import CloudClock, scale_delay
from deploytool.localcloud.edges.arrivals import Arrivals
from deploytool.localcloud.edges.asgi import AsgiApp, Receive, Scope, Send
from deploytool.localcloud.edges.ca import CertificateAuthority
from deploytool.localcloud.edges.data_plane import DataPlane, answer_unavailable
from deploytool.localcloud.edges.edge_state import EdgeChanged, EdgeState
from deploytool.localcloud.edges.gateway import ApiGateway, covers
from deploytool.localcloud.edges.httpserver import HttpServer


class Edge:
    """API Gateway's endpoint in one region, refusing connections at first.

    Its certificate depends on the name in the handshake: the custom domain's own when ACM has
    issued one in this region that covers the name, else that of the region's execute-api endpoint.
    `on_change` is called after each change of state.
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
        self.state = EdgeState("refusing")
        self._gateway = gateway
        self._emulator = emulator
        self._ca = ca
        self._clock = clock
        self._on_change = on_change
        self._arrivals = arrivals
        self._changing = asyncio.Lock()
        # Set unless the edge is blackholed: requests and answers wait for it.
        self._reachable = asyncio.Event()
        self._reachable.set()
        # The name in each connection's handshake, for as long as the connection exists.
        self._server_names: WeakKeyDictionary[ssl.SSLObject, str] = WeakKeyDictionary()

        # A context of this edge's own: the authority shares its other contexts among the edges.
        tls = ca.new_context((f"*.execute-api.{region}.amazonaws.com",))
        tls.sni_callback = self._choose_certificate
        self._server = HttpServer(bound, self._application_for, tls)
        self.address: str = self._server.address
        self.port: int = self._server.port

    async def set_state(self, state: EdgeState) -> None:
        """Change the state, and return once it is in force; do nothing when it is already.

        Raises InputError, with the old state kept, when this system cannot blackhole an edge.
        """
        async with self._changing:
            old = self.state
            changed_at = self._clock.now()
            if state == old:
                return

            # The state comes first: what is under way follows it before the listening changes.
            self._enter(state)
            try:
                await self._apply(state)
            except InputError:
                self._enter(old)
                # A failed attempt to blackhole leaves the server refusing.
                if old.condition != "refusing":
                    self._server.start()
                raise
            self._on_change(EdgeChanged(self.region, old, state, changed_at))

    async def close(self) -> None:
        """Refuse connections for good and give the port back."""
        await self._server.close()

    async def _apply(self, state: EdgeState) -> None:
        match state.condition:
            case "serving" | "slow" | "failing":
                self._server.start()
            case "refusing":
                await self._server.stop()
            case "blackholed":
                await self._server.ignore()
            case _:
                assert_never(state.condition)

    def _enter(self, state: EdgeState) -> None:
        self.state = state
        if state.condition == "blackholed":
            self._reachable.clear()
        else:
            self._reachable.set()

    def _choose_certificate(
        self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext
    ) -> None:
        """Note the name in the handshake, and choose the custom domain's certificate."""
        if name is None or not isinstance(connection, ssl.SSLObject):
            return
        name = name.lower().rstrip(".")
        self._server_names[connection] = name

        domain = self._gateway.custom_domain(self.region, name)
        if domain is None:
            return
        self._arrivals.record(name, self.region)
        if covers(domain.certificate, name):
            connection.context = self._ca.context(domain.certificate)

    def _application_for(self, connection: ssl.SSLObject | None) -> AsgiApp:
        """Return the ASGI application for one connection."""
        server_name = None if connection is None else self._server_names.get(connection)
        data_plane = DataPlane(self._gateway, self.region, self._emulator, server_name)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_when_reachable(message: Any) -> None:  # noqa: ANN401  # an ASGI message
                await self._reachable.wait()
                await send(message)

            await self._reachable.wait()
            if scope["type"] == "http" and self.state.condition == "failing":
                await answer_unavailable(send_when_reachable)
                return
            if self.state.condition == "slow":
                await asyncio.sleep(scale_delay(self.state.seconds, self._clock.speed))
            await data_plane(scope, receive, send_when_reachable)

        return answer
