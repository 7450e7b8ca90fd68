"""The control API, on the port of the AWS API: JSON below /_deploytool/.

GET  status             the addresses, ports and parts of the cloud: see `CloudStatus`
GET  regions/<region>   the state of a region's edge:
                        {"region": ..., "condition": ..., "seconds": ...}
POST regions/<region>   break or fix it, and answer as GET does once the state is in force:
                        {"condition": "serving" | "refusing" | "blackholed" | "slow" | "failing",
                        "seconds": N}, with seconds for "slow" only
GET  apis/<region>      the condition of a region's AWS API: {"region": ..., "condition": ...}
POST apis/<region>      break or fix it, and answer as GET does:
                        {"condition": "answering" | "failing" | "hanging" | "unreachable"}
GET  event-log          {"answers": [...], "verdicts": [...], "edges": [...], "apis": [...],
                        "clients": [...]}: how the answers for failover names, the verdicts on
                        health checks, the edges, the APIs, and the regions that a domain's new
                        connections reach have changed since the start. Each event has `at` in
                        cloud seconds and `monotonic` in seconds of the clock that this machine's
                        processes share
GET  access             the permissions that were asked for under IAM enforcement:
                        [{"principal": ARN, "action": ..., "resource": ARN, "allowed": true}]
POST delegations/<domain>
                        {"name_servers": [...]}: the name servers to which the domain's parent
                        refers from now on; [] makes it answer "no such domain", null means the
                        hosted zone's own name servers
POST shutdown           end the cloud
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deploytool.core.errors import InputError
from deploytool.localcloud.control import PREFIX
from deploytool.localcloud.control.event_log import EventLog
from deploytool.localcloud.control.status import CloudStatus
from deploytool.localcloud.dns.delegation import Delegations
from deploytool.localcloud.edges.asgi import AsgiApp, Receive, Scope, Send, read_body, send_json
from deploytool.localcloud.edges.edge import Edge
from deploytool.localcloud.edges.edge_state import parse_edge_state
from deploytool.localcloud.ministack.api_state import RegionalApis, parse_api_condition
from deploytool.localcloud.ministack.patches.permissions import AccessLog


@dataclass(frozen=True)
class ControlledParts:
    """The parts of a cloud that the control API reads and changes; `edges` by region."""

    edges: Mapping[str, Edge]
    apis: RegionalApis
    delegations: Delegations
    event_log: EventLog
    access_log: AccessLog
    status: Callable[[], CloudStatus]
    stop: Callable[[], None]


class _NotFound(Exception):
    """A path or method that the control API does not have."""


class ControlApplication:
    """The ASGI application of the control port.

    It answers requests below /_deploytool/ and hands every other request to the emulator.
    """

    def __init__(self, emulator: AsgiApp, parts: ControlledParts) -> None:
        self._emulator = emulator
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._emulator(scope, receive, send)
            return

        method = scope["method"]
        path = scope["path"].removeprefix(PREFIX)
        body = await read_body(receive)
        status = 200
        document: object
        try:
            document = await self._answer(method, path, body)
        except _NotFound as error:
            status = 404
            document = {"error": str(error)}
        except InputError as error:
            status = 400
            document = {"error": str(error)}
        await send_json(send, status, document)

        # Only after the answer: stopping closes this connection.
        if (method, path) == ("POST", "shutdown"):
            self._parts.stop()

    async def _answer(self, method: str, path: str, body: bytes) -> object:
        segments = path.split("/")
        if method == "GET":
            return self._read(segments)
        match method, segments:
            case "POST", ["regions", region]:
                return await self._set_edge_state(self._edge(region), body)
            case "POST", ["apis", region]:
                return self._set_api_condition(region, body)
            case "POST", ["delegations", domain]:
                return self._delegate(domain, body)
            case "POST", ["shutdown"]:
                return {"stopping": True}
            case _:
                raise _NotFound(f"{method} {PREFIX}{path}")

    def _read(self, segments: list[str]) -> object:
        match segments:
            case ["status"]:
                return self._parts.status().to_json()
            case ["event-log"]:
                return self._parts.event_log.to_json()
            case ["access"]:
                return [asdict(entry) for entry in self._parts.access_log.entries()]
            case ["regions", region]:
                return _edge_to_json(self._edge(region))
            case ["apis", region]:
                return self._api_to_json(region)
            case _:
                raise _NotFound(f"GET {PREFIX}{'/'.join(segments)}")

    def _edge(self, region: str) -> Edge:
        edge = self._parts.edges.get(region)
        if edge is None:
            raise _NotFound(f"the local cloud has no region {region}")
        return edge

    def _api_to_json(self, region: str) -> dict[str, Any]:
        condition = self._parts.apis.conditions.get(region)
        if condition is None:
            raise _NotFound(f"the local cloud has no API of region {region}")
        return {"region": region, "condition": condition}

    def _set_api_condition(self, region: str, body: bytes) -> dict[str, Any]:
        self._api_to_json(region)  # raises when there is no such region
        document = _parse_object(body)
        self._parts.apis.set_condition(region, parse_api_condition(document.get("condition")))
        return self._api_to_json(region)

    async def _set_edge_state(self, edge: Edge, body: bytes) -> dict[str, Any]:
        document = _parse_object(body)
        if "condition" not in document:
            raise InputError(
                'the body must be like {"condition": "refusing"} '
                'or {"condition": "slow", "seconds": 3}'
            )
        state = parse_edge_state(document["condition"], document.get("seconds", 0.0))
        await edge.set_state(state)
        return _edge_to_json(edge)

    def _delegate(self, domain: str, body: bytes) -> dict[str, Any]:
        document = _parse_object(body)
        if "name_servers" not in document:
            raise InputError(
                'the body must be {"name_servers": [...]}, or null for the zone\'s own'
            )

        delegations = self._parts.delegations
        match document["name_servers"]:
            case None:  # as at a registrar that was given the zone's name servers
                servers = delegations.delegate_to_zone(domain)
            case []:
                delegations.undelegate(domain)
                servers = ()
            case [*names] if all(isinstance(name, str) for name in names):
                servers = delegations.delegate(domain, names)
            case _:
                raise InputError(
                    "name_servers: must be a list of names, or null for the zone's own"
                )
        return {"domain": domain, "name_servers": list(servers)}


def _parse_object(body: bytes) -> Mapping[str, Any]:
    """Parse a JSON object. Raises InputError for anything else."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise InputError(f"the body must be JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError("the body must be a JSON object")
    return document


def _edge_to_json(edge: Edge) -> dict[str, Any]:
    return {"region": edge.region, **asdict(edge.state)}
