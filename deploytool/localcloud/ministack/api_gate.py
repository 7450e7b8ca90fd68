"""The AWS API of each region, answering or broken in one of three ways.

What a client meets in each condition:

- failing: the service answers 503 ServiceUnavailable in the protocol of the request.
- hanging: the connection is made, the request is read, and no answer comes. When the API is fixed,
  or the cloud ends, the connection is closed. The request has then had no effect.
- unreachable: the connection is closed as soon as the request has been read. All regions share one
  port, so that a region alone cannot refuse connections.

The region of a request is the one that it is signed for, and us-east-1 for Route 53, IAM and
CloudFront. A request without a signature, or with S3's old one that names no region, belongs to the
cloud's first region, as MiniStack has it. Paths below /_ are the emulator's own.
"""

import asyncio
from typing import assert_never

from deploytool.localcloud.edges.asgi import (
    CUT,
    AsgiApp,
    Receive,
    Scope,
    Send,
    headers_of,
    send_answer,
)
from deploytool.localcloud.ministack.api_state import RegionalApis
from deploytool.localcloud.ministack.signature import CredentialScope, scope_of
from deploytool.localcloud.ministack.unavailable import STATUS, unavailable

_OWN_PATHS = "/_"


class ApiGate:
    """An ASGI application that passes on the requests for the regions whose API answers.

    `unsigned_region` is the region of the requests without a signature.
    """

    def __init__(self, app: AsgiApp, apis: RegionalApis, unsigned_region: str) -> None:
        self._app = app
        self._apis = apis
        self._unsigned = CredentialScope(unsigned_region, "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as the condition of its region's API says."""
        if scope["type"] != "http" or scope["path"].startswith(_OWN_PATHS):
            await self._app(scope, receive, send)
            return

        headers = headers_of(scope)
        signed = scope_of(headers, scope["query_string"].decode("latin-1")) or self._unsigned
        condition = self._apis.condition(signed.region)
        if condition == "answering":
            await self._app(scope, receive, send)
            return

        if not await _read_request(receive):
            return
        match condition:
            case "failing":
                answer = unavailable(signed.service, headers)
                await send_answer(send, STATUS, answer.body, answer.headers)
            case "hanging":
                await self._hang(signed.region, scope, receive)
            case "unreachable":
                scope["extensions"][CUT]()
                # An application that ends before its connection is answered for, with a 500.
                await _wait_for_end(receive)
            case _:
                assert_never(condition)

    async def _hang(self, region: str, scope: Scope, receive: Receive) -> None:
        """Close the connection when the condition of the region's API changes, if not before."""
        changed = asyncio.ensure_future(self._apis.wait_until_changed(region))
        ended = asyncio.ensure_future(_wait_for_end(receive))
        try:
            await asyncio.wait((changed, ended), return_when=asyncio.FIRST_COMPLETED)
            scope["extensions"][CUT]()
            await ended
        finally:
            changed.cancel()
            ended.cancel()


async def _read_request(receive: Receive) -> bool:
    """Read a request to its end; return False when the client leaves before."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        if not message.get("more_body"):
            return True


async def _wait_for_end(receive: Receive) -> None:
    """Return when the connection has ended."""
    while (await receive())["type"] != "http.disconnect":
        pass
