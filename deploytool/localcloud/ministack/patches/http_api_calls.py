"""HTTP APIs: the event that a function gets, the answers to failures, and HTTP_PROXY integrations.

Sources: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs in API
Gateway" (the payload formats; CloudFormation must name one), "Troubleshooting issues with HTTP API
Lambda integrations" (`Internal Server Error`) and "Create HTTP proxy integrations for HTTP APIs"
(the URI is called as it is). An integration that does not answer in time gives 503 `Service
Unavailable` (anomalyco/sst#2232). That a throttled function does too is our reading.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from http.client import HTTPException
from typing import Any
from urllib.parse import parse_qs, urlencode

from deploytool.localcloud.ministack.patches.http_proxy import call, without_connection_headers
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "apigateway._invoke_lambda_proxy": "the payload format of an integration is ignored",
    "apigateway.run_reentrant": "a function always gets an event of format 2.0",
    "provisioners._lambda_svc.lambda_execute_result_to_api_proxy_response": (
        "clients see Lambda's own error and status"
    ),
    "apigateway._invoke_http_proxy": "the path is added to the URI; response headers are dropped",
    "AWS::ApiGatewayV2::Integration.create": "a missing PayloadFormatVersion is accepted",
}

_INTEGRATION = "AWS::ApiGatewayV2::Integration"
_TIMEOUT_MILLISECONDS = 30_000  # the longest, and the default, of an HTTP API

Answer = tuple[int, dict[str, Any], bytes]

# The payload format of the call of a function for an HTTP API, empty outside of one
_format: ContextVar[str] = ContextVar("format", default="")


def install(patcher: Patcher) -> None:
    """Call functions and endpoints as an HTTP API does."""
    _install_functions(patcher)
    _install_http_proxy(patcher)
    _install_integration(patcher)


def _install_functions(patcher: Patcher) -> None:
    async def invoke_lambda_proxy(integration: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        token = _format.set(str(integration.get("payloadFormatVersion") or "2.0"))
        try:
            return await invoke_original(integration, *args, **kwargs)
        finally:
            _format.reset(token)

    async def run_reentrant(
        fn: Callable[..., Any], *args: Any, thread_name: str = "ministack-reentrant"
    ) -> Any:
        if _format.get() and len(args) == 2:
            function, event = args
            http = event["requestContext"]["http"]
            # `http_api_stages` lets OPTIONS pass in lower case.
            http["method"] = http["method"].upper()
            args = (function, event_of_format_1(event) if _format.get() == "1.0" else event)
        return await run_original(fn, *args, thread_name=thread_name)

    def proxy_response(exec_result: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
        if not _format.get():
            answer: tuple[dict[str, Any] | None, str | None] = response_original(exec_result)
            return answer
        if exec_result.get("throttle"):
            return _error(503, "Service Unavailable"), None
        if exec_result.get("error"):
            return _error(500, "Internal Server Error"), None
        if _format.get() == "1.0" and not _is_response(exec_result.get("body")):
            # Only format 2.0 makes a response of another value.
            return _error(500, "Internal Server Error"), None
        answer = response_original(exec_result)
        return answer  # noqa: RET504  # for the type

    invoke_original: Callable[..., Awaitable[Any]] = patcher.replace(
        "apigateway._invoke_lambda_proxy", invoke_lambda_proxy
    )
    run_original: Callable[..., Awaitable[Any]] = patcher.replace(
        "apigateway.run_reentrant", run_reentrant
    )
    response_original = patcher.replace(
        "provisioners._lambda_svc.lambda_execute_result_to_api_proxy_response", proxy_response
    )


def _error(status: int, message: str) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps({"message": message})}


def _is_response(body: Any) -> bool:
    """Return whether the answer of a function is a JSON object with a status."""
    if isinstance(body, bytes | str):
        try:
            body = json.loads(body)
        except ValueError:
            return False
    return isinstance(body, dict) and "statusCode" in body


def event_of_format_1(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of format 1.0, which is that of a REST API, made of one of format 2.0."""
    context = event["requestContext"]
    http = context["http"]
    query = parse_qs(event["rawQueryString"], keep_blank_values=True)
    headers = event["headers"]
    resource = event["routeKey"].rpartition(" ")[2]
    return {
        "version": "1.0",
        "resource": resource,
        "path": event["rawPath"],
        "httpMethod": http["method"],
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": {
            "accountId": context["accountId"],
            "apiId": context["apiId"],
            "authorizer": context.get("authorizer"),
            "domainName": context["domainName"],
            "domainPrefix": context["domainName"].partition(".")[0],
            "extendedRequestId": context["requestId"],
            "httpMethod": http["method"],
            "identity": {"sourceIp": http["sourceIp"], "userAgent": http["userAgent"]},
            "path": http["path"],
            "protocol": http["protocol"],
            "requestId": context["requestId"],
            "requestTime": context["time"],
            "requestTimeEpoch": context["timeEpoch"],
            "resourceId": None,
            "resourcePath": resource,
            "stage": context["stage"],
        },
        "pathParameters": event.get("pathParameters"),
        "stageVariables": None,
        "body": event.get("body"),
        "isBase64Encoded": event["isBase64Encoded"],
    }


def _install_http_proxy(patcher: Patcher) -> None:
    async def invoke_http_proxy(
        integration: Mapping[str, Any],
        path: str,
        method: str,
        headers: Mapping[str, Any],
        body: bytes | None,
        query_params: Mapping[str, Any],
    ) -> Any:
        uri = integration["integrationUri"]
        replaces_path = "overwrite:path" in (integration.get("requestParameters") or {})
        if "{" in uri or replaces_path:
            return await invoke_original(integration, path, method, headers, body, query_params)

        if query_params:
            uri += ("&" if "?" in uri else "?") + urlencode(query_params, doseq=True)
        integration_method = integration.get("integrationMethod") or "ANY"
        if integration_method != "ANY":
            method = integration_method
        seconds = int(integration.get("timeoutInMillis") or _TIMEOUT_MILLISECONDS) / 1000
        try:
            return await asyncio.to_thread(
                call, method.upper(), uri, without_connection_headers(headers), body or b"", seconds
            )
        except (OSError, HTTPException):
            error = _error(503, "Service Unavailable")
            return error["statusCode"], error["headers"], error["body"].encode()

    invoke_original = patcher.replace("apigateway._invoke_http_proxy", invoke_http_proxy)


def _install_integration(patcher: Patcher) -> None:
    create_original = patcher.handler(_INTEGRATION)["create"]

    def create(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Any:
        kind = properties.get("IntegrationType")
        if kind == "AWS_PROXY" and not properties.get("PayloadFormatVersion"):
            raise ValueError("PayloadFormatVersion is required for an AWS_PROXY integration")
        return create_original(logical_id, properties, stack_name)

    patcher.replace_operation(_INTEGRATION, "create", create)
