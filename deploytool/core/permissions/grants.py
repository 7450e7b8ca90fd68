"""Statements that give a role the permissions that it lacks. Pure.

An action whose resource is known is granted for that resource, and every other one for all
resources: which ARNs a type of resource gets is not published. A role is passed only when it is the
stage's own. No other action of IAM is granted: with it a pipeline could give itself more power.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploytool.core.permissions.needs import Need
from deploytool.core.permissions.policy import SERVICE_KEYS, Permission

Document = dict[str, Any]
# A managed policy has at most 6,144 characters without white space (IAM User Guide, quotas). The
# placeholders of a project and a stage are shorter than their values can be.
POLICY_LIMIT = 5_000
# Actions in one statement, so that it fits.
STATEMENT_ACTIONS = 60

_RESOURCES = {
    "iam:CreateServiceLinkedRole": (
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/aws-service-role/*"
    ),
    "iam:PassRole": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${Project}-${Stage}-*",
}


@dataclass(frozen=True)
class Names:
    """The names of one stage, which stand in the ARNs of its resources."""

    project: str
    stage: str
    domain: str


@dataclass(frozen=True)
class Grants:
    """The statements that grant, and the needs that only the user can decide about."""

    statements: tuple[Document, ...]
    withheld: tuple[Need, ...]


@dataclass(frozen=True, order=True)
class _Key:
    """What stands in one statement: a type's actions on the same resource, for one service."""

    kind: str
    resource: str
    special: str  # the action, of those with a service
    service: str


def grants_for(
    lacking: Iterable[tuple[Need, Names]], kept: Sequence[Mapping[str, Any]] = ()
) -> Grants:
    """Return what grants the needs of all stages. The statements are the same for each stage.

    The statements `kept` of an earlier grant come first, as they are.
    """
    actions: dict[_Key, set[str]] = {}
    withheld: set[Need] = set()
    for need, names in lacking:
        permission = need.permission
        is_special = permission.action in SERVICE_KEYS
        if permission.action.startswith("iam:") and not is_special:
            withheld.add(need)
            continue
        if is_special:
            resource, special = _RESOURCES[permission.action], permission.action
        else:
            resource, special = _symbolic(permission, names), ""
        key = _Key(need.kind, resource, special, permission.service)
        actions.setdefault(key, set()).add(permission.action)

    statements: list[Document] = [dict(statement) for statement in kept]
    # IAM refuses a policy in which two statements have the same Sid.
    sids = {str(statement.get("Sid", "")) for statement in kept}
    for key in sorted(actions):
        for chunk in _chunks(sorted(actions[key])):
            statement = _statement(key, _sid(key.kind, sids), chunk)
            sids.add(statement["Sid"])
            statements.append(statement)
    return Grants(tuple(statements), tuple(sorted(withheld)))


def packed(statements: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return the statements in groups, each of which fits into a managed policy."""
    groups: list[list[Mapping[str, Any]]] = []
    size = 0
    for statement in statements:
        length = len(re.sub(r"\s", "", json.dumps(statement))) + 1
        if not groups or size + length > POLICY_LIMIT:
            groups.append([])
            size = 0
        groups[-1].append(statement)
        size += length
    return groups


def _sid(kind: str, taken: Collection[str]) -> str:
    """Return an id for a statement about a type, which no other statement has."""
    name = re.sub(r"[^A-Za-z0-9]", "", kind.removeprefix("AWS::"))
    number = 1
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def _statement(key: _Key, sid: str, actions: Sequence[str]) -> Document:
    resource: Any = "*"
    if key.resource != "*":
        resource = {"Fn::Sub": key.resource}
        # CloudWatch Logs names a log group in both ways.
        if ":log-group:" in key.resource:
            resource = [resource, {"Fn::Sub": f"{key.resource}:*"}]

    statement: Document = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": resource,
    }
    if key.service:
        statement["Condition"] = {"StringEquals": {SERVICE_KEYS[key.special]: key.service}}
    return statement


def _symbolic(permission: Permission, names: Names) -> str:
    """Return what an action acts on, with the parameters of the bootstrap's template in it."""
    if not permission.arn:
        return "*"
    arn, _, service, region, account, resource = permission.arn.split(":", 5)
    # Two of the services have no account in their ARNs.
    if account:
        account = "${AWS::AccountId}"
    resource = resource.replace(f"{names.project}-{names.stage}-", "${Project}-${Stage}-")
    resource = resource.replace(names.domain, "${DomainName}")
    return f"{arn}:${{AWS::Partition}}:{service}:{region}:{account}:{resource}"


def _chunks(actions: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(actions), STATEMENT_ACTIONS):
        yield actions[start : start + STATEMENT_ACTIONS]
