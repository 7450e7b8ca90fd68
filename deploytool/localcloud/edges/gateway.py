"""API Gateway's regional data plane: which API and stage a request means, from its Host and path.
The rules are pure; the application around them hands the request to MiniStack in this process.

Sources: API Gateway Developer Guide, "Custom domain name for public REST APIs" (base path mappings,
the default endpoint) and "Disable the default endpoint for REST APIs"; that every refusal is a 403
ForbiddenException is what the service answers.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from deploytool.localcloud.edges.asgi import AsgiApp, Receive, Scope, Send, send_json


@dataclass(frozen=True)
class BasePathMapping:
    """`base_path` without slashes at its ends, empty for the root; `stage` empty when the path's
    next segment names it.
    """

    base_path: str
    api_id: str
    stage: str


@dataclass(frozen=True)
class CustomDomain:
    """A regional custom domain name. `certificate`: the names of its certificate, empty unless it
    is issued and covers `name`.
    """

    name: str
    target: str
    certificate: tuple[str, ...]
    mappings: tuple[BasePathMapping, ...]


@dataclass(frozen=True)
class RestApi:
    """A REST API, and whether its default endpoint (execute-api) answers."""

    id: str
    endpoint_enabled: bool


class ApiGateway(Protocol):
    """What a region's API Gateway holds now."""

    def custom_domain(self, region: str, name: str) -> CustomDomain | None: ...

    def rest_api(self, region: str, api_id: str) -> RestApi | None: ...


@dataclass(frozen=True)
class Target:
    """Where a request goes: the API, its stage, and how much of the path named them (`used`
    characters).
    """

    api_id: str
    stage: str
    used: int


def covers(names: Sequence[str], name: str) -> bool:
    """Whether a certificate for `names` is good for `name`; a wildcard stands for exactly one
    label.
    """
    parent = name.partition(".")[2]
    return name in names or (bool(parent) and f"*.{parent}" in names)


def through_mapping(mappings: Sequence[BasePathMapping], path: str) -> Target | None:
    """The mapping with the longest base path that the path lies in; None when there is none, or no
    stage.
    """
    fitting = [
        each
        for each in mappings
        if not each.base_path or f"{path}/".startswith(f"/{each.base_path}/")
    ]
    if not fitting:
        return None
    mapping = max(fitting, key=lambda each: len(each.base_path))
    used = len(mapping.base_path) + 1 if mapping.base_path else 0
    if mapping.stage:
        return Target(mapping.api_id, mapping.stage, used)
    return _with_stage_from_path(mapping.api_id, path, used)


def route(gateway: ApiGateway, region: str, host: str, path: str) -> Target | None:
    """The target of a request to a region's endpoint; None is Forbidden. `host` is the Host header,
    with or without a port.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.lower().rstrip(".")
    domain = gateway.custom_domain(region, name)
    if domain is not None:
        return through_mapping(domain.mappings, path) if domain.certificate else None
    api_id, _, rest = name.partition(".")
    api = (
        gateway.rest_api(region, api_id) if rest == f"execute-api.{region}.amazonaws.com" else None
    )
    return (
        _with_stage_from_path(api.id, path, 0) if api is not None and api.endpoint_enabled else None
    )


def _with_stage_from_path(api_id: str, path: str, used: int) -> Target | None:
    stage = path[used:].lstrip("/").partition("/")[0]
    return Target(api_id, stage, used + 1 + len(stage)) if stage else None


class DataPlane:
    """The ASGI application of one region's edge for connections whose TLS handshake named `sni`
    (None: it named nothing).
    """

    def __init__(
        self, gateway: ApiGateway, region: str, emulator: AsgiApp, sni: str | None
    ) -> None:
        self._gateway = gateway
        self._region = region
        self._emulator = emulator
        self._sni = sni

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: through MiniStack when it means an API, else 403."""
        if scope["type"] != "http":
            return await send({"type": "websocket.close"})
        host = next(
            (value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), ""
        )
        target = (
            route(self._gateway, self._region, host, scope["path"]) if self._known_sni() else None
        )
        if target is None:
            return await forbid(send)
        return await self._emulator(_rewritten(scope, target), receive, send)

    def _known_sni(self) -> bool:
        """API Gateway serves no custom domain to a client that did not name one of its domains in
        the handshake.
        """
        return self._sni is not None and (
            covers((f"*.execute-api.{self._region}.amazonaws.com",), self._sni)
            or self._gateway.custom_domain(self._region, self._sni) is not None
        )


async def forbid(send: Send) -> None:
    """API Gateway's answer to a request that means no API of its own."""
    await _refuse(send, 403, "Forbidden", "ForbiddenException")


async def unavailable(send: Send) -> None:
    """API Gateway's answer when it cannot serve."""
    await _refuse(send, 503, "Service Unavailable", "ServiceUnavailableException")


async def _refuse(send: Send, status: int, message: str, error_type: str) -> None:
    headers = {"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-errortype": error_type}
    await send_json(send, status, {"message": message}, headers)


def _rewritten(scope: Scope, target: Target) -> Scope:
    """The request as MiniStack takes one for a known API and stage, with the forwarding headers
    that API Gateway adds.
    """
    prefix = f"/_aws/execute-api/{target.api_id}/{target.stage}"
    rest = scope["path"][target.used :] or "/"
    # Base paths and stages need no escaping, so the raw path is cut at the same place.
    raw_rest = scope["raw_path"][target.used :] or b"/"
    client = scope["client"][0] if scope.get("client") else "127.0.0.1"
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    headers = [
        (name, value) for name, value in scope["headers"] if not name.startswith(b"x-forwarded-")
    ]
    headers += [
        (b"x-forwarded-for", b", ".join([*forwarded, client.encode()])),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-port", b"443"),
    ]
    return {
        **scope,
        "path": prefix + rest,
        "raw_path": prefix.encode() + raw_rest,
        "headers": headers,
    }
