"""API Gateway's regional data plane: it hands a request to MiniStack in-process, or refuses it.

That every refusal is a 403 ForbiddenException is what the service answers.
"""

import uuid

from deploytool.localcloud.edges.asgi import AsgiApp, Receive, Scope, Send, send_json
from deploytool.localcloud.edges.gateway import ApiGateway, Target, covers, route


class DataPlane:
    """The ASGI application of one region's edge for the requests of one connection.

    `server_name` is the name in the connection's TLS handshake, None without one.
    """

    def __init__(
        self, gateway: ApiGateway, region: str, emulator: AsgiApp, server_name: str | None
    ) -> None:
        self._gateway = gateway
        self._region = region
        self._emulator = emulator
        self._server_name = server_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: through MiniStack when it is for an API, else with 403."""
        # A REST API has no WebSockets.
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return

        target = None
        if self._is_known_server_name():
            target = route(self._gateway, self._region, _host(scope), scope["path"])
        if target is None:
            await answer_forbidden(send)
            return
        await self._emulator(_rewritten(scope, target), receive, send)

    def _is_known_server_name(self) -> bool:
        """Whether the handshake named one of this region's domains.

        API Gateway serves no custom domain to a client that did not.
        """
        if self._server_name is None:
            return False
        default_names = (f"*.execute-api.{self._region}.amazonaws.com",)
        if covers(default_names, self._server_name):
            return True
        return self._gateway.custom_domain(self._region, self._server_name) is not None


async def answer_forbidden(send: Send) -> None:
    """Send API Gateway's answer to a request that is for none of its APIs."""
    await _answer_error(send, 403, "Forbidden", "ForbiddenException")


async def answer_unavailable(send: Send) -> None:
    """Send API Gateway's answer when it cannot serve."""
    await _answer_error(send, 503, "Service Unavailable", "ServiceUnavailableException")


async def _answer_error(send: Send, status: int, message: str, error_type: str) -> None:
    headers = {"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-errortype": error_type}
    await send_json(send, status, {"message": message}, headers)


def _host(scope: Scope) -> str:
    """Return the Host header, empty when there is none."""
    for name, value in scope["headers"]:
        if name == b"host":
            return str(value.decode("latin-1"))
    return ""


def _rewritten(scope: Scope, target: Target) -> Scope:
    """Return the request as MiniStack expects one for a known API and stage.

    It has the forwarding headers that API Gateway adds.
    """
    prefix = f"/_aws/execute-api/{target.api_id}/{target.stage}"
    path = scope["path"][target.used :] or "/"
    # Base paths and stages need no escaping, so the raw path is cut at the same place.
    raw_path = scope["raw_path"][target.used :] or b"/"

    # The client's own X-Forwarded-For is extended; its other forwarding headers are replaced.
    headers = []
    addresses = []
    for name, value in scope["headers"]:
        if name == b"x-forwarded-for":
            addresses.append(value)
        if not name.startswith(b"x-forwarded-"):
            headers.append((name, value))
    client = scope["client"][0] if scope.get("client") else "127.0.0.1"
    addresses.append(client.encode())
    headers.append((b"x-forwarded-for", b", ".join(addresses)))
    headers.append((b"x-forwarded-proto", b"https"))
    headers.append((b"x-forwarded-port", b"443"))

    return {
        **scope,
        "path": prefix + path,
        "raw_path": prefix.encode() + raw_path,
        "headers": headers,
    }
