"""The permissions that the schema of a resource type publishes. Pure.

A schema lists below `handlers` what CloudFormation calls to create, read, update, delete and list a
resource of the type, and below `tagging` what it calls for the stack's tags. Source: CloudFormation
CLI User Guide, "Resource type schema", handlers and tagging.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

# `list` is not one of them: CloudFormation lists resources for the IaC generator and for Cloud
# Control's ListResources, never for a stack. (Our reading.)
HANDLERS = ("create", "read", "update", "delete")


@dataclass(frozen=True)
class Published:
    """What the schema of one resource type publishes, without names that IAM does not know.

    `all` is for every operation on a stack, `read` for looking at a resource. `unknown` are the
    names that are left out: no policy can allow them.
    """

    all: frozenset[str]
    read: frozenset[str]
    unknown: frozenset[str] = frozenset()


class Schemas(Protocol):
    """Where the schemas of resource types come from."""

    def published(self, kind: str) -> Published | None:
        """Return what the schema of a type publishes; None when the type is not known."""
        ...

    def takes(self, action: str, arn: str) -> bool:
        """Return whether an action acts on resources with such an ARN."""
        ...


def parse_schema(schema: Mapping[str, Any], is_action: Callable[[str], bool]) -> Published:
    """Return what a schema publishes; `is_action` tells whether IAM knows an action.

    Schemas contain names that are no actions, like s3:REST.PUT.OBJECT.
    """
    handlers: Mapping[str, Any] = schema.get("handlers") or {}
    names: set[str] = set()
    for handler in HANDLERS:
        names.update(_permissions(handlers.get(handler)))
    names.update(_permissions(schema.get("tagging")))
    read = set(_permissions(handlers.get("read")))

    unknown = {name for name in names if not is_action(name)}
    return Published(frozenset(names - unknown), frozenset(read - unknown), frozenset(unknown))


def _permissions(part: object) -> list[str]:
    if not isinstance(part, Mapping):
        return []
    return [str(name) for name in part.get("permissions") or ()]
