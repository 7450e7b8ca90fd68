"""Count the calls of a local cloud's AWS API by operation, as `cloudformation.DescribeStacks`.

An AWS request names its service in its signature (Signature Version 4, the credential scope). It
names its operation in X-Amz-Target (the JSON protocols) or in Action (the query protocol). In the
REST protocols the method takes the operation's place.
"""

import re
from collections import Counter
from urllib.parse import parse_qs

from deploytool.localcloud.edges.asgi import AsgiApp, Receive, Scope, Send

_SCOPE = re.compile(r"Credential=[^/,]*/\d{8}/[^/]*/([^/]+)/aws4_request")
_FORM = "application/x-www-form-urlencoded"


def operation_of(method: str, headers: dict[str, str], body: bytes) -> str:
    """Return the service and the operation of a request.

    `headers` have names in lower case. `body` is read only when it is a form.
    """
    scope = _SCOPE.search(headers.get("authorization", ""))
    service = scope.group(1) if scope else "unsigned"

    operation = method
    target = headers.get("x-amz-target")
    if target:
        operation = target.rpartition(".")[2]
    elif _is_form(headers):
        operation = parse_qs(body.decode("latin-1")).get("Action", [method])[0]
    return f"{service}.{operation}"


def _is_form(headers: dict[str, str]) -> bool:
    return headers.get("content-type", "").startswith(_FORM)


class CallCounter:
    """An ASGI application that counts the requests of the one that it wraps.

    `calls` has the number of calls of each operation since the start.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self.calls: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request and pass it on.

        A form is counted once its body has been read, any other request at once.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        if not _is_form(headers):
            self.calls[operation_of(scope["method"], headers, b"")] += 1
            await self._app(scope, receive, send)
            return

        body = bytearray()

        async def receive_and_count() -> object:
            message = await receive()
            if message["type"] == "http.request":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    self.calls[operation_of(scope["method"], headers, bytes(body))] += 1
            return message

        await self._app(scope, receive_and_count, send)
