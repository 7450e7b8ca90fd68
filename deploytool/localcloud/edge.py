"""A region's HTTPS edge: real TLS on the region's loopback address, serving or refusing connections."""

import contextlib
import socket
import ssl
from typing import Literal, get_args
from weakref import WeakKeyDictionary

from deploytool.core.errors import DeploytoolError, InputError
from deploytool.localcloud.asgi import AsgiApp
from deploytool.localcloud.ca import CertificateAuthority
from deploytool.localcloud.gateway import ApiGateway, DataPlane, covers
from deploytool.localcloud.httpserver import HttpServer, bind

EdgeState = Literal["serving", "refusing"]
_STATES: tuple[EdgeState, ...] = get_args(EdgeState)
_TRIES = 20


class Edge:
    """API Gateway's endpoint in one region.

    Its certificate follows the name in the handshake: the custom domain's own when ACM has issued one in this region that covers
    it, else that of the region's execute-api endpoint. Starts refusing.
    """

    def __init__(
        self, region: str, bound: socket.socket, gateway: ApiGateway, emulator: AsgiApp, ca: CertificateAuthority
    ) -> None:
        self.region = region
        self._gateway = gateway
        self._emulator = emulator
        self._ca = ca
        self._names: WeakKeyDictionary[ssl.SSLObject, str] = WeakKeyDictionary()
        self._default_names = (f"*.execute-api.{region}.amazonaws.com",)
        # The handshake begins in a context of our own: the authority shares its contexts among the edges.
        tls = ca.new_context(self._default_names)
        tls.sni_callback = self._choose_certificate
        self._server = HttpServer(bound, self._app_for, tls)
        self.address: str = self._server.address
        self.port: int = self._server.port

    @property
    def state(self) -> EdgeState:
        """What a client meets now."""
        return "serving" if self._server.listening else "refusing"

    async def set_state(self, state: str) -> None:
        """Serve or refuse. Raises InputError for a state that an edge cannot take; nothing changes then."""
        match state:
            case "serving":
                self.serve()
            case "refusing":
                await self.refuse()
            case _:
                raise InputError(f"state {state!r}: an edge can be {' or '.join(_STATES)}")

    def serve(self) -> None:
        """Accept connections again, on the same port."""
        self._server.start()

    async def refuse(self) -> None:
        """Drop every open connection and refuse new ones, as a host without the service does."""
        await self._server.stop()

    async def close(self) -> None:
        """Refuse for good and give the port back."""
        await self._server.close()

    def _choose_certificate(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name is None or not isinstance(connection, ssl.SSLObject):
            return
        name = name.lower().rstrip(".")
        self._names[connection] = name
        domain = self._gateway.custom_domain(self.region, name)
        if domain is not None and covers(domain.certificate, name):
            connection.context = self._ca.context(domain.certificate)

    def _app_for(self, connection: ssl.SSLObject | None) -> AsgiApp:
        sni = None if connection is None else self._names.get(connection)
        return DataPlane(self._gateway, self.region, self._emulator, sni)


def bind_edges(addresses: tuple[str, ...]) -> list[socket.socket]:
    """Sockets on these addresses, all with the same free port number.

    Raises InputError that names the commands to give when this machine lacks an address (macOS has only 127.0.0.1).
    """
    missing = [address for address in addresses if not _can_bind(address)]
    if missing:
        commands = "\n".join(f"    sudo ifconfig lo0 alias {address} up" for address in missing)
        raise InputError(f"this machine lacks loopback addresses that the regions' edges need; add them with\n{commands}")
    for _ in range(_TRIES):
        with contextlib.ExitStack() as bound:
            try:
                sockets = [bound.enter_context(bind(addresses[0]))]
                sockets += [bound.enter_context(bind(address, sockets[0].getsockname()[1])) for address in addresses[1:]]
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
