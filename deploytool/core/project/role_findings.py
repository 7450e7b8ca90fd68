"""What the roles of the pipeline lack for the stacks of a project. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploytool.core.permissions.grants import Names
from deploytool.core.permissions.needs import Need, missing, needs_of
from deploytool.core.permissions.policy import Permission, Statement, is_allowed, parse_statements
from deploytool.core.permissions.published import Schemas
from deploytool.core.permissions.usage import uses
from deploytool.core.project.config import Config
from deploytool.core.project.decided import decided
from deploytool.core.project.graph import Graph, Node
from deploytool.core.project.own_permissions import (
    OwnPermissions,
    boundary_statements,
    role_statements,
)
from deploytool.core.project.template import Template
from deploytool.core.transforms import declared_resources

_ROLE = "AWS::IAM::Role"


@dataclass(frozen=True, order=True)
class BoundaryGap:
    """A role of a template that the boundary cuts, or that has none."""

    template: str
    resource: str
    actions: tuple[str, ...]  # those that the boundary does not allow
    has_boundary: bool


@dataclass
class RoleFindings:
    """What CloudFormation's role and the boundary lack, for all stages of a project."""

    lacking: list[tuple[Need, Names]] = field(default_factory=list)
    gaps: set[BoundaryGap] = field(default_factory=set)


def role_findings(
    config: Config,
    graphs: Sequence[Graph],
    template: Template,
    own: OwnPermissions,
    schemas: Schemas,
) -> RoleFindings:
    """Return what the roles of the bootstrap's template lack for the graphs of the stages."""
    findings = RoleFindings()
    boundary = boundary_statements(template, own)
    for graph in graphs:
        stage = config.stage(graph.stage)
        names = Names(config.project, stage.name, stage.domain)
        statements = role_statements(template, own, _known_parameters(config, names))
        for node in graph.nodes.values():
            document, known = _resolved(node)
            needs = needs_of(node.template.file, document, schemas, known)
            findings.lacking += [(need, names) for need in missing(needs, statements)]
            # A stage that no pipeline deploys has no boundary, so its conditions do not count.
            findings.gaps.update(_gaps(node.template.file, node.document, boundary))
    return findings


def _known_parameters(config: Config, names: Names) -> dict[str, str]:
    """Return the values of the bootstrap's parameters, which its policies use."""
    return {
        "AWS::Partition": "aws",
        "Project": names.project,
        "Stage": names.stage,
        "DomainName": names.domain,
        "PrimaryRegion": config.primary,
        "SecondaryRegion": config.secondary,
    }


def _resolved(node: Node) -> tuple[Mapping[str, Any], dict[str, str]]:
    """Return a stack's template with its conditions decided, and the values that are known."""
    given: dict[str, str | None] = {}
    for name, value in node.parameters.items():
        given[name] = value if isinstance(value, str) else None
    known = {name: value for name, value in given.items() if value is not None}
    known |= {
        "AWS::Partition": "aws",
        "AWS::Region": node.id.region,
        "AWS::StackName": node.stack_name,
    }
    return decided(node.document, given), known


def _gaps(
    file: str, document: Mapping[str, Any], boundary: Sequence[Statement]
) -> Iterator[BoundaryGap]:
    for name, resource in declared_resources(document).items():
        if resource.get("Type") != _ROLE:
            continue
        cut = tuple(sorted(_cut_actions(resource, boundary)))
        has_boundary = uses(resource, "PermissionsBoundary")
        if cut or not has_boundary:
            yield BoundaryGap(file, name, cut, has_boundary)


def _cut_actions(resource: Mapping[str, Any], boundary: Sequence[Statement]) -> set[str]:
    """Return the actions of a role's own policies that the boundary does not allow."""
    cut: set[str] = set()
    for policy in _policies(resource.get("Properties", {}).get("Policies")):
        for statement in parse_statements(policy.get("PolicyDocument") or {}):
            if statement.effect != "Allow":
                continue
            for action in statement.actions:
                if not is_allowed(boundary, Permission(action)):
                    cut.add(action)
    return cut


def _policies(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the policies of a role, those behind a condition too."""
    if isinstance(value, list):
        for item in value:
            yield from _policies(item)
    elif isinstance(value, Mapping) and "Fn::If" in value:
        yield from _policies(value["Fn::If"][1:])
    elif isinstance(value, Mapping) and isinstance(value.get("PolicyDocument"), Mapping):
        yield value
