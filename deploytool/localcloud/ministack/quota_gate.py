"""Throttle the requests of the AWS API that are over a quota, as AWS words it.

Sources of the answers: Route 53 Developer Guide, "Throttling for Amazon Route 53 API requests" (400,
Throttling, Rate exceeded); API Gateway API reference, TooManyRequestsException (429); Lambda API
reference, TooManyRequestsException (429, with a reason).
"""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deploytool.localcloud.edges.asgi import AsgiApp, Receive, Scope, Send, headers_of, send_answer
from deploytool.localcloud.ministack.signature import scope_of
from deploytool.localcloud.quotas import RequestQuotas, rest_operation


@dataclass(frozen=True)
class _Throttled:
    """The answer to a request that is throttled."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class QuotaGate:
    """An ASGI application that passes on the requests that are within the quotas.

    Without `quotas` all are. `now` gives the cloud's seconds. `throttled` counts the other requests by
    service and operation.
    """

    def __init__(
        self, app: AsgiApp, quotas: RequestQuotas | None, now: Callable[[], float]
    ) -> None:
        self._app = app
        self._quotas = quotas
        self._now = now
        self.throttled: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is over a quota, and pass on any other."""
        answer = self._refusal(scope) if scope["type"] == "http" else None
        if answer is None:
            await self._app(scope, receive, send)
            return

        while (message := await receive()).get("more_body"):
            if message["type"] == "http.disconnect":
                return
        await send_answer(send, answer.status, answer.body, answer.headers)

    def _refusal(self, scope: Scope) -> _Throttled | None:
        if self._quotas is None:
            return None
        query = scope["query_string"].decode("latin-1")
        signed = scope_of(headers_of(scope), query)
        if signed is None:
            return None
        operation = rest_operation(signed.service, scope["method"], scope["path"])
        if self._quotas.take(signed.service, signed.region, operation, self._now()) == 0:
            return None
        self.throttled[f"{signed.service}.{operation or scope['method']}"] += 1
        return _answer(signed.service)


def _answer(service: str) -> _Throttled:
    request_id = str(uuid.uuid4())
    common = {"x-amzn-requestid": request_id}
    if service == "route53":
        body = (
            '<?xml version="1.0"?>\n'
            '<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error>'
            "<Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return _Throttled(400, common | {"content-type": "text/xml"}, body.encode())

    document = {"message": "Too Many Requests"}
    if service == "lambda":
        document = {
            "Reason": "CallerRateLimitExceeded",
            "Type": "User",
            "message": "Rate exceeded",
        }
    headers = {"content-type": "application/json", "x-amzn-errortype": "TooManyRequestsException"}
    return _Throttled(429, common | headers, json.dumps(document).encode())
