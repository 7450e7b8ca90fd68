"""Properties that a resource type does not have, and required ones that are missing.

CloudFormation compares each resource with the schema of its type before it makes anything
(CloudFormation User Guide, "Validate stack deployments": property syntax validation, mode FAIL).
aws/aws-cdk-cli pull request 1463 quotes the reason and the path of a missing property; the words
for one that the type does not have are our reading. MiniStack ignores the one and takes a default
for the other.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher
from deploytool.localcloud.ministack.resource_schemas import schema_of

PATCHES = {
    "stacks._validation_errors": "misspelled and missing properties are taken",
}

_VALIDATION = "PROPERTY_VALIDATION"
# A custom resource has properties of its own, which its schema does not say.
_ANY_PROPERTY = {"AWS::CloudFormation::CustomResource"}

Definitions = Mapping[str, Mapping[str, Any]]
Error = tuple[str, str, str, str, str]


def install(patcher: Patcher) -> None:
    """Add the errors of properties to those of an operation."""

    def validation_errors(
        resources_defs: Definitions,
        ordered: Collection[str],
        param_values: Any,
        conditions: Mapping[str, bool],
        *args: Any,
        **kwargs: Any,
    ) -> list[Error]:
        errors = list(original(resources_defs, ordered, param_values, conditions, *args, **kwargs))
        for logical_id in ordered:
            definition = resources_defs[logical_id]
            if conditions.get(str(definition.get("Condition")), True):
                errors.extend(property_errors(logical_id, definition))
        return errors

    original = patcher.replace("stacks._validation_errors", validation_errors)


def property_errors(logical_id: str, definition: Mapping[str, Any]) -> Iterator[Error]:
    """Yield the errors of a resource's properties."""
    resource_type = definition.get("Type", "")
    schema = schema_of(resource_type)
    properties = definition.get("Properties") or {}
    if schema is None or not isinstance(properties, Mapping):
        return

    path = f"/Resources/{logical_id}/Properties"
    for name in schema.required:
        if name not in properties:
            reason = f"Required property [{name}] not found"
            yield logical_id, resource_type, _VALIDATION, path, reason
    for name in properties:
        if resource_type in _ANY_PROPERTY:
            break
        if schema.properties and name not in schema.properties:
            reason = f"Unsupported property [{name}]"
            yield logical_id, resource_type, _VALIDATION, f"{path}/{name}", reason
