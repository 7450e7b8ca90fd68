"""API Gateway's deployments of REST APIs: a deployment is a snapshot of the API.

- A stage serves the resources, methods and integrations as they were when its deployment was
  created. What was added later answers 403, Missing Authentication Token (API Gateway Developer
  Guide, "Deploy REST APIs in API Gateway": "every time you update an API, you must redeploy the API";
  API Reference, CreateDeployment: a deployment is "an immutable representation of a RestApi";
  AWS re:Post, "Why do I get API Gateway 403 'Missing Authentication Token' errors?").
- An API without a method, or with a method without an integration, cannot be deployed
  (CloudFormation template reference, AWS::ApiGateway::Deployment: "If you create an
  AWS::ApiGateway::RestApi resource and its methods ... in the same template as your deployment, the
  deployment must depend on the RestApi's methods"; serverless/serverless issue 1467 and
  getmoto/moto's tests quote both messages).
- A deployment that a stage uses cannot be deleted (hashicorp/terraform issue 10674).

MiniStack serves what the API has now, and keeps the gateway responses of a deployment alone.
"""

import copy
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.replace import Patcher

_LIVE = "what the API has now is served"
PATCHES = {
    "apigateway_v1._create_deployment": "an API without methods or integrations is deployed",
    "apigateway_v1._delete_deployment": "a deployment that a stage uses is deleted",
    "apigateway_v1._delete_rest_api": "the snapshots are unknown",
    "apigateway_v1._match_resource_tree": _LIVE,
    "apigateway_v1._match_greedy_fallback": _LIVE,
    "apigateway_v1._execute_in_scope": _LIVE,
    "apigateway_v1.method_authorization_type": _LIVE,
    "AWS::ApiGateway::Deployment.delete": "the stage that the deployment created stays",
}

_DEPLOYMENT = "AWS::ApiGateway::Deployment"

Answer = tuple[int, dict[str, str], bytes]
Data = Mapping[str, Any]


class _Snapshots:
    """The resources of each deployment.

    They stand beside the live ones in MiniStack's table, under a key that no API has. MiniStack's
    own functions then find a path in them.
    """

    def __init__(self, ministack: MiniStack) -> None:
        self._v1 = ministack.apigateway_v1
        # The key of the snapshot that answers the request
        self.serving: ContextVar[str] = ContextVar("serving_snapshot", default="")

    def take(self, api_id: str, deployment_id: str) -> None:
        """Keep the resources that an API has now, with their methods and integrations."""
        resources = self._v1._resources.get(api_id, {})
        self._v1._resources[_key(api_id, deployment_id)] = copy.deepcopy(resources)

    def drop(self, api_id: str, deployment_id: str) -> None:
        """Forget the snapshot of a deployment."""
        self._v1._resources.pop(_key(api_id, deployment_id), None)

    def drop_all(self, api_id: str) -> None:
        """Forget the snapshots of an API."""
        for deployment_id in self._v1._deployments_v1.get(api_id, {}):
            self.drop(api_id, deployment_id)

    def key_of_stage(self, api_id: str, stage_name: str) -> str:
        """Return the key of the snapshot that a stage serves."""
        stage = self._v1._stages_v1.get(api_id, {}).get(stage_name) or {}
        return _key(api_id, stage.get("deploymentId", ""))

    def stages_of(self, api_id: str, deployment_id: str) -> list[str]:
        """Return the names of the stages that serve a deployment."""
        stages = self._v1._stages_v1.get(api_id, {})
        return [name for name, stage in stages.items() if stage["deploymentId"] == deployment_id]


def _key(api_id: str, deployment_id: str) -> str:
    return f"{api_id}@{deployment_id}"


def install(patcher: Patcher) -> None:
    """Take a snapshot with each deployment, and serve it."""
    snapshots = _Snapshots(patcher.ministack)
    _install_api(patcher, snapshots)
    _install_resource(patcher, snapshots)
    _install_serving(patcher, snapshots)


def _install_api(patcher: Patcher, snapshots: _Snapshots) -> None:
    v1 = patcher.ministack.apigateway_v1

    def create_deployment(api_id: str, data: Data) -> Answer:
        before = set(v1._deployments_v1.get(api_id, {}))
        answer: Answer
        refusal = _refusal(v1, api_id)
        if refusal:
            answer = v1._v1_error("BadRequestException", refusal, 400)
            return answer

        answer = create_original(api_id, data)
        for deployment_id in set(v1._deployments_v1.get(api_id, {})) - before:
            snapshots.take(api_id, deployment_id)
        return answer

    def delete_deployment(api_id: str, deployment_id: str) -> Answer:
        answer: Answer
        if snapshots.stages_of(api_id, deployment_id):
            message = "Active stages pointing to this deployment must be moved or deleted"
            answer = v1._v1_error("BadRequestException", message, 400)
            return answer

        snapshots.drop(api_id, deployment_id)
        answer = delete_original(api_id, deployment_id)
        return answer

    def delete_rest_api(api_id: str) -> Answer:
        snapshots.drop_all(api_id)
        answer: Answer = delete_api_original(api_id)
        return answer

    create_original = patcher.replace("apigateway_v1._create_deployment", create_deployment)
    delete_original = patcher.replace("apigateway_v1._delete_deployment", delete_deployment)
    delete_api_original = patcher.replace("apigateway_v1._delete_rest_api", delete_rest_api)


def _install_resource(patcher: Patcher, snapshots: _Snapshots) -> None:
    """Let CloudFormation delete a deployment with the stage that it created.

    The stage is named by StageName of the deployment. That CloudFormation deletes it is our
    reading: stacks with such a deployment can be deleted.
    """
    v1 = patcher.ministack.apigateway_v1

    def delete(physical_id: str, props: Data) -> None:
        api_id = props.get("RestApiId", "")
        stage_name = props.get("StageName")
        if stage_name and stage_name in snapshots.stages_of(api_id, physical_id):
            v1._delete_stage(api_id, stage_name)

        status, _, body = v1._delete_deployment(api_id, physical_id)
        if status == 400:
            raise ValueError(body.decode())

    patcher.replace_operation(_DEPLOYMENT, "delete", delete)


def _install_serving(patcher: Patcher, snapshots: _Snapshots) -> None:
    v1 = patcher.ministack.apigateway_v1
    serving = snapshots.serving

    def match_resource_tree(api_id: str, segments: list[str]) -> Any:
        return match_original(serving.get() or api_id, segments)

    def match_greedy_fallback(api_id: str, segments: list[str], http_method: str) -> Any:
        return greedy_original(serving.get() or api_id, segments, http_method)

    async def execute_in_scope(
        request: Data, api_id: str, stage_name: str, *args: Any, **kwargs: Any
    ) -> Any:
        token = serving.set(snapshots.key_of_stage(api_id, stage_name))
        try:
            return await execute_original(request, api_id, stage_name, *args, **kwargs)
        finally:
            serving.reset(token)

    def method_authorization_type(api_id: str, stage_name: str, method: str, path: str) -> Any:
        scope = v1.find_api_scope(api_id)
        if scope is None:
            return None
        with v1.request_scope(*scope):
            token = serving.set(snapshots.key_of_stage(api_id, stage_name))
        try:
            return type_original(api_id, stage_name, method, path)
        finally:
            serving.reset(token)

    match_original = patcher.replace("apigateway_v1._match_resource_tree", match_resource_tree)
    greedy_original = patcher.replace("apigateway_v1._match_greedy_fallback", match_greedy_fallback)
    execute_original = patcher.replace("apigateway_v1._execute_in_scope", execute_in_scope)
    type_original = patcher.replace(
        "apigateway_v1.method_authorization_type", method_authorization_type
    )


def _refusal(v1: Any, api_id: str) -> str:
    """Return why an API cannot be deployed; empty when it can, or when it does not exist."""
    if api_id not in v1._rest_apis:
        return ""
    methods = list(_methods(v1, api_id))
    if not methods:
        return "The REST API doesn't contain any methods"
    if any(not method.get("methodIntegration") for method in methods):
        return "No integration defined for method"
    return ""


def _methods(v1: Any, api_id: str) -> Iterator[Data]:
    for resource in v1._resources.get(api_id, {}).values():
        yield from (resource.get("resourceMethods") or {}).values()
