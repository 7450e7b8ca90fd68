"""IAM policies as values: which permissions the statements of a role allow. Pure.

Sources: IAM User Guide, "IAM JSON policy elements: Action" (the prefix and the name are case
insensitive; * and ? are wildcards) and "Policy evaluation logic" (a Deny wins).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from deploytool.core.permissions.text import texts_of

# The actions whose condition names a service: action -> condition key.
SERVICE_KEYS = {
    "iam:CreateServiceLinkedRole": "iam:AWSServiceName",
    "iam:PassRole": "iam:PassedToService",
}


@dataclass(frozen=True, order=True)
class Permission:
    """One action that a role needs.

    `arn` is what it acts on, a pattern; empty when that is not known. `service` belongs to the
    actions of SERVICE_KEYS: the service that gets the role, or whose role is created. It is empty
    when no table says which service that is.
    """

    action: str
    service: str = ""
    arn: str = ""

    def __str__(self) -> str:
        if not self.service:
            return self.action
        return f"{self.action} ({self.service})"


@dataclass(frozen=True)
class Statement:
    """One statement of a policy, as far as it decides about actions.

    `services` are the values of the condition on a service; None when there is no such condition.
    """

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    services: tuple[str, ...] | None
    has_condition: bool

    def names(self, action: str) -> bool:
        """Return whether one of the statement's actions is this one, or a pattern that covers it."""
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self.actions)

    def covers(self, arn: str) -> bool:
        """Return whether one of the statement's resources is this ARN, or a pattern that covers it."""
        return any(fnmatchcase(arn, pattern) for pattern in self.resources)

    def allows(self, permission: Permission) -> bool:
        """Return whether this statement allows the action on what it acts on.

        An action of which that is not known is allowed on any resource.
        """
        if self.effect != "Allow" or not self.names(permission.action):
            return False
        if permission.arn and not self.covers(permission.arn):
            return False
        if permission.action not in SERVICE_KEYS or self.services is None:
            return True
        return permission.service in self.services

    def denies(self, permission: Permission) -> bool:
        """Return whether this statement denies the action on every resource, unconditionally."""
        everywhere = self.resources == ("*",) and not self.has_condition
        return self.effect == "Deny" and everywhere and self.names(permission.action)


def parse_statements(
    document: Mapping[str, Any], known: Mapping[str, str] | None = None
) -> tuple[Statement, ...]:
    """Return the statements of a policy document. `NotAction` allows nothing here.

    `known` are the values of the parameters in its functions; what is not known is `*`.
    """
    statements: list[Statement] = []
    for raw in _listed(document.get("Statement", ())):
        if isinstance(raw, Mapping):
            statements.append(_statement(raw, known or {}))
    return tuple(statements)


def is_allowed(statements: Iterable[Statement], permission: Permission) -> bool:
    """Return whether the statements together allow a permission."""
    known = tuple(statements)
    if any(statement.denies(permission) for statement in known):
        return False
    return any(statement.allows(permission) for statement in known)


def actions_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the actions of a statement as it is written: a list, or one action."""
    return tuple(str(action) for action in _listed(raw.get("Action", ())))


def _statement(raw: Mapping[str, Any], known: Mapping[str, str]) -> Statement:
    actions = actions_of(raw)
    resources: list[str] = []
    for resource in _listed(raw.get("Resource", ())):
        resources += texts_of(resource, known)
    condition = raw.get("Condition") or {}
    services = _services(condition)
    return Statement(
        str(raw.get("Effect", "")), actions, tuple(resources), services, bool(condition)
    )


def _services(condition: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the services of a condition on one of SERVICE_KEYS; None when it has none."""
    services: list[str] = []
    has_key = False
    for tests in condition.values():
        if not isinstance(tests, Mapping):
            continue
        for key, value in tests.items():
            if key in SERVICE_KEYS.values():
                has_key = True
                services += [str(service) for service in _listed(value)]
    return tuple(services) if has_key else None


def _listed(value: object) -> list[Any]:
    """Return a policy's value, which may be one or a list, as a list."""
    if isinstance(value, (list, tuple)):
        return list(value)
    return [value]
