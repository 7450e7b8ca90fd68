"""API Gateway's base path mappings: refuse to create them twice and to delete them twice.

Source: API Gateway API Reference, CreateBasePathMapping (ConflictException) and
DeleteBasePathMapping (NotFoundException). MiniStack replaces the one that exists, on which its
CloudFormation relies for updates, and deletes without an error. Version 1 of API Gateway maps no
HTTP API; MiniStack does.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "apigateway_v1._create_base_path_mapping": "an existing mapping is overwritten",
    "apigateway_v1._delete_base_path_mapping": "deleting a mapping that is absent succeeds",
    "AWS::ApiGateway::BasePathMapping.update": "an update creates the mapping again",
}

_RESOURCE_TYPE = "AWS::ApiGateway::BasePathMapping"
# Of AWS, as CodeGenieApp/serverless-express#596 has it.
_MIXED = (
    "Mixing of REST APIs and HTTP APIs on the same domain name can only be accomplished through API"
    " Gateway's V2 DomainName interface."
)

Answer = tuple[int, dict[str, str], bytes]


def install(patcher: Patcher) -> None:
    """Refuse as API Gateway does before MiniStack creates or deletes a mapping."""
    # True while CloudFormation updates a mapping, which MiniStack does by creating it again.
    updating: ContextVar[bool] = ContextVar("updating", default=False)
    _install_api(patcher, updating)
    _install_update(patcher, updating)


def _install_api(patcher: Patcher, updating: ContextVar[bool]) -> None:
    v1 = patcher.ministack.apigateway_v1
    http_apis = patcher.ministack.apigateway._apis

    def exists(domain: str, base_path: str) -> bool:
        return base_path in v1._base_path_mappings.get(domain, {})

    def create_base_path_mapping(domain_name: str, data: Mapping[str, Any]) -> Answer:
        base_path = data.get("basePath") or "(none)"
        answer: Answer
        if data.get("restApiId") in http_apis:
            answer = v1._v1_error("BadRequestException", _MIXED, 400)
        elif exists(domain_name, base_path) and not updating.get():
            message = "Base path already exists for this domain name"
            answer = v1._v1_error("ConflictException", message, 409)
        else:
            answer = create_original(domain_name, {**data, "basePath": base_path})
        return answer

    def delete_base_path_mapping(domain_name: str, base_path: str) -> Answer:
        answer: Answer
        if exists(domain_name, base_path):
            answer = delete_original(domain_name, base_path)
        else:
            message = "Invalid base path mapping identifier specified"
            answer = v1._v1_error("NotFoundException", message, 404)
        return answer

    create_original = patcher.replace(
        "apigateway_v1._create_base_path_mapping", create_base_path_mapping
    )
    delete_original = patcher.replace(
        "apigateway_v1._delete_base_path_mapping", delete_base_path_mapping
    )


def _install_update(patcher: Patcher, updating: ContextVar[bool]) -> None:
    update_original = patcher.handler(_RESOURCE_TYPE)["update"]

    def update(*arguments: Any) -> tuple[str, dict[str, Any]]:
        token = updating.set(True)
        try:
            resource: tuple[str, dict[str, Any]] = update_original(*arguments)
        finally:
            updating.reset(token)
        return resource

    patcher.replace_operation(_RESOURCE_TYPE, "update", update)
