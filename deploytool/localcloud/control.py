"""The local cloud's own API, beside AWS's on the same port: JSON below /_deploytool/.

GET  /_deploytool/status            regions and their edges, ports, speed, health checks with their verdicts, process, memory,
                                    how often each operation of the AWS API was called
GET  /_deploytool/regions/<region>  the condition of a region's edge: {"region": ..., "state": ..., "seconds": ...}
POST /_deploytool/regions/<region>  {"state": "serving" | "refusing" | "blackholed" | "slow" | "failing", "seconds": N}: break or
                                    mend it; seconds for "slow" only. Answers as GET does, once it holds
GET  /_deploytool/answers           how the answers for failover names have changed since the start
GET  /_deploytool/truth             {"answers": [...], "verdicts": [...], "edges": [...], "clients": [...]}: those, how verdicts
                                    on health checks have turned, edges have changed and new connections for a custom domain have
                                    come to another region, each at the cloud's second `at` and at `monotonic`, in seconds of
                                    the clock that this machine's processes share (time.monotonic)
GET  /_deploytool/access            under IAM enforcement: each permission that was asked for, [{"principal": ARN, "action": ...,
                                    "resource": ARN, "allowed": true}]
POST /_deploytool/delegations/<domain>  {"name_servers": [...]}: what its parent says from now on; [] is "no such domain", null
                                    the hosted zone's own name servers
POST /_deploytool/shutdown          end the cloud
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Protocol

from deploytool.core.errors import InputError
from deploytool.localcloud.dns.delegation import Delegations
from deploytool.localcloud.dns.nameserver import AnswerChanged
from deploytool.localcloud.edges.asgi import AsgiApp, Receive, Scope, Send, read_body, send_json
from deploytool.localcloud.edges.edge import Edge
from deploytool.localcloud.edges.edge_state import parse_condition
from deploytool.localcloud.ministack.patches.permissions import Access

_PREFIX = "/_deploytool/"
_STOPPING = {"stopping": True}


class Cloud(Protocol):
    """What the control API does with the cloud."""

    def status(self) -> dict[str, Any]: ...

    def edge(self, region: str) -> Edge | None: ...

    def answers(self) -> Sequence[AnswerChanged]: ...

    delegations: Delegations

    def access(self) -> Sequence[Access]: ...

    def truth(self) -> dict[str, Any]: ...

    def stop(self) -> None: ...


class _NoSuchThing(Exception):
    """A path or method that the control API does not have."""


class Control:
    """The ASGI application of the control port: requests below /_deploytool/ are ours, the others
    the emulator's.
    """

    def __init__(self, emulator: AsgiApp, cloud: Cloud) -> None:
        self._emulator = emulator
        self._cloud = cloud

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await self._emulator(scope, receive, send)
            return
        body = await read_body(receive)
        try:
            status, document = (
                200,
                await self._answer(scope["method"], scope["path"].removeprefix(_PREFIX), body),
            )
        except _NoSuchThing as error:
            status, document = 404, {"error": str(error)}
        except InputError as error:
            status, document = 400, {"error": str(error)}
        await send_json(send, status, document)
        if document == _STOPPING:
            self._cloud.stop()  # after the answer, which closing would cut off

    async def _answer(self, method: str, path: str, body: bytes) -> object:
        parts = path.split("/")
        if method == "GET":
            return self._get(parts)
        match method, parts:
            case "POST", ["regions", region]:
                return await self._set_region(self._edge(region), body)
            case "POST", ["delegations", domain]:
                return self._set_delegation(domain, body)
            case "POST", ["shutdown"]:
                return _STOPPING
        raise _NoSuchThing(f"{method} {_PREFIX}{path}")

    def _get(self, parts: list[str]) -> object:
        match parts:
            case ["status"]:
                return self._cloud.status()
            case ["answers"]:
                return [asdict(change) for change in self._cloud.answers()]
            case ["access"]:
                return [asdict(each) for each in self._cloud.access()]
            case ["truth"]:
                return self._cloud.truth()
            case ["regions", region]:
                return _condition(self._edge(region))
        raise _NoSuchThing(f"GET {_PREFIX}{'/'.join(parts)}")

    def _edge(self, region: str) -> Edge:
        edge = self._cloud.edge(region)
        if edge is None:
            raise _NoSuchThing(f"the local cloud has no region {region}")
        return edge

    async def _set_region(self, edge: Edge, body: bytes) -> dict[str, Any]:
        try:
            wanted = json.loads(body)
            condition = parse_condition(wanted["state"], wanted.get("seconds", 0.0))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                'the body must be like {"state": "refusing"} or {"state": "slow", "seconds": 3}'
            ) from error
        await edge.set_condition(condition)
        return _condition(edge)

    def _set_delegation(self, domain: str, body: bytes) -> dict[str, object]:
        try:
            wanted = json.loads(body)["name_servers"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                'the body must be {"name_servers": [...]}, or null for the zone\'s own'
            ) from error
        if wanted is not None and not (
            isinstance(wanted, list) and all(isinstance(each, str) for each in wanted)
        ):
            raise InputError("name_servers: must be a list of names, or null for the zone's own")
        if wanted == []:
            self._cloud.delegations.undelegate(domain)
            return {"domain": domain, "name_servers": []}
        return {
            "domain": domain,
            "name_servers": list(self._cloud.delegations.delegate(domain, wanted or ())),
        }


def _condition(edge: Edge) -> dict[str, Any]:
    return {"region": edge.region, **asdict(edge.condition)}
