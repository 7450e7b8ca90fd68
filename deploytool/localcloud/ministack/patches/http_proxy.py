"""API Gateway's HTTP_PROXY integration: pass on the whole response and the static request headers.

MiniStack passes on no response header but Content-Type, follows redirects, and drops the request
parameters. Sources: API Gateway Developer Guide, "HTTP proxy integrations in API Gateway"
and "Gateway response types for API Gateway" (INTEGRATION_FAILURE and INTEGRATION_TIMEOUT are 504).
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "apigateway_v1._invoke_http_proxy_v1": "response headers and request parameters are dropped",
}

_REQUEST_HEADER = "integration.request.header."
# Headers of one connection, not of the message (RFC 9110, section 7.6.1), and those that the HTTP
# libraries of the two sides write.
_NOT_PASSED_ON = {
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
}
# API Gateway's longest integration timeout
_TIMEOUT_MILLISECONDS = 29_000

Answer = tuple[int, dict[str, Any], bytes]


def install(patcher: Patcher) -> None:
    """Call the endpoint of an HTTP_PROXY integration whose URI has no path parameters."""
    v1 = patcher.ministack.apigateway_v1

    async def invoke_http_proxy(
        integration: Mapping[str, Any],
        path: str,
        method: str,
        headers: Mapping[str, Any],
        body: bytes | None,
        query_params: Mapping[str, Any],
        path_params: Mapping[str, str] | None = None,
    ) -> Any:
        uri = integration["uri"]
        if integration.get("type") != "HTTP_PROXY" or "{" in uri:
            return await invoke_original(
                integration, path, method, headers, body, query_params, path_params
            )

        if query_params:
            separator = "&" if "?" in uri else "?"
            uri += separator + urlencode(query_params, doseq=True)
        integration_method = integration.get("httpMethod", "ANY")
        if integration_method != "ANY":
            method = integration_method
        milliseconds = int(integration.get("timeoutInMillis") or _TIMEOUT_MILLISECONDS)

        request_headers = without_connection_headers(headers) | _static_headers(integration)
        try:
            return await asyncio.to_thread(
                call, method, uri, request_headers, body or b"", milliseconds / 1000
            )
        except TimeoutError:
            return v1._gw_error("INTEGRATION_TIMEOUT", "Endpoint request timed out")
        except (OSError, HTTPException):
            return v1._gw_error("INTEGRATION_FAILURE", "Network error communicating with endpoint")

    invoke_original = patcher.replace("apigateway_v1._invoke_http_proxy_v1", invoke_http_proxy)


def call(method: str, uri: str, headers: Mapping[str, Any], body: bytes, seconds: float) -> Answer:
    """Send one request to the endpoint, without following redirects or using a proxy.

    Returns the status, the headers (a list of values where one comes twice) and the body. Raises
    OSError (TimeoutError after `seconds`) or HTTPException.
    """
    parts = urlsplit(uri)
    connection: HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = HTTPSConnection(parts.netloc, timeout=seconds, context=context)
    else:
        connection = HTTPConnection(parts.netloc, timeout=seconds)

    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    request_headers = {}
    for name, value in headers.items():
        request_headers[name] = value if isinstance(value, str) else ", ".join(value)

    try:
        connection.request(method, target, body or None, request_headers)
        response = connection.getresponse()
        return response.status, _response_headers(response.getheaders()), response.read()
    finally:
        connection.close()


def _response_headers(received: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the headers to pass on: text, or a list where a header comes more than once."""
    values: dict[str, list[str]] = {}
    for name, value in received:
        if name.lower() not in _NOT_PASSED_ON:
            values.setdefault(name, []).append(value)

    headers: dict[str, Any] = {}
    for name, several in values.items():
        headers[name] = several if len(several) > 1 else several[0]
    return headers


def without_connection_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headers that are passed on to an endpoint."""
    return {name: value for name, value in headers.items() if name.lower() not in _NOT_PASSED_ON}


def _static_headers(integration: Mapping[str, Any]) -> dict[str, str]:
    """Return the request headers that the integration sets to a text in single quotes."""
    headers = {}
    parameters = integration.get("requestParameters") or {}
    for name, value in parameters.items():
        quoted = value.startswith("'") and value.endswith("'")
        if name.startswith(_REQUEST_HEADER) and quoted:
            headers[name.removeprefix(_REQUEST_HEADER)] = value[1:-1]
    return headers
