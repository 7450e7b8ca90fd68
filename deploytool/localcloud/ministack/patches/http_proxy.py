"""API Gateway's HTTP_PROXY integration: what the endpoint answers comes through whole, and static
request headers reach it.

MiniStack hands on no header of the endpoint but Content-Type, follows redirects, and forgets the
request parameters. Sources: API Gateway Developer Guide, "HTTP proxy integrations in API Gateway"
and "Gateway response types for API Gateway" (INTEGRATION_FAILURE and INTEGRATION_TIMEOUT are 504).
"""

import asyncio
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from deploytool.localcloud.ministack.emulator import MiniStack

_HEADER = "integration.request.header."
# Of one connection and not of the message (RFC 9110, section 7.6.1), and what the two sides' own
# libraries write.
_NOT_HANDED_ON = {
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
}

Answer = tuple[int, dict[str, Any], bytes]


def install(ministack: MiniStack) -> None:
    """Put it in the place of MiniStack's."""
    v1 = ministack.apigateway_v1
    theirs = v1._invoke_http_proxy_v1

    async def invoke(
        integration: Mapping[str, Any],
        path: str,
        method: str,
        headers: Mapping[str, Any],
        body: bytes | None,
        query_params: Mapping[str, Any],
        path_params: Mapping[str, str] | None = None,
    ) -> Any:
        if integration.get("type") != "HTTP_PROXY" or "{" in integration["uri"]:
            return await theirs(integration, path, method, headers, body, query_params, path_params)
        chosen = integration.get("httpMethod", "ANY")
        sent = {
            name: value for name, value in headers.items() if name.lower() not in _NOT_HANDED_ON
        } | _static(integration)
        uri = integration["uri"]
        if query_params:
            uri += ("&" if "?" in uri else "?") + urlencode(query_params, doseq=True)
        seconds = int(integration.get("timeoutInMillis") or 29_000) / 1000
        try:
            return await asyncio.to_thread(
                call, method if chosen == "ANY" else chosen, uri, sent, body or b"", seconds
            )
        except TimeoutError:
            return v1._gw_error("INTEGRATION_TIMEOUT", "Endpoint request timed out")
        except (OSError, HTTPException):
            return v1._gw_error("INTEGRATION_FAILURE", "Network error communicating with endpoint")

    v1._invoke_http_proxy_v1 = invoke


def call(method: str, uri: str, headers: Mapping[str, Any], body: bytes, seconds: float) -> Answer:
    """One request to the endpoint: no redirect followed, no proxy asked. Raises OSError
    (TimeoutError), HTTPException.
    """
    parts = urlsplit(uri)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection: HTTPConnection = HTTPSConnection(parts.netloc, timeout=seconds, context=context)
    else:
        connection = HTTPConnection(parts.netloc, timeout=seconds)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        flat = {
            name: value if isinstance(value, str) else ", ".join(value)
            for name, value in headers.items()
        }
        connection.request(method, target, body or None, flat)
        response = connection.getresponse()
        answered: dict[str, Any] = {}
        for name, value in response.getheaders():
            if name.lower() not in _NOT_HANDED_ON:
                answered[name] = [*answered[name], value] if name in answered else [value]
        return (
            response.status,
            {name: each if len(each) > 1 else each[0] for name, each in answered.items()},
            response.read(),
        )
    finally:
        connection.close()


def _static(integration: Mapping[str, Any]) -> dict[str, str]:
    """The request headers that the integration sets to a text in single quotes."""
    parameters = integration.get("requestParameters") or {}
    return {
        name.removeprefix(_HEADER): value[1:-1]
        for name, value in parameters.items()
        if name.startswith(_HEADER) and value.startswith("'") and value.endswith("'")
    }
