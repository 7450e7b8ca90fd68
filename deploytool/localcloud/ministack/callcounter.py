"""Counts the calls that reach the AWS API of a local cloud, by service and operation:
`cloudformation.DescribeStacks`.

An AWS request names its service in its signature (Signature Version 4, the credential scope) and
its operation in X-Amz-Target (the JSON protocols) or in Action (the query protocol); a REST
protocol has none but its method.
"""

import re
from collections import Counter
from urllib.parse import parse_qs

from deploytool.localcloud.edges.asgi import AsgiApp, Receive, Scope, Send

_SCOPE = re.compile(r"Credential=[^/,]*/\d{8}/[^/]*/([^/]+)/aws4_request")
_FORM = "application/x-www-form-urlencoded"


def operation_of(method: str, headers: dict[str, str], body: bytes) -> str:
    """What a request asks for. `headers` by their names in lower case; `body` is looked into when
    it is a form.
    """
    scope = _SCOPE.search(headers.get("authorization", ""))
    service = scope.group(1) if scope else "unsigned"
    if target := headers.get("x-amz-target"):
        return f"{service}.{target.rpartition('.')[2]}"
    action = (
        parse_qs(body.decode("latin-1")).get("Action", [method]) if _is_form(headers) else [method]
    )
    return f"{service}.{action[0]}"


def _is_form(headers: dict[str, str]) -> bool:
    return headers.get("content-type", "").startswith(_FORM)


class CallCounter:
    """An ASGI application that counts what another one is asked. `calls` holds the counts since the
    start.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self.calls: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on; it is counted when its body has been read, or at once when that says
        nothing.
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

        async def tee() -> object:
            message = await receive()
            if message["type"] == "http.request":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    self.calls[operation_of(scope["method"], headers, bytes(body))] += 1
            return message

        await self._app(scope, tee, send)
