"""An API calls a function only when the function's policy allows it.

API Gateway answers 500 otherwise: `Internal server error` for a REST API, `Internal Server Error`
for an HTTP API. MiniStack calls the function. Sources: API Gateway Developer Guide, "Lambda proxy
integrations in API Gateway" (a resource-based policy of the function, or a role of the integration)
and "Troubleshooting issues with HTTP API Lambda integrations"; IAM User Guide, "Amazon Resource Name
(ARN) condition operators" (ArnLike). The source's ARN has the API, the stage, the method and the path
(aws-cdk, HttpApiHelper.arn_for_execute_api).
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "apigateway.run_reentrant": "an HTTP API calls a function that does not allow it",
    "apigateway_v1.run_reentrant": "a REST API calls a function that does not allow it",
}

_API_GATEWAY = "apigateway.amazonaws.com"
_ACTIONS = ("lambda:InvokeFunction", "lambda:*", "*")

# What MiniStack's Lambda returns for a call that failed, and for one that is refused. The patches of
# both kinds of API make a 500 of it.
_FAILED = {"error": True, "body": {"errorType": "AccessDeniedException"}}
_REFUSED = {"throttle": True, "body": {"errorType": "AccessDeniedException"}}


def install(patcher: Patcher) -> None:
    """Look at the function's policy before each call for an API."""
    _install(patcher, "apigateway.run_reentrant", _FAILED, _uses_role_v2)
    _install(patcher, "apigateway_v1.run_reentrant", _REFUSED, _uses_role_v1)


def _install(
    patcher: Patcher,
    target: str,
    denied: Mapping[str, Any],
    uses_role: Callable[[MiniStack, str], bool],
) -> None:
    ministack = patcher.ministack

    async def run_reentrant(
        fn: Callable[..., Any], *args: Any, thread_name: str = "ministack-reentrant"
    ) -> Any:
        if len(args) == 2 and not _is_allowed(ministack, args[0], args[1], uses_role):
            return dict(denied)
        return await run_original(fn, *args, thread_name=thread_name)

    run_original: Callable[..., Awaitable[Any]] = patcher.replace(target, run_reentrant)


def _is_allowed(
    ministack: MiniStack,
    function: Mapping[str, Any],
    event: Mapping[str, Any],
    uses_role: Callable[[MiniStack, str], bool],
) -> bool:
    """Return whether a function allows a call with this event."""
    context = event.get("requestContext") or {}
    # Authorizers are called too. They have a `type`, and another source.
    if "type" in event or "apiId" not in context or uses_role(ministack, context["apiId"]):
        return True

    responses = ministack.responses
    prefix = f"arn:aws:execute-api:{responses.get_region()}:{responses.get_account_id()}"
    sources = [f"{prefix}:{context['apiId']}/{tail}" for tail in _tails(event, context)]
    statements = (function.get("policy") or {}).get("Statement", [])
    return any(_allows(statement, sources) for statement in statements)


def _tails(event: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[str]:
    """Yield the rest of the source's ARN, with the path as it is declared and as it is called."""
    if "http" not in context:
        method = event["httpMethod"]
        for path in (context["resourcePath"], event["path"]):
            yield f"{context['stage']}/{method}{path}"
        return

    route = event["routeKey"]
    if route == "$default":
        yield f"{context['stage']}/{route}"
        return
    method = context["http"]["method"].upper()
    for path in (route.partition(" ")[2], event["rawPath"]):
        yield f"{context['stage']}/{method}{path}"


def _allows(statement: Mapping[str, Any], sources: list[str]) -> bool:
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        principal = principal.get("Service") or principal.get("AWS")
    if principal not in (_API_GATEWAY, "*") or statement.get("Action") not in _ACTIONS:
        return False
    pattern = (statement.get("Condition") or {}).get("ArnLike", {}).get("AWS:SourceArn")
    if pattern is None:
        return True
    # A path in braces is no set of characters.
    return any(fnmatchcase(source, pattern.replace("[", "[[]")) for source in sources)


def _uses_role_v1(ministack: MiniStack, api_id: str) -> bool:
    """Return whether an integration of a REST API has a role of its own."""
    for resource in ministack.apigateway_v1._resources.get(api_id, {}).values():
        for method in (resource.get("resourceMethods") or {}).values():
            if (method.get("methodIntegration") or {}).get("credentials"):
                return True
    return False


def _uses_role_v2(ministack: MiniStack, api_id: str) -> bool:
    """Return whether an integration of an HTTP API has a role of its own."""
    integrations = ministack.apigateway._integrations.get(api_id, {})
    return any(integration.get("credentialsArn") for integration in integrations.values())
