"""HTTP APIs: which requests a stage serves.

A stage serves the routes of its deployment, unless it deploys automatically. A preflight request
(OPTIONS) of an API without a CORS configuration goes to its route like any other.

Sources: API Gateway Developer Guide, "Stages for HTTP APIs in API Gateway": a deployment is a
snapshot, and an API must be deployed for changes to take effect, except with automatic deployments.
"Configure CORS for HTTP APIs in API Gateway": API Gateway answers preflight requests itself when
CORS is configured. MiniStack serves all routes from every stage and always answers OPTIONS. A
deployment here remembers which routes there were; what they lead to is served as it is now.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "apigateway._handle_execute_in_scope": "a stage without a deployment serves",
    "apigateway._match_route": "routes are served that were made after the deployment",
    "apigateway._create_deployment": "the stage of a deployment is not changed",
    "apigateway._cors_preflight_response": "OPTIONS never reaches a route",
    "AWS::ApiGatewayV2::Deployment": "unknown to its CloudFormation",
}

_DEPLOYMENT = "AWS::ApiGatewayV2::Deployment"

Answer = tuple[int, dict[str, Any], bytes]

# How the method OPTIONS is written on its way past MiniStack's own answer
_PASSED = "options"

# The ids of the routes that the stage of the request serves, None for all of them
_served: ContextVar[frozenset[str] | None] = ContextVar("served", default=None)


class _NoCors(Exception):
    """MiniStack is about to answer a preflight request of an API without a CORS configuration."""


def install(patcher: Patcher) -> None:
    """Serve only what is deployed, and add the resource type of a deployment."""
    # The ids of the routes of each deployment
    snapshots: dict[str, frozenset[str]] = {}
    _install_deployments(patcher, snapshots)
    _install_requests(patcher, snapshots)
    patcher.add_resource_type(_DEPLOYMENT, _deployment_handler(patcher.ministack.apigateway))


def _install_deployments(patcher: Patcher, snapshots: dict[str, frozenset[str]]) -> None:
    v2 = patcher.ministack.apigateway

    def create_deployment(api_id: str, data: Mapping[str, Any]) -> Answer:
        answer: Answer
        routes = v2._routes.get(api_id, {})
        if api_id in v2._apis and not routes:
            message = "Unable to deploy API because no routes exist in this API"
            answer = v2._apigw_error("BadRequestException", message, 400)
            return answer

        answer = create_original(api_id, data)
        if answer[0] < 400:
            deployment_id = json.loads(answer[2])["deploymentId"]
            snapshots[deployment_id] = frozenset(routes)
            stage = v2._stages.get(api_id, {}).get(data.get("stageName"))
            if stage is not None:
                stage["deploymentId"] = deployment_id
        return answer

    create_original = patcher.replace("apigateway._create_deployment", create_deployment)


def _install_requests(patcher: Patcher, snapshots: Mapping[str, frozenset[str]]) -> None:
    v2 = patcher.ministack.apigateway

    async def handle_execute_in_scope(
        api_id: str, stage: str, path: str, method: str, *args: Any, **kwargs: Any
    ) -> Any:
        token = _served.set(_served_routes(v2, api_id, stage, snapshots))
        try:
            return await handle_original(api_id, stage, path, method, *args, **kwargs)
        except _NoCors:
            return await handle_original(api_id, stage, path, _PASSED, *args, **kwargs)
        finally:
            _served.reset(token)

    def cors_preflight_response(cors_cfg: Mapping[str, Any], origin: str) -> Any:
        if not cors_cfg:
            raise _NoCors
        return preflight_original(cors_cfg, origin)

    def match_route(api_id: str, method: str, path: str) -> Any:
        route = match_original(api_id, method.upper(), path)
        served = _served.get()
        if route is not None and served is not None and route["routeId"] not in served:
            return None
        return route

    handle_original: Callable[..., Awaitable[Any]] = patcher.replace(
        "apigateway._handle_execute_in_scope", handle_execute_in_scope
    )
    preflight_original = patcher.replace(
        "apigateway._cors_preflight_response", cors_preflight_response
    )
    match_original = patcher.replace("apigateway._match_route", match_route)


def _served_routes(
    v2: Any, api_id: str, stage_name: str, snapshots: Mapping[str, frozenset[str]]
) -> frozenset[str] | None:
    """Return the ids of the routes that a stage serves, None for all."""
    stage = v2._stages.get(api_id, {}).get(stage_name)
    # A template gives a boolean as text.
    if stage is None or str(stage.get("autoDeploy", False)).lower() == "true":
        return None
    return snapshots.get(stage.get("deploymentId") or "", frozenset())


def _deployment_handler(v2: Any) -> dict[str, Any]:
    def create(
        logical_id: str, properties: Mapping[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        del logical_id, stack_name  # the service chooses the id
        data = {
            "description": properties.get("Description", ""),
            "stageName": properties.get("StageName"),
        }
        status, _, body = v2._create_deployment(properties["ApiId"], data)
        answer = json.loads(body)
        if status >= 400:
            raise ValueError(answer.get("message", str(answer)))
        return answer["deploymentId"], {"DeploymentId": answer["deploymentId"]}

    def delete(physical_id: str, properties: Mapping[str, Any]) -> None:
        v2._delete_deployment(properties["ApiId"], physical_id)

    return {"create": create, "delete": delete}
