"""Names that exist already: CloudFormation refuses to create a resource whose name is taken.

- Before it makes anything, it validates the names that are known then: for change sets, and for
  CreateStack and UpdateStack (CloudFormation User Guide, "Validate stack deployments": resource name
  conflict validation, mode FAIL; AWS DevOps blog of 2026-06-30, "Ship infrastructure faster with
  CloudFormation and CDK pre-deployment validation on every stack operation").
- A name that is known only later is refused by the handler of its type with the error code
  AlreadyExists (CloudFormation CLI User Guide, "Resource type handler contract": a create handler
  must return it). So is one where validation is turned off.

MiniStack validates the names of buckets alone, and its handlers take what exists for their own.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.existing import (
    NamedResource,
    exists,
    identifying_properties,
    named_resource,
)
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "stacks._validation_errors": "names that exist are taken",
    "stacks._provision_resource": "names that exist are taken",
}

NAME_CONFLICT = "NAME_CONFLICT_VALIDATION"

Properties = Mapping[str, Any]
Definitions = Mapping[str, Mapping[str, Any]]


def install(patcher: Patcher) -> None:
    """Refuse names that exist, before an operation and during it."""
    ministack = patcher.ministack

    def validation_errors(
        resources_defs: Definitions,
        ordered: Collection[str],
        param_values: Any,
        conditions: Mapping[str, bool],
        mappings: Any,
        stack_name: str,
        stack_id: str,
        owned_buckets: frozenset[str] = frozenset(),
    ) -> list[tuple[str, str, str, str, str]]:
        values = (param_values, conditions, mappings, stack_name, stack_id)
        errors = list(errors_original(resources_defs, ordered, *values, owned_buckets))
        stack = ministack.cloudformation._stacks.get(stack_name) or {}
        for logical_id, resource in _named_resources(ministack, resources_defs, ordered, values):
            if _is_new(stack, logical_id, resource) and exists(ministack, resource):
                path = f"/Resources/{logical_id}"
                errors.append((logical_id, resource.type, NAME_CONFLICT, path, resource.conflict))
        return errors

    def provision_resource(
        resource_type: str, logical_id: str, props: Properties, stack_name: str
    ) -> Any:
        resource = named_resource(resource_type, props)
        if resource is not None and exists(ministack, resource):
            raise ValueError(
                f'Resource handler returned message: "{resource.conflict}" '
                f"(RequestToken: {uuid.uuid4()}, HandlerErrorCode: AlreadyExists)"
            )
        return provision_original(resource_type, logical_id, props, stack_name)

    errors_original = patcher.replace("stacks._validation_errors", validation_errors)
    provision_original = patcher.replace("stacks._provision_resource", provision_resource)


def _named_resources(
    ministack: MiniStack, definitions: Definitions, ordered: Collection[str], values: Any
) -> Iterator[tuple[str, NamedResource]]:
    """Yield the resources of a template whose names are known before the operation."""
    conditions = values[1]
    for logical_id in ordered:
        definition = definitions[logical_id]
        if not conditions.get(definition.get("Condition"), True):
            continue

        resource_type = definition.get("Type", "")
        properties = definition.get("Properties") or {}
        known: dict[str, Any] = {}
        for key in identifying_properties(resource_type):
            # The result is None for a value that refers to another resource.
            known[key] = ministack.stacks._static_property(
                properties.get(key), definitions, *values
            )
        resource = named_resource(resource_type, known)
        if known and resource is not None:
            yield logical_id, resource


def _is_new(stack: Mapping[str, Any], logical_id: str, resource: NamedResource) -> bool:
    """Return whether the stack does not have the resource under this logical id."""
    record = stack.get("_resources", {}).get(logical_id)
    if record is None or record.get("ResourceType") != resource.type:
        return True
    return named_resource(resource.type, record.get("Properties") or {}) != resource
