"""The shipped graph: it holds together with the templates, and wires failover as Route 53 needs
it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef
from deploytool.core.project.package import build_package
from deploytool.core.project.template import render_body
from deploytool.files.project import Project


def node(graph: Graph, project: Project, stack: str, role: str = "primary") -> Node:
    """A stack in the region of a role."""
    return graph.nodes[
        NodeId(stack, project.config.primary if role == "primary" else project.config.secondary)
    ]


def test_every_stage_has_a_graph(project: Project) -> None:
    """Every parameter without a default is fed and every output that is taken exists, or this
    raises with all that is wrong.
    """
    for stage in project.config.stages:
        assert project.graph(stage).nodes


def test_what_the_graph_hands_in_is_what_the_templates_take(graph: Graph) -> None:
    """Settings, their defaults and literals lie within the patterns and values that the templates
    allow.
    """
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
    needed = {
        need.stack
        for each, needs in graph.edges().items()
        if each.stack == "lambda"
        for need in needs
    }
    assert needed == {"api", "code-bucket"}


def test_the_health_check_watches_the_primary_region_itself(graph: Graph, project: Project) -> None:
    """Its endpoint is the primary's own name, taken from that name's record; the friendly one
    follows the failover.
    """
    endpoint = node(graph, project, "health-check").parameters["EndpointDomainName"]
    assert endpoint == OutputRef(NodeId("regional-record", project.config.primary), "RecordName")
    record = node(graph, project, "regional-record")
    friendly = node(graph, project, "record-set").parameters["Name"]
    assert record.parameters["Name"] == f"{project.config.primary}.{friendly}"
    assert record.parameters["Failover"] == "NONE"


def test_the_friendly_name_is_a_failover_pair(graph: Graph, project: Project) -> None:
    """One name, each role once, told apart by region; the primary alone has the health check, each
    points to its own region.
    """
    primary, secondary = (
        node(graph, project, "record-set", role) for role in ("primary", "secondary")
    )
    assert primary.parameters["Name"] == secondary.parameters["Name"]
    assert (primary.parameters["Failover"], secondary.parameters["Failover"]) == (
        "PRIMARY",
        "SECONDARY",
    )
    assert primary.parameters["SetIdentifier"] != secondary.parameters["SetIdentifier"]
    assert primary.parameters["HealthCheckId"] == OutputRef(
        NodeId("health-check", project.config.primary), "HealthCheckId"
    )
    assert "HealthCheckId" not in secondary.parameters
    for each in (primary, secondary):
        assert each.parameters["TargetDomainName"] == OutputRef(
            NodeId("api-mapping", each.id.region), "TargetDomainName"
        )


def test_the_certificate_names_both_of_the_region_s_domains(graph: Graph, project: Project) -> None:
    """They are the two that the mapping of the same region serves."""
    for role in ("primary", "secondary"):
        certificate, mapping = (
            node(graph, project, "certificate", role),
            node(graph, project, "api-mapping", role),
        )
        for name in ("DomainName", "RegionalDomainName"):
            assert certificate.parameters[name] == mapping.parameters[name]
        assert mapping.parameters["CertificateArn"] == OutputRef(certificate.id, "CertificateArn")


def stage_graph(project: Project, settings: str, found: Mapping[str, str] | None = None) -> Graph:
    """The shipped graph for a stage with these settings, a TOML inline table."""
    text = f'project = "hello"\ndomain = "example.com"\nregions = ["us-east-1", "us-west-2"]\n[stages.dev]\nsettings = {settings}'
    return replace(project, config=parse_config(text, "deploytool.toml")).graph("dev", found)


def problem_of(project: Project, settings: str) -> InputProblem:
    with pytest.raises(InputError) as caught:
        stage_graph(project, settings)
    assert {problem.file for problem in caught.value.problems} == {"deploytool.toml"}
    return caught.value.problems[0]


def test_an_existing_zone_holds_the_records_and_is_no_stack(project: Project) -> None:
    """By its id, or looked up: then the graph is built again with what was found, and before that
    it is checked without.
    """
    given = stage_graph(project, '{ zone = "existing", hosted_zone_id = "Z0EXISTING" }')
    looked_up = stage_graph(project, '{ zone = "existing" }', {"hosted_zone_id": "Z0EXISTING"})
    for graph in (given, looked_up):
        assert "hosted-zone" not in {each.stack for each in graph.nodes}
        for stack in ("certificate", "regional-record", "record-set"):
            assert (
                graph.nodes[NodeId(stack, "us-west-2")].parameters["HostedZoneId"] == "Z0EXISTING"
            )
        assert graph.service["hosted_zone"] == "Z0EXISTING"
    assert stage_graph(project, '{ zone = "existing" }').nodes
    assert (
        problem_of(project, '{ zone = "existing", hosted_zone_id = "example.com" }').key
        == "stages.dev.settings.hosted_zone_id"
    )


def test_with_an_external_zone_nothing_touches_dns(project: Project) -> None:
    """No zone, no records, a certificate without a zone; the health check watches the region's own
    name.
    """
    graph = stage_graph(project, '{ zone = "external" }')
    assert {each.stack for each in graph.nodes} == {
        *(
            "api",
            "code-bucket",
            "certificate",
            "lambda",
            "api-mapping",
            "health-check",
            "drill-guard",
        )
    }
    assert "HostedZoneId" not in graph.nodes[NodeId("certificate", "us-east-1")].parameters
    endpoint = graph.nodes[NodeId("health-check", "us-east-1")].parameters["EndpointDomainName"]
    assert endpoint == OutputRef(NodeId("api-mapping", "us-east-1"), "RegionalDomainName")
    assert "hosted_zone" not in graph.service


def test_a_given_certificate_is_one_a_region(project: Project) -> None:
    """Then there is no certificate stack; without an ARN, or with none of a certificate, the problem
    names the setting.
    """
    arn = "arn:aws:acm:{}:123456789012:certificate/1"
    arns = ", ".join(f'{region} = "{arn.format(region)}"' for region in ("us-east-1", "us-west-2"))
    graph = stage_graph(project, f'{{ certificate = "given", certificate_arn = {{ {arns} }} }}')
    assert "certificate" not in {each.stack for each in graph.nodes}
    assert graph.nodes[NodeId("api-mapping", "us-west-2")].parameters[
        "CertificateArn"
    ] == arn.format("us-west-2")
    missing = problem_of(project, '{ certificate = "given" }')
    assert missing.key == "stages.dev.settings.certificate_arn"
    assert "has no value: must be the ARN of an ACM certificate" in missing.message
    wrong = '{ certificate = "given", certificate_arn = { us-east-1 = "x", us-west-2 = "y" } }'
    assert problem_of(project, wrong).key == "stages.dev.settings.certificate_arn"


def test_a_vpc_is_there_only_for_a_stage_that_asks_for_it(project: Project, graph: Graph) -> None:
    """Then the function of each region is attached to that region's subnets."""
    assert "network" not in {each.stack for each in graph.nodes}
    assert "SubnetIds" not in node(graph, project, "lambda").parameters
    in_vpc = stage_graph(project, "{ vpc = true }").nodes[NodeId("lambda", "us-west-2")].parameters
    assert in_vpc["SubnetIds"] == OutputRef(NodeId("network", "us-west-2"), "SubnetIds")
    assert in_vpc["SecurityGroupIds"] == OutputRef(
        NodeId("network", "us-west-2"), "SecurityGroupId"
    )


def test_an_http_endpoint_takes_the_function_s_place(project: Project) -> None:
    """There is no function of ours. Each region has its own URL, and a changed URL makes a new
    deployment of the API. The bucket stays: it holds the guard's code.
    """
    graph = stage_graph(
        project,
        '{ integration = "http", integration_url = "https://{region}.backend.example.com/v1" }',
    )
    stacks = {node_id.stack for node_id in graph.nodes}
    assert "lambda" not in stacks
    assert "code-bucket" in stacks
    west = graph.nodes[NodeId("integration-http", "us-west-2")]
    assert west.parameters["Url"] == "https://us-west-2.backend.example.com/v1"
    assert graph.nodes[NodeId("api-mapping", "us-west-2")].parameters["StageName"] == OutputRef(
        west.id, "StageName"
    )
    other = stage_graph(
        project, '{ integration = "http", integration_url = "https://other.example.com/v1" }'
    )
    assert _resources(other.nodes[west.id]).keys() != _resources(west).keys()
    assert (
        problem_of(project, '{ integration = "http" }').key == "stages.dev.settings.integration_url"
    )


def test_the_guard_is_in_the_secondary_alone_and_nothing_waits_for_it(
    graph: Graph, project: Project
) -> None:
    """It restores the primary when the primary's region is in trouble, and it is off the way to a
    deployment that answers.
    """
    [guard] = [each for each in graph.nodes.values() if each.id.stack == "drill-guard"]
    assert guard.id.region == project.config.secondary
    assert guard.parameters["FunctionName"] == OutputRef(
        NodeId("lambda", project.config.primary), "FunctionName"
    )
    assert [each for each, needs in graph.edges().items() if guard.id in needs] == []


def test_a_change_of_a_method_makes_a_new_deployment_and_new_code_does_not(
    graph: Graph, project: Project
) -> None:
    """A new snapshot reaches the stage; without need it would only cost time."""

    def deployments(changed: Project) -> set[str]:
        return {
            name
            for name in _resources(node(changed.graph(graph.stage), changed, "lambda"))
            if name.startswith("Deployment")
        }

    lambda_template = project.templates["lambda.yaml"]
    method = {"Type": "AWS::ApiGateway::Method", "Properties": {"HttpMethod": "OPTIONS"}}
    document = {
        **lambda_template.document,
        "Resources": {**lambda_template.document["Resources"], "Options": method},
    }
    with_method = replace(
        project,
        templates={**project.templates, "lambda.yaml": replace(lambda_template, document=document)},
    )
    new_code = replace(
        project,
        packages={
            **project.packages,
            "function": build_package("function", {"handler.py": b"# new"}),
        },
    )
    [before] = deployments(project)
    assert deployments(with_method) != {before}
    assert deployments(new_code) == {before}


def test_what_is_sent_for_the_snapshot_is_a_valid_template(
    graph: Graph, project: Project, lint_problems: Callable[[str], list[str]]
) -> None:
    """After the renaming the stage still refers to the deployment, so cfn-lint finds nothing there
    either.
    """
    each = node(graph, project, "lambda")
    stage = _resources(each)["Stage"]["Properties"]
    assert stage["DeploymentId"]["Ref"] in _resources(each)
    body = render_body(each.document, "0" * 16, each.template.file)
    assert lint_problems(body) == []


def _resources(each: Node) -> dict[str, Any]:
    resources = each.document["Resources"]
    assert isinstance(resources, dict)
    return resources
