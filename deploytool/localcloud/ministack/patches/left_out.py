"""Resource types that the local cloud leaves out on request: CloudFormation only notes them.

A stack has such a resource with a physical id and attributes that stand for nothing, and nothing is
created. So a template can be tried whose other resources the local cloud has.
"""

from collections.abc import Collection, Mapping
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher
from deploytool.localcloud.ministack.resource_schemas import schema_of

_REASON = "a type that is left out has no handler"
PATCHES = {
    "stacks._provision_resource": _REASON,
    "stacks._update_resource": _REASON,
    "stacks._delete_resource": _REASON,
}

Properties = Mapping[str, Any]
Resource = tuple[str, dict[str, str]]


def install(patcher: Patcher, types: Collection[str]) -> None:
    """Leave out the types. This comes after the patches that check what a resource needs."""
    # CloudFormation refuses a template with a type that has no handler.
    handlers = patcher.ministack.provisioners._RESOURCE_HANDLERS
    for resource_type in types:
        handlers[resource_type] = {}

    def provision(
        resource_type: str, logical_id: str, props: Properties, stack_name: str
    ) -> Resource:
        if resource_type in types:
            return f"{stack_name}-{logical_id}-left-out", _attributes(resource_type)
        resource: Resource = provision_original(resource_type, logical_id, props, stack_name)
        return resource

    def update(
        resource_type: str,
        physical_id: str,
        old_props: Properties,
        new_props: Properties,
        stack_name: str,
        logical_id: str | None = None,
        old_attrs: Mapping[str, str] | None = None,
    ) -> Resource:
        if resource_type in types:
            return physical_id, _attributes(resource_type)
        resource: Resource = update_original(
            resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs
        )
        return resource

    def delete(
        resource_type: str,
        physical_id: str,
        props: Properties,
        stack_name: str | None = None,
        logical_id: str | None = None,
    ) -> None:
        if resource_type not in types:
            delete_original(resource_type, physical_id, props, stack_name, logical_id)

    provision_original = patcher.replace("stacks._provision_resource", provision)
    update_original = patcher.replace("stacks._update_resource", update)
    delete_original = patcher.replace("stacks._delete_resource", delete)


def _attributes(resource_type: str) -> dict[str, str]:
    """Return a value for each attribute that a template can read of a type."""
    schema = schema_of(resource_type)
    if schema is None:
        return {}
    return {".".join(path): f"left-out-{path[-1]}" for path in schema.read_only}
