"""The shipped graph: it holds together with the templates, and wires failover as Route 53 needs it."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from deploytool.core.graph import Graph, Node, NodeId, OutputRef
from deploytool.core.package import build_package
from deploytool.core.template import render_body
from deploytool.project import Project


def node(graph: Graph, project: Project, stack: str, role: str = "primary") -> Node:
    """A stack in the region of a role."""
    return graph.nodes[NodeId(stack, project.config.primary if role == "primary" else project.config.secondary)]


def test_every_stage_has_a_graph(project: Project) -> None:
    """Every parameter without a default is fed and every output that is taken exists, or this raises with all that is wrong."""
    for stage in project.config.stages:
        assert project.graph(stage).nodes


def test_what_the_graph_hands_in_is_what_the_templates_take(graph: Graph) -> None:
    """Settings, their defaults and literals lie within the patterns and values that the templates allow."""
    for each in graph.nodes.values():
        declared: dict[str, Any] = dict(each.template.document.get("Parameters", {}))
        for name, value in each.parameters.items():
            if isinstance(value, OutputRef):
                continue
            spec = declared[name]
            where = f"{each.id} {name}={value}"
            assert re.fullmatch(spec.get("AllowedPattern", ".*"), value), where
            assert value in [str(allowed) for allowed in spec.get("AllowedValues", [value])], where
            if spec["Type"] == "Number":
                assert spec.get("MinValue", 0) <= int(value) <= spec.get("MaxValue", 10**9), where


def test_what_needs_nothing_from_the_zone_begins_at_once(graph: Graph) -> None:
    """The certificate waits for DNS; the APIs and the buckets need not wait with it."""
    begin = {each.stack for each, needs in graph.edges().items() if not needs}
    assert begin == {"hosted-zone", "api", "code-bucket"}
    needed = {need.stack for each, needs in graph.edges().items() if each.stack == "lambda" for need in needs}
    assert needed == {"api", "code-bucket"}


def test_the_health_check_watches_the_primary_region_itself(graph: Graph, project: Project) -> None:
    """Its endpoint is the primary's own name, taken from that name's record; the friendly one follows the failover."""
    endpoint = node(graph, project, "health-check").parameters["EndpointDomainName"]
    assert endpoint == OutputRef(NodeId("regional-record", project.config.primary), "RecordName")
    record = node(graph, project, "regional-record")
    friendly = node(graph, project, "record-set").parameters["Name"]
    assert record.parameters["Name"] == f"{project.config.primary}.{friendly}"
    assert record.parameters["Failover"] == "NONE"


def test_the_friendly_name_is_a_failover_pair(graph: Graph, project: Project) -> None:
    """One name, each role once, told apart by region; the primary alone has the health check, each points to its own region."""
    primary, secondary = (node(graph, project, "record-set", role) for role in ("primary", "secondary"))
    assert primary.parameters["Name"] == secondary.parameters["Name"]
    assert (primary.parameters["Failover"], secondary.parameters["Failover"]) == ("PRIMARY", "SECONDARY")
    assert primary.parameters["SetIdentifier"] != secondary.parameters["SetIdentifier"]
    assert primary.parameters["HealthCheckId"] == OutputRef(NodeId("health-check", project.config.primary), "HealthCheckId")
    assert "HealthCheckId" not in secondary.parameters
    for each in (primary, secondary):
        assert each.parameters["TargetDomainName"] == OutputRef(NodeId("api-mapping", each.id.region), "TargetDomainName")


def test_the_certificate_names_both_of_the_region_s_domains(graph: Graph, project: Project) -> None:
    """They are the two that the mapping of the same region serves."""
    for role in ("primary", "secondary"):
        certificate, mapping = node(graph, project, "certificate", role), node(graph, project, "api-mapping", role)
        for name in ("DomainName", "RegionalDomainName"):
            assert certificate.parameters[name] == mapping.parameters[name]
        assert mapping.parameters["CertificateArn"] == OutputRef(certificate.id, "CertificateArn")


def test_the_guard_is_in_the_secondary_alone_and_nothing_waits_for_it(graph: Graph, project: Project) -> None:
    """It restores the primary when the primary's region is in trouble, and it is off the way to a deployment that answers."""
    [guard] = [each for each in graph.nodes.values() if each.id.stack == "drill-guard"]
    assert guard.id.region == project.config.secondary
    assert guard.parameters["FunctionName"] == OutputRef(NodeId("lambda", project.config.primary), "FunctionName")
    assert [each for each, needs in graph.edges().items() if guard.id in needs] == []


def test_a_change_of_a_method_makes_a_new_deployment_and_new_code_does_not(graph: Graph, project: Project) -> None:
    """A new snapshot reaches the stage; without need it would only cost time."""

    def deployments(changed: Project) -> set[str]:
        return {name for name in _resources(node(changed.graph(graph.stage), changed, "lambda")) if name.startswith("Deployment")}

    lambda_template = project.templates["lambda.yaml"]
    method = {"Type": "AWS::ApiGateway::Method", "Properties": {"HttpMethod": "OPTIONS"}}
    document = {**lambda_template.document, "Resources": {**lambda_template.document["Resources"], "Options": method}}
    with_method = replace(project, templates={**project.templates, "lambda.yaml": replace(lambda_template, document=document)})
    new_code = replace(project, packages={"function": build_package("function", {"handler.py": b"# new"})})
    [before] = deployments(project)
    assert deployments(with_method) != {before}
    assert deployments(new_code) == {before}


def test_what_is_sent_for_the_snapshot_is_a_valid_template(
    graph: Graph, project: Project, lint_faults: Callable[[str], list[str]]
) -> None:
    """After the renaming the stage still refers to the deployment, so cfn-lint finds nothing there either."""
    each = node(graph, project, "lambda")
    stage = _resources(each)["Stage"]["Properties"]
    assert stage["DeploymentId"]["Ref"] in _resources(each)
    body = render_body(each.document, "0" * 16, each.template.file)
    assert lint_faults(body) == []


def _resources(each: Node) -> dict[str, Any]:
    resources = each.document["Resources"]
    assert isinstance(resources, dict)
    return resources
