"""An operation of CloudFormation on a resource, as the check of its permissions needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["create", "update", "delete"]
Properties = Mapping[str, Any]


@dataclass(frozen=True)
class ResourceOperation:
    """An operation on a resource of a stack, with the account and the region of the stack.

    `id` is the physical id. On a creation it is the name that the resource gets, or its beginning.
    `now` are its properties, and `before` its properties before an update.
    """

    kind: Kind
    resource_type: str
    id: str
    stack: str
    account: str
    region: str
    now: Properties
    before: Properties = field(default_factory=dict)

    def changes(self, name: str) -> bool:
        """Return whether a property differs from before. A creation changes each that it has."""
        return bool(self.now.get(name) != self.before.get(name))

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of a service in the stack's account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"
