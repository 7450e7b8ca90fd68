"""IAM's limits on the policies that a project adds to the roles of the bootstrap. Pure.

Source: IAM User Guide, "IAM and AWS STS quotas": a managed policy has up to 6,144 characters, white
space not counted, and a role has 10 managed policies attached unless the account's quota is raised.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from deploytool.core.errors import InputProblems
from deploytool.core.permissions.grants import packed
from deploytool.core.project.own_permissions import (
    BOUNDARY,
    OWN_FILE,
    ROLE,
    OwnPermissions,
    properties_of,
)
from deploytool.core.project.template import Template

POLICY_CHARACTERS = 6_144
ATTACHED_POLICIES = 10


def check_limits(template: Template, own: OwnPermissions, known: Mapping[str, str]) -> None:
    """Raise InputError when a policy would be too long, or too many would be attached,
    or the template has no such role.

    `template` is the bootstrap's, without the permissions of the project's own. `known` are the
    values of its parameters and of the pseudo parameters.
    """
    problems = InputProblems(OWN_FILE)

    shipped = properties_of(template, BOUNDARY)["PolicyDocument"]
    extended = {**shipped, "Statement": [*shipped["Statement"], *own.boundary]}
    length = _characters(extended, known)
    if own.boundary and length > POLICY_CHARACTERS:
        problems.add(
            "boundary",
            f"makes the boundary {length:,} characters long, and IAM takes {POLICY_CHARACTERS:,};"
            " shorten it, with wildcards in its actions or with fewer resources",
        )

    attached = len(properties_of(template, ROLE).get("ManagedPolicyArns", ()))
    count = attached + len(packed(own.role)) + len(packed(own.granted))
    if count > ATTACHED_POLICIES:
        problems.add(
            "cloudformation",
            f"CloudFormation's role would have {count} managed policies with what is granted, and"
            f" IAM takes {ATTACHED_POLICIES}; write statements with wildcards in their actions,"
            " which bootstrap then does not grant again",
        )
    problems.raise_any()


def _characters(document: Mapping[str, Any], known: Mapping[str, str]) -> int:
    """Return the length of a policy as IAM counts it."""
    text = json.dumps(_filled(document, known), separators=(",", ":"))
    return len(re.sub(r"\s", "", text))


def _filled(value: object, known: Mapping[str, str]) -> object:
    """Return a value with its Fn::Sub filled in; a name that is not known stays."""
    if isinstance(value, Mapping):
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return re.sub(r"\$\{([^}]+)\}", lambda m: known.get(m[1], m[0]), value["Fn::Sub"])
        return {key: _filled(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, known) for item in value]
    return value
