"""The types of the ASGI protocol, and what our own applications do with it."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from email.utils import formatdate
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# The extension of our own servers with which an application closes its connection at once: a
# function without arguments, in `scope["extensions"]`.
CUT = "deploytool.cut"


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers of an HTTP request, with names in lower case."""
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


async def read_body(receive: Receive) -> bytes:
    """Return the body of an HTTP request, or the part that arrived before the client left."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return body


async def send_json(
    send: Send, status: int, document: object, headers: Mapping[str, str] | None = None
) -> None:
    """Answer with a JSON document."""
    body = json.dumps(document, separators=(",", ":")).encode()
    fields = {"content-type": "application/json", **(headers or {})}
    await send_answer(send, status, body, fields)


async def send_answer(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    """Answer with a body that these headers describe."""
    fields = {"content-length": str(len(body)), "date": formatdate(usegmt=True), **headers}
    # ASGI has header names and values as bytes.
    encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
