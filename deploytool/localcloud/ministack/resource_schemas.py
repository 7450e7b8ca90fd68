"""What CloudFormation's schemas say about resource types: identifiers, and what forces a new one.

The schemas are those that AWS publishes and cfn-lint installs. Their terms are in the CloudFormation
CLI User Guide, "Resource type schema": `primaryIdentifier` names the properties that identify a
resource, `createOnlyProperties` those that cannot be changed in place, and
`conditionalCreateOnlyProperties` those that can be changed in place in some cases.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploytool.core.errors import DeploytoolError

# The list of types that has all of them. Only their availability depends on the region.
_PROVIDER = "us-east-1"
_POINTER = "/properties/"

# The path of a property: its name, and the names of the properties within it
PropertyPath = tuple[str, ...]


@dataclass(frozen=True)
class ResourceSchema:
    """What the schema of a resource type says about its properties.

    `properties` are the names of all of them, or empty for a type that takes others too. `required`
    are those that a template must give.
    """

    primary_identifier: tuple[PropertyPath, ...] = ()
    create_only: frozenset[PropertyPath] = frozenset()
    conditionally_create_only: frozenset[PropertyPath] = frozenset()
    read_only: frozenset[PropertyPath] = frozenset()
    properties: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()

    @property
    def named_by(self) -> tuple[str, ...]:
        """The properties with which a template names the resource, in the order of the identifier.

        They are empty when AWS makes a part of the identifier.
        """
        is_given = all(
            len(path) == 1 and path not in self.read_only for path in self.primary_identifier
        )
        return tuple(path[0] for path in self.primary_identifier) if is_given else ()


@cache
def schema_of(resource_type: str) -> ResourceSchema | None:
    """Return the schema of a resource type, or None for a type that has none.

    Raises DeploytoolError when cfn-lint is not installed.
    """
    digest = _types().get(resource_type)
    if digest is None:
        return None

    document = _read(Path("resources") / f"{digest}.json")
    return ResourceSchema(
        primary_identifier=tuple(_paths(document, "primaryIdentifier")),
        create_only=frozenset(_paths(document, "createOnlyProperties")),
        conditionally_create_only=frozenset(_paths(document, "conditionalCreateOnlyProperties")),
        read_only=frozenset(_paths(document, "readOnlyProperties")),
        properties=_known_properties(document),
        required=tuple(document.get("required") or ()),
    )


@cache
def _types() -> Mapping[str, str]:
    """Return the name of each type's schema, by type."""
    types: Mapping[str, str] = _read(Path("providers") / f"{_PROVIDER}.json")
    return types


def _read(path: Path) -> Any:
    # Finding the package does not import it, which would take a second.
    package = find_spec("cfnlint")
    if package is None or not package.submodule_search_locations:
        raise DeploytoolError(
            "the local cloud needs cfn-lint's schemas", hint="pip install 'deploytool[local]'"
        )
    folder = Path(package.submodule_search_locations[0]) / "data" / "schemas"
    return json.loads((folder / path).read_text(encoding="utf-8"))


def _known_properties(document: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the properties, or none when a template may give others too."""
    is_closed = document.get("additionalProperties") is False
    return frozenset(document.get("properties") or ()) if is_closed else frozenset()


def _paths(document: Mapping[str, Any], key: str) -> list[PropertyPath]:
    """Return the paths of a list of JSON pointers (/properties/A/B)."""
    return [tuple(pointer.removeprefix(_POINTER).split("/")) for pointer in document.get(key) or ()]
