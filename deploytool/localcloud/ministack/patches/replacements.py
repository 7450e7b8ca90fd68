"""Which changes of a property replace its resource, as change sets report it.

MiniStack has a table for some types and answers "Conditionally" for the others. CloudFormation's
schemas say it for every type: a create-only property needs a new resource, a conditionally
create-only one may, and any other is changed in place (API Reference, ResourceTargetDefinition,
RequiresRecreation; CloudFormation CLI User Guide, "Resource type schema").
"""

from collections.abc import Collection, Mapping
from contextvars import ContextVar
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher
from deploytool.localcloud.ministack.resource_schemas import PropertyPath, schema_of

PATCHES = {
    "stacks._property_recreation": "types without a table of their own answer Conditionally",
    "changesets._diff_resources": "a property within another one is not told apart",
}

# What the template reference says needs replacement ("Update requires") and no schema lists
_DOCUMENTED = {("AWS::Route53::RecordSet", "Name")}

Template = Mapping[str, Any]

# A property of a type, of which something within is create-only and changes
_Changed = frozenset[tuple[str, str]]


def install(patcher: Patcher) -> None:
    """Answer from the schemas, and from MiniStack's table for a type that has none."""
    # The properties whose create-only parts differ in the comparison that is under way
    changed: ContextVar[_Changed] = ContextVar("changed_create_only_parts", default=frozenset())

    def property_recreation(resource_type: str, name: str) -> str:
        schema = schema_of(resource_type)
        if schema is None:
            return str(recreation_original(resource_type, name))
        if (name,) in schema.create_only or (resource_type, name) in _DOCUMENTED:
            return "Always"
        if (resource_type, name) in changed.get():
            return "Always"
        if any(path[0] == name for path in schema.conditionally_create_only):
            return "Conditionally"
        return "Never"

    def diff_resources(
        old_template: Template, new_template: Template, *args: Any, **kwargs: Any
    ) -> Any:
        token = changed.set(_changed_parts(old_template, new_template))
        try:
            return diff_original(old_template, new_template, *args, **kwargs)
        finally:
            changed.reset(token)

    recreation_original = patcher.replace("stacks._property_recreation", property_recreation)
    diff_original = patcher.replace("changesets._diff_resources", diff_resources)


def _changed_parts(old_template: Template, new_template: Template) -> _Changed:
    """Return the properties whose create-only parts differ between two templates."""
    old_resources = old_template.get("Resources") or {}
    changed: set[tuple[str, str]] = set()
    for name, resource in (new_template.get("Resources") or {}).items():
        resource_type = resource.get("Type", "")
        schema = schema_of(resource_type)
        if schema is None or name not in old_resources:
            continue
        before = old_resources[name].get("Properties")
        after = resource.get("Properties")
        for path in _parts(schema.create_only):
            if _value_at(before, path) != _value_at(after, path):
                changed.add((resource_type, path[0]))
    return frozenset(changed)


def _parts(paths: Collection[PropertyPath]) -> list[PropertyPath]:
    """Return the paths that lead into a property."""
    return [path for path in paths if len(path) > 1]


def _value_at(properties: Any, path: PropertyPath) -> Any:
    """Return the value at a path, or None where there is none."""
    value = properties
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
