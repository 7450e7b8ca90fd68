"""Count the calls of a local cloud's AWS API by operation, as `cloudformation.DescribeStacks`.

A request names its operation in X-Amz-Target (the JSON protocols) or in Action (the query
protocol). In the REST protocols the method takes the operation's place.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from urllib.parse import parse_qs

from deploytool.localcloud.edges.asgi import AsgiApp, Receive, Scope, Send, headers_of
from deploytool.localcloud.ministack.signature import scope_of

# The service and the region of a request without a signature
UNSIGNED = "unsigned"
_FORM = "application/x-www-form-urlencoded"


def operation_of(method: str, headers: Mapping[str, str], body: bytes, query: str = "") -> str:
    """Return the service and the operation of a request.

    `headers` have names in lower case. `body` is read only when it is a form.
    """
    scope = scope_of(headers, query)
    service = scope.service if scope else UNSIGNED

    operation = method
    target = headers.get("x-amz-target")
    if target:
        operation = target.rpartition(".")[2]
    elif _is_form(headers):
        operation = parse_qs(body.decode("latin-1")).get("Action", [method])[0]
    return f"{service}.{operation}"


def _is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith(_FORM)


class CallCounter:
    """An ASGI application that counts the requests of the one that it wraps.

    `by_region` has the number of calls of each operation since the start, by the region of the API
    (see `signature`). Calls that are not answered count too.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self.by_region: defaultdict[str, Counter[str]] = defaultdict(Counter)

    @property
    def calls(self) -> Counter[str]:
        """The number of calls of each operation, of all regions together."""
        total: Counter[str] = Counter()
        for counter in self.by_region.values():
            total += counter
        return total

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request and pass it on.

        A form is counted once its body has been read, any other request at once.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        headers = headers_of(scope)
        if not _is_form(headers):
            self._count(scope, headers, b"")
            await self._app(scope, receive, send)
            return

        body = bytearray()

        async def receive_and_count() -> object:
            message = await receive()
            if message["type"] == "http.request":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    self._count(scope, headers, bytes(body))
            return message

        await self._app(scope, receive_and_count, send)

    def _count(self, scope: Scope, headers: Mapping[str, str], body: bytes) -> None:
        query = scope["query_string"].decode("latin-1")
        signed = scope_of(headers, query)
        region = signed.region if signed else UNSIGNED
        self.by_region[region][operation_of(scope["method"], headers, body, query)] += 1
