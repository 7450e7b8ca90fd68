"""API Gateway's base path mappings: making one that exists is a conflict, deleting one that does
not is an error.

Source: API Gateway API Reference, CreateBasePathMapping (ConflictException) and
DeleteBasePathMapping (NotFoundException). MiniStack replaces the one that exists, on which its
CloudFormation counts for updates, and deletes in silence.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack

Answer = tuple[int, dict[str, str], bytes]
_RESOURCE_TYPE = "AWS::ApiGateway::BasePathMapping"


def install(ministack: MiniStack) -> None:
    """Put AWS's refusals before MiniStack's ways to make and to delete a mapping."""
    v1 = ministack.apigateway_v1
    create, delete = v1._create_base_path_mapping, v1._delete_base_path_mapping
    replacing: ContextVar[bool] = ContextVar("replacing", default=False)

    def has(domain: str, base_path: str) -> bool:
        return base_path in v1._base_path_mappings.get(domain, {})

    def create_base_path_mapping(domain: str, data: Mapping[str, Any]) -> Answer:
        base_path = data.get("basePath") or "(none)"
        if has(domain, base_path) and not replacing.get():
            refused: Answer = v1._v1_error(
                "ConflictException", "Base path already exists for this domain name", 409
            )
            return refused
        made: Answer = create(domain, {**data, "basePath": base_path})
        return made

    def delete_base_path_mapping(domain: str, base_path: str) -> Answer:
        if not has(domain, base_path):
            refused: Answer = v1._v1_error(
                "NotFoundException", "Invalid base path mapping identifier specified", 404
            )
            return refused
        deleted: Answer = delete(domain, base_path)
        return deleted

    v1._create_base_path_mapping = create_base_path_mapping
    v1._delete_base_path_mapping = delete_base_path_mapping

    handler = ministack.provisioners._RESOURCE_HANDLERS[_RESOURCE_TYPE]
    theirs = handler["update"]

    def update(*args: Any) -> tuple[str, dict[str, Any]]:
        token = replacing.set(True)
        try:
            updated: tuple[str, dict[str, Any]] = theirs(*args)
        finally:
            replacing.reset(token)
        return updated

    handler["update"] = update
