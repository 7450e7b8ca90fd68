"""The permissions of a project's own: what its user wrote, and what `bootstrap` granted. Pure.

Both files stand beside the graph file, and neither need exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from deploytool.core.errors import InputError, InputProblem, InputProblems
from deploytool.core.permissions.grants import packed
from deploytool.core.permissions.policy import Statement, parse_statements
from deploytool.core.project.template import Template
from deploytool.core.project.yamltext import dump_yaml, load_yaml

OWN_FILE = "permissions.yaml"
GRANTED_FILE = "granted.yaml"
ROLE, BOUNDARY = "CloudFormationRole", "Boundary"  # logical ids in the bootstrap's template

_KEYS = ["cloudformation", "boundary"]
_STATEMENT_KEYS = ["Sid", "Effect", "Action", "Resource", "Condition"]
_HEADER = f"""\
# Written by `deploytool bootstrap`: what CloudFormation's role needs for the stacks of this project
# beside what github-oidc.yaml and {OWN_FILE} allow. Do not edit it: the next bootstrap writes it
# again. To narrow a statement write your own into {OWN_FILE}. (docs/how-to/permissions.md)
"""

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class OwnPermissions:
    """Statements for CloudFormation's role and for the boundary, as they are written."""

    role: tuple[Raw, ...] = ()
    boundary: tuple[Raw, ...] = ()
    granted: tuple[Raw, ...] = ()


def parse_own(text: str, file: str) -> OwnPermissions:
    """Parse the user's file. Raises InputError with every problem."""
    document = load_yaml(text, file) or {}
    problems = InputProblems(file)
    if not isinstance(document, Mapping):
        problems.add(
            "", "must have the keys cloudformation and boundary, each a list of statements"
        )
        problems.raise_any()
    problems.unknown_keys("", document, _KEYS)
    role = _statements(document.get("cloudformation"), "cloudformation", problems)
    boundary = _statements(document.get("boundary"), "boundary", problems)
    problems.raise_any()
    return OwnPermissions(role, boundary)


def parse_granted(text: str, file: str) -> tuple[Raw, ...]:
    """Parse the file that `bootstrap` writes. Raises InputError with every problem."""
    document = load_yaml(text, file) or {}
    problems = InputProblems(file)
    if not isinstance(document, Mapping):
        problems.add("", "must have the key statements; delete it and run deploytool bootstrap")
        problems.raise_any()
    problems.unknown_keys("", document, ["statements"])
    statements = _statements(document.get("statements"), "statements", problems)
    problems.raise_any()
    return statements


def render_granted(statements: tuple[Raw, ...]) -> str:
    """Return the text of the file that `bootstrap` writes."""
    return _HEADER + dump_yaml({"statements": [dict(statement) for statement in statements]})


def role_statements(
    template: Template, own: OwnPermissions, known: Mapping[str, str]
) -> tuple[Statement, ...]:
    """Return the statements of CloudFormation's role: the template's, the user's, the granted.

    Raises InputError when the template has no such role.
    """
    resources: Mapping[str, Any] = template.document["Resources"]
    properties = properties_of(template, ROLE)
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
    for policy in properties.get("ManagedPolicyArns", ()):
        # A policy of AWS's own, or of another stack, is not known here.
        name = str(policy.get("Ref")) if isinstance(policy, Mapping) else ""
        if name in resources:
            documents.append(resources[name]["Properties"]["PolicyDocument"])
    documents.append({"Statement": [*own.role, *own.granted]})

    statements: list[Statement] = []
    for document in documents:
        statements += parse_statements(document, known)
    return tuple(statements)


def boundary_statements(template: Template, own: OwnPermissions) -> tuple[Statement, ...]:
    """Return the statements of the boundary: the template's and the user's."""
    document = properties_of(template, BOUNDARY)["PolicyDocument"]
    return (
        *parse_statements(document),
        *parse_statements({"Statement": list(own.boundary)}),
    )


def with_permissions(template: Template, own: OwnPermissions) -> Template:
    """Return the bootstrap's template with the policies of the project's own permissions.

    A policy names the role that it is attached to. The role's own list stays as it is, so that what
    somebody attached to the role by hand stays too.
    """
    resources = dict(template.document["Resources"])
    kinds = {"Own": (own.role, "written"), "Granted": (own.granted, "granted by bootstrap")}
    for name, (statements, how) in kinds.items():
        for number, group in enumerate(packed(statements), 1):
            resources[f"{name}Policy{number}"] = _policy(group, how)
    if own.boundary:
        resources[BOUNDARY] = _extended(resources[BOUNDARY], own.boundary)

    document = {**template.document, "Resources": resources}
    types = {name: str(spec.get("Type", "")) for name, spec in resources.items()}
    return replace(template, document=document, resources=types)


def properties_of(template: Template, name: str) -> Mapping[str, Any]:
    """Return the properties of a resource. Raises InputError when the template has no such one."""
    resource = template.document["Resources"].get(name)
    properties = resource.get("Properties") if isinstance(resource, Mapping) else None
    if not isinstance(properties, Mapping):
        message = "is missing; copy the file from deploytool's repository, or delete it without a pipeline"
        raise InputError([InputProblem(template.file, f"Resources.{name}", message)])
    return properties


def _policy(statements: list[Raw], how: str) -> dict[str, Any]:
    description = f"Resources of ${{Project}}, stage ${{Stage}}, beside those of infra/: {how}"
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "Path": "/deploytool/",
            "Description": {"Fn::Sub": description},
            "Roles": [{"Ref": ROLE}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [dict(statement) for statement in statements],
            },
        },
    }


def _extended(boundary: Raw, statements: tuple[Raw, ...]) -> dict[str, Any]:
    properties = boundary["Properties"]
    document = properties["PolicyDocument"]
    extended = {**document, "Statement": [*document["Statement"], *statements]}
    return {**boundary, "Properties": {**properties, "PolicyDocument": extended}}


def _statements(value: object, key: str, problems: InputProblems) -> tuple[Raw, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        problems.add(key, "must be a list of IAM statements")
        return ()

    statements: list[Raw] = []
    for index, statement in enumerate(value):
        place = f"{key}[{index}]"
        if not isinstance(statement, Mapping):
            problems.add(place, "must be an IAM statement: Effect, Action and Resource")
            continue
        problems.unknown_keys(place, statement, _STATEMENT_KEYS)
        for name in ("Action", "Resource"):
            if name not in statement:
                problems.missing(f"{place}.{name}", "a statement needs it")
        if statement.get("Effect") not in ("Allow", "Deny"):
            problems.add(f"{place}.Effect", "must be Allow or Deny")
        statements.append(statement)
    return tuple(statements)
