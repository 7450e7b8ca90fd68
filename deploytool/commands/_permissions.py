"""What the roles of the pipeline lack for the stacks of a project, for `lint` and `bootstrap`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from deploytool.core.errors import InputError, InputProblem, NotInstalled
from deploytool.core.permissions.grants import Grants, grants_for
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.project.own_permissions import OwnPermissions, render_granted
from deploytool.core.project.role_findings import RoleFindings, role_findings
from deploytool.files.project import Project
from deploytool.files.schemas import InstalledSchemas
from deploytool.files.serverless import expanded
from deploytool.render.permissions import finding_lines


@dataclass(frozen=True)
class Granting:
    """What `bootstrap` grants, and what it has to say about that."""

    grants: Grants
    warnings: tuple[str, ...]


def findings_of(project: Project, own: OwnPermissions) -> RoleFindings:
    """Return what the roles lack for all stages, with `own` permissions.

    Raises InputError for problems of the graphs, and NotInstalled when cfn-lint, which has the
    permissions of the resource types, is not installed.
    """
    graphs = [project.graph(stage) for stage in project.config.stages]
    return _findings(project, graphs, own)


def granting(project: Project, own: OwnPermissions, stage: str | None = None) -> Granting:
    """Return what `bootstrap` grants for the stacks of the stages whose graphs are valid.

    What was granted before is kept while a stage cannot be read: the stage may need it. Without
    cfn-lint nothing is added to it. Raises InputError for problems of `stage`, and of all stages
    when none is valid.
    """
    graphs, warnings = _valid_graphs(project, stage)
    base = own if warnings else replace(own, granted=())
    try:
        findings = _findings(project, graphs, base)
    except NotInstalled as error:
        return Granting(grants_for((), own.granted), (*warnings, _not_looked_at(error)))

    grants = grants_for(findings.lacking, base.granted)
    left = _findings(project, graphs, replace(own, granted=grants.statements))
    return Granting(grants, (*warnings, *finding_lines(left, grants)))


def _valid_graphs(project: Project, needed: str | None) -> tuple[list[Graph], list[str]]:
    """Return the graphs of the stages that are valid, and a warning for each problem of the others.

    Raises InputError for problems of the stage that is `needed`, and when no stage is valid.
    """
    graphs: list[Graph] = []
    warnings: list[str] = []
    problems: set[InputProblem] = set()
    for stage in project.config.stages:
        try:
            graphs.append(project.graph(stage))
        except InputError as error:
            if stage == needed:
                raise
            problems.update(error.problems)
            warnings += [
                f"stage {stage} was not looked at: {problem}" for problem in error.problems
            ]
    if not graphs:
        raise InputError(sorted(problems))
    if warnings:
        warnings.append("what was granted before is kept, because these stages may need it")
    return graphs, warnings


def _not_looked_at(error: NotInstalled) -> str:
    return (
        f"the permissions of the stacks of your own were not looked at ({error}): {error.hint},"
        " then bootstrap again"
    )


def _findings(project: Project, graphs: Sequence[Graph], own: OwnPermissions) -> RoleFindings:
    template = project.bootstrap_template()
    resolved = [_expanded(graph) for graph in graphs]
    return role_findings(project.config, resolved, template, own, InstalledSchemas())


def _expanded(graph: Graph) -> Graph:
    """Return a graph whose SAM templates are expanded: their roles act on what they become."""
    nodes: dict[NodeId, Node] = {}
    for node_id, node in graph.nodes.items():
        known = {name: value for name, value in node.parameters.items() if isinstance(value, str)}
        document = expanded(node.document, node.template.file, node_id.region, known)
        nodes[node_id] = replace(node, document=document)
    return replace(graph, nodes=nodes)


def write_granted(project: Project, grants: Grants) -> bool:
    """Write the file of the granted permissions; return whether it changed.

    A project that needs none gets no file.
    """
    path = project.granted_path
    text = render_granted(grants.statements)
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    if before == text or (not before and not grants.statements):
        return False
    path.write_text(text, encoding="utf-8")
    return True
