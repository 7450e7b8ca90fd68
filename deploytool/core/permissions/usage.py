"""Whether a resource of a template sets a property. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

NO_VALUE = {"Ref": "AWS::NoValue"}


def uses(resource: Mapping[str, Any], path: str) -> bool:
    """Return whether a resource may set a property, whatever its conditions turn out to be.

    `path` has the names from the resource's properties down, joined by dots; a list counts when one
    of its items has the property. A value that a function gives (Ref, Fn::Transform ...) may have
    every property.
    """
    properties = resource.get("Properties", {})
    return _has(properties, path.split("."))


def _has(value: object, names: Sequence[str]) -> bool:
    if value == NO_VALUE or value is None:
        return False
    if isinstance(value, Mapping):
        return _mapping_has(value, names)
    if not names:
        return True
    items = value if isinstance(value, (list, tuple)) else ()
    return any(_has(item, names) for item in items)


def _mapping_has(value: Mapping[str, Any], names: Sequence[str]) -> bool:
    if set(value) == {"Fn::If"}:
        _, *branches = value["Fn::If"]
        return any(_has(branch, names) for branch in branches)
    if not names or _is_opaque(value):
        return True

    first, *rest = names
    return first in value and _has(value[first], rest)


def _is_opaque(value: Mapping[str, Any]) -> bool:
    """Return whether a value is that of a function, which is not known here."""
    return any(key == "Ref" or key.startswith("Fn::") for key in value)
