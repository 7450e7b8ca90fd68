"""The local cloud's own API, beside AWS's on the same port: JSON below /_deploytool/.

GET  /_deploytool/status            regions and their edges, ports, speed, health checks with their verdicts, process, memory,
                                    how often each operation of the AWS API was called
POST /_deploytool/regions/<region>  {"state": "refusing" | "serving"}: break a region's edge, or mend it
GET  /_deploytool/answers           how the answers for failover names have changed since the start
POST /_deploytool/shutdown          end the cloud
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Protocol

from deploytool.core.errors import InputError
from deploytool.localcloud.asgi import AsgiApp, Receive, Scope, Send, read_body, send_json
from deploytool.localcloud.edge import Edge
from deploytool.localcloud.nameserver import AnswerChanged

_PREFIX = "/_deploytool/"
_STOPPING = {"stopping": True}


class Cloud(Protocol):
    """What the control API does with the cloud."""

    def status(self) -> dict[str, Any]: ...

    def edge(self, region: str) -> Edge | None: ...

    def answers(self) -> Sequence[AnswerChanged]: ...

    def stop(self) -> None: ...


class _NoSuchThing(Exception):
    """A path or method that the control API does not have."""


class Control:
    """The ASGI application of the control port: requests below /_deploytool/ are ours, the others the emulator's."""

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
            status, document = 200, await self._answer(scope["method"], scope["path"].removeprefix(_PREFIX), body)
        except _NoSuchThing as error:
            status, document = 404, {"error": str(error)}
        except InputError as error:
            status, document = 400, {"error": str(error)}
        await send_json(send, status, document)
        if document == _STOPPING:
            self._cloud.stop()  # after the answer, which closing would cut off

    async def _answer(self, method: str, path: str, body: bytes) -> object:
        match method, path.split("/"):
            case "GET", ["status"]:
                return self._cloud.status()
            case "GET", ["answers"]:
                return [asdict(change) for change in self._cloud.answers()]
            case "POST", ["regions", region]:
                return await self._set_region(region, body)
            case "POST", ["shutdown"]:
                return _STOPPING
        raise _NoSuchThing(f"{method} {_PREFIX}{path}")

    async def _set_region(self, region: str, body: bytes) -> dict[str, str]:
        edge = self._cloud.edge(region)
        if edge is None:
            raise _NoSuchThing(f"the local cloud has no region {region}")
        try:
            wanted = json.loads(body)["state"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError('the body must be {"state": "refusing"} or {"state": "serving"}') from error
        await edge.set_state(wanted)
        return {"region": region, "state": edge.state}
