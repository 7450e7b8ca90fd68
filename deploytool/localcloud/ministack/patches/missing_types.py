"""Resource types that AWS has and the local cloud lacks: the refusal says what can be done.

CloudFormation refuses an unknown type with "Unrecognized resource types", and so does MiniStack for
a type that it lacks. The words stay for a type that AWS does not have either.
"""

import re
from collections.abc import Mapping
from typing import Any

from deploytool.localcloud.ministack.patches.replace import Patcher
from deploytool.localcloud.ministack.resource_schemas import schema_of

_REASON = "the refusal does not tell what the local cloud lacks from a misspelled type"
PATCHES = {
    "stack_handlers.validate_template_support": _REASON,
    "changesets.validate_template_support": _REASON,
}

_UNRECOGNIZED = re.compile(r"Unrecognized resource types: \[(.*)\]")


def install(patcher: Patcher) -> None:
    """Add a hint to the refusal of types that AWS has."""

    def validate_template_support(
        template: Mapping[str, Any], conditions: Mapping[str, bool], params: Any = None
    ) -> None:
        try:
            original(template, conditions, params)
        except ValueError as error:
            raise ValueError(f"{error}{_hint(str(error))}") from error

    # Both modules import the same function.
    original = patcher.ministack.changesets.validate_template_support
    for target in PATCHES:
        patcher.replace(target, validate_template_support)


def _hint(message: str) -> str:
    """Return what to do about the types of a message; empty where AWS has none of them."""
    found = _UNRECOGNIZED.search(message)
    types = found[1].split(", ") if found else []
    lacking = [name for name in types if schema_of(name) is not None]
    if not lacking:
        return ""
    options = " ".join(f"--leave-out {name}" for name in lacking)
    return f". AWS has {', '.join(lacking)}: to try the rest, deploytool local up {options}"
