"""What the roles of the pipeline lack for the stacks of a project, for `lint` and `bootstrap`."""

from dataclasses import replace

from deploytool.core.permissions.grants import Grants, grants_for
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.project.own_permissions import OwnPermissions, render_granted
from deploytool.core.project.role_findings import RoleFindings, role_findings
from deploytool.files.project import Project
from deploytool.files.schemas import InstalledSchemas
from deploytool.files.serverless import expanded


def findings_of(project: Project, own: OwnPermissions) -> RoleFindings:
    """Return what the roles lack for all stages, with `own` permissions.

    Raises InputError for problems of the graphs, and DeploytoolError when cfn-lint, which has the
    permissions of the resource types, is not installed.
    """
    graphs = [_expanded(project.graph(stage)) for stage in project.config.stages]
    template = project.bootstrap_template()
    return role_findings(project.config, graphs, template, own, InstalledSchemas())


def _expanded(graph: Graph) -> Graph:
    """Return a graph whose SAM templates are expanded: their roles act on what they become."""
    nodes: dict[NodeId, Node] = {}
    for node_id, node in graph.nodes.items():
        known = {name: value for name, value in node.parameters.items() if isinstance(value, str)}
        document = expanded(node.document, node.template.file, node_id.region, known)
        nodes[node_id] = replace(node, document=document)
    return replace(graph, nodes=nodes)


def grants_of(project: Project, own: OwnPermissions) -> Grants:
    """Return what `bootstrap` grants, whatever it granted before."""
    findings = findings_of(project, replace(own, granted=()))
    return grants_for(findings.lacking)


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
