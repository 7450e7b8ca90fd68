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
from deploytool.core.stacks.ownership import own_tags
from deploytool.core.stacks.rollout import conflicts
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.files.project import Project


def node_of(graph: Graph, project: Project, stack: str, role: str = "primary") -> Node:
    """Return a stack in the region of a role."""
    return graph.nodes[
        NodeId(stack, project.config.primary if role == "primary" else project.config.secondary)
    ]


def test_every_stage_has_a_graph(project: Project) -> None:
    """Building the graph raises InputError when a value or an output is missing."""
    for stage in project.config.stages:
        assert project.graph(stage).nodes


def test_the_templates_allow_the_values_of_the_graph(graph: Graph) -> None:
    """Settings, their defaults and literals match the patterns and values of the templates."""
    for node in graph.nodes.values():
        declared: dict[str, Any] = dict(node.template.document.get("Parameters", {}))
        for name, value in node.parameters.items():
            if isinstance(value, OutputRef):
                continue
            spec = declared[name]
            where = f"{node.id} {name}={value}"
            assert re.fullmatch(spec.get("AllowedPattern", ".*"), value), where
            assert value in [str(allowed) for allowed in spec.get("AllowedValues", [value])], where
            if spec["Type"] == "Number":
                assert spec.get("MinValue", 0) <= int(value) <= spec.get("MaxValue", 10**9), where


def test_stacks_that_need_nothing_from_the_zone_start_at_once(graph: Graph) -> None:
    """The certificate waits for DNS; the APIs and the buckets do not."""
    starting = {node_id.stack for node_id, needs in graph.edges().items() if not needs}
    assert starting == {"hosted-zone", "api", "code-bucket"}
    needed = {
        need.stack
        for node_id, needs in graph.edges().items()
        if node_id.stack == "lambda"
        for need in needs
    }
    assert needed == {"api", "code-bucket"}


def test_the_health_check_watches_the_primary_region_itself(graph: Graph, project: Project) -> None:
    """Its endpoint is the primary's own name, because the friendly name follows the failover."""
    endpoint = node_of(graph, project, "health-check").parameters["EndpointDomainName"]
    assert endpoint == OutputRef(NodeId("regional-record", project.config.primary), "RecordName")
    record = node_of(graph, project, "regional-record")
    friendly = node_of(graph, project, "record-set").parameters["Name"]
    assert record.parameters["Name"] == f"{project.config.primary}.{friendly}"
    assert record.parameters["Failover"] == "NONE"


def test_the_friendly_name_is_a_failover_pair(graph: Graph, project: Project) -> None:
    """Two record sets have one name, and each points to its own region.

    Only that of the primary has a health check, the calculated one.
    """
    primary, secondary = (
        node_of(graph, project, "record-set", role) for role in ("primary", "secondary")
    )
    assert primary.parameters["Name"] == secondary.parameters["Name"]
    assert (primary.parameters["Failover"], secondary.parameters["Failover"]) == (
        "PRIMARY",
        "SECONDARY",
    )
    assert primary.parameters["SetIdentifier"] != secondary.parameters["SetIdentifier"]
    assert primary.parameters["HealthCheckId"] == OutputRef(
        NodeId("failover-check", project.config.primary), "FailoverHealthCheckId"
    )
    assert "HealthCheckId" not in secondary.parameters
    for node in (primary, secondary):
        assert node.parameters["TargetDomainName"] == OutputRef(
            NodeId("api-mapping", node.id.region), "TargetDomainName"
        )


def test_the_calculated_health_check_takes_the_endpoint_s_and_the_switch_s(
    graph: Graph, project: Project
) -> None:
    """The alarm is in the secondary region, and so is the function."""
    switch = node_of(graph, project, "switch", "secondary")
    parameters = node_of(graph, project, "failover-check").parameters
    assert parameters["EndpointHealthCheckId"] == OutputRef(
        NodeId("health-check", project.config.primary), "HealthCheckId"
    )
    assert parameters["SwitchAlarmName"] == OutputRef(switch.id, "AlarmName")
    assert parameters["SwitchAlarmRegion"] == project.config.secondary
    assert [parameters[f"Alarm{number}"] for number in range(1, 6)] == [""] * 5


def test_a_stage_names_its_alarms_its_topic_and_its_failback(project: Project) -> None:
    """What Route 53 or the switch does not take is a problem of the setting."""
    alarm = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"
    topic = "arn:aws:sns:us-west-2:123456789012:alerts"
    graph = stage_graph(
        project, f'{{ alarms = ["{alarm}", "{alarm}2"], notify = "{topic}", failback = "manual" }}'
    )
    check = graph.nodes[NodeId("failover-check", "us-east-1")].parameters
    assert [check[f"Alarm{number}"] for number in range(1, 4)] == [alarm, f"{alarm}2", ""]
    switch = graph.nodes[NodeId("switch", "us-west-2")].parameters
    assert (switch["Failback"], switch["NotifyTopic"]) == ("manual", topic)

    for settings, key, message in (
        ('{ alarms = ["errors"] }', "alarms", "must be the ARN of an alarm"),
        (
            f'{{ alarms = ["{alarm.replace("us-east-1", "us-east-9")}"] }}',
            "alarms",
            "Route 53 takes",
        ),
        (f"{{ alarms = {[alarm + str(n) for n in range(6)]} }}", "alarms", "it may have 5 at most"),
        ('{ notify = "alerts" }', "notify", "must be the ARN of a standard SNS topic"),
        ('{ notify = "arn:aws:sns:us-east-1:123456789012:a" }', "notify", "the secondary region"),
        ('{ failback = "never" }', "failback", "is none of automatic, manual"),
    ):
        problem = problem_of(project, settings)
        assert problem.key == f"stages.dev.settings.{key}"
        assert message in problem.message


def test_a_stage_chooses_its_checkers_and_what_they_look_for(project: Project) -> None:
    """Three regions are the fewest that Route 53 takes."""
    chosen = '["us-east-1", "eu-west-1", "us-west-2"]'
    graph = stage_graph(project, f'{{ checker_regions = {chosen}, search_string = "ok" }}')
    parameters = graph.nodes[NodeId("health-check", "us-east-1")].parameters
    assert parameters["CheckerRegions"] == "us-east-1,eu-west-1,us-west-2"
    assert parameters["SearchString"] == "ok"
    for settings, key, message in (
        ('{ checker_regions = ["us-east-1", "eu-west-1"] }', "checker_regions", "at least 3"),
        (
            '{ checker_regions = ["eu-west-2", "us-east-1", "us-west-1"] }',
            "checker_regions",
            "is none of",
        ),
        (f'{{ search_string = "{"a" * 256}" }}', "search_string", "at most 255 characters"),
    ):
        problem = problem_of(project, settings)
        assert problem.key == f"stages.dev.settings.{key}"
        assert message in problem.message


def test_the_certificate_names_both_of_the_region_s_domains(graph: Graph, project: Project) -> None:
    """They are the two names that the API mapping of the same region serves."""
    for role in ("primary", "secondary"):
        certificate, mapping = (
            node_of(graph, project, "certificate", role),
            node_of(graph, project, "api-mapping", role),
        )
        for name in ("DomainName", "RegionalDomainName"):
            assert certificate.parameters[name] == mapping.parameters[name]
        assert mapping.parameters["CertificateArn"] == OutputRef(certificate.id, "CertificateArn")


def stage_graph(
    project: Project, settings: str, looked_up: Mapping[str, str] | None = None
) -> Graph:
    """Return the shipped graph for a stage with these settings, a TOML inline table."""
    text = f'project = "hello"\ndomain = "example.com"\nregions = ["us-east-1", "us-west-2"]\n[stages.dev]\nsettings = {settings}'
    return replace(project, config=parse_config(text, "deploytool.toml")).graph("dev", looked_up)


def problem_of(project: Project, settings: str) -> InputProblem:
    with pytest.raises(InputError) as caught:
        stage_graph(project, settings)
    assert {problem.file for problem in caught.value.problems} == {"deploytool.toml"}
    return caught.value.problems[0]


def test_an_existing_zone_has_the_records_and_is_no_stack(project: Project) -> None:
    """The zone is given by its id, or looked up.

    The graph is built without the result of the lookup first, and once more with it.
    """
    given = stage_graph(project, '{ zone = "existing", hosted_zone_id = "Z0EXISTING" }')
    looked_up = stage_graph(project, '{ zone = "existing" }', {"hosted_zone_id": "Z0EXISTING"})
    for graph in (given, looked_up):
        assert "hosted-zone" not in {node_id.stack for node_id in graph.nodes}
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
    """There is no zone and no record, and the certificate has no zone.

    The health check watches the region's own name of API Gateway.
    """
    graph = stage_graph(project, '{ zone = "external" }')
    assert {node_id.stack for node_id in graph.nodes} == {
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


def test_a_given_certificate_has_an_arn_for_each_region(project: Project) -> None:
    """There is no certificate stack then, and a bad or missing ARN is a problem of the setting."""
    arn = "arn:aws:acm:{}:123456789012:certificate/1"
    arns = ", ".join(f'{region} = "{arn.format(region)}"' for region in ("us-east-1", "us-west-2"))
    graph = stage_graph(project, f'{{ certificate = "given", certificate_arn = {{ {arns} }} }}')
    assert "certificate" not in {node_id.stack for node_id in graph.nodes}
    assert graph.nodes[NodeId("api-mapping", "us-west-2")].parameters[
        "CertificateArn"
    ] == arn.format("us-west-2")
    missing = problem_of(project, '{ certificate = "given" }')
    assert missing.key == "stages.dev.settings.certificate_arn"
    assert "has no value: must be the ARN of an ACM certificate" in missing.message
    wrong = '{ certificate = "given", certificate_arn = { us-east-1 = "x", us-west-2 = "y" } }'
    assert problem_of(project, wrong).key == "stages.dev.settings.certificate_arn"


def test_only_a_stage_that_asks_for_a_vpc_has_one(project: Project, graph: Graph) -> None:
    """The function of each region is attached to the subnets of that region."""
    assert "network" not in {node_id.stack for node_id in graph.nodes}
    assert "SubnetIds" not in node_of(graph, project, "lambda").parameters
    in_vpc = stage_graph(project, "{ vpc = true }").nodes[NodeId("lambda", "us-west-2")].parameters
    assert in_vpc["SubnetIds"] == OutputRef(NodeId("network", "us-west-2"), "SubnetIds")
    assert in_vpc["SecurityGroupIds"] == OutputRef(
        NodeId("network", "us-west-2"), "SecurityGroupId"
    )


def test_an_http_endpoint_replaces_the_function(project: Project) -> None:
    """Each region has its own URL, and a changed URL makes a new deployment of the API.

    The stage has no API function, and the bucket stays because it stores the guard's code.
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


def test_an_http_api_replaces_the_rest_api(project: Project) -> None:
    """Only the API and its domain names are other stacks; the function's stack takes the API."""
    rest = stage_graph(project, "{ }")
    http = stage_graph(project, '{ api = "http" }')
    stacks = {node_id.stack for node_id in http.nodes}
    assert stacks ^ {node_id.stack for node_id in rest.nodes} == {
        "api",
        "api-mapping",
        "http-api",
        "http-api-mapping",
    }
    assert {"http-api", "http-api-mapping"} < stacks

    west = NodeId("lambda", "us-west-2")
    api = OutputRef(NodeId("http-api", "us-west-2"), "HttpApiId")
    assert http.nodes[west].parameters["HttpApiId"] == api
    assert "RestApiId" not in http.nodes[west].parameters
    assert "HttpApiId" not in rest.nodes[west].parameters
    assert http.regional_service["http_api"]["us-west-2"] == api
    assert http.regional_service["rest_api"] == {}
    dualstack = stage_graph(project, '{ api = "http", ip_address_type = "dualstack" }')
    mapping = dualstack.nodes[NodeId("http-api-mapping", "us-west-2")]
    assert mapping.parameters["IpAddressType"] == "dualstack"
    endpoint = (
        '{ api = "http", integration = "http", integration_url = "https://b.example.com/v1" }'
    )
    backend = stage_graph(project, endpoint).nodes[NodeId("integration-http", "us-west-2")]
    assert backend.parameters["HttpApiId"] == api


def test_another_kind_of_api_is_refused_while_the_domain_name_exists(project: Project) -> None:
    """The custom domain name belongs to version 1 or 2 of API Gateway; AWS has one of a name.

    It is refused for every selection of stacks in the region: the function's stack alone would put
    its API out of the deployed one. A region is free once its domain names are deleted.
    """
    rest = stage_graph(project, "{ }")
    http = stage_graph(project, '{ api = "http" }')
    deployed = {
        node.id: Stack(
            node.stack_name,
            node.stack_name,
            StackStatus.CREATE_COMPLETE,
            {},
            tags=own_tags(http, node),
        )
        for node in rest.nodes.values()
    }

    def found(chosen: Callable[[NodeId], bool]) -> set[tuple[NodeId, NodeId, str]]:
        return {
            (conflict.wanted, conflict.existing, conflict.both_create)
            for conflict in conflicts(http, deployed, chosen)
        }

    east = (
        NodeId("http-api-mapping", "us-east-1"),
        NodeId("api-mapping", "us-east-1"),
        "the custom domain name dev.example.com",
    )
    assert len(found(lambda _: True)) == 2
    assert found(lambda node: node == NodeId("lambda", "us-east-1")) == {east}
    assert found(lambda node: node.region == "us-east-1") == {east}

    del deployed[NodeId("api-mapping", "us-east-1")]
    assert found(lambda node: node.region == "us-east-1") == set()


def test_the_guard_is_only_in_the_secondary_and_no_stack_waits_for_it(
    graph: Graph, project: Project
) -> None:
    """It restores the primary when the primary's region has failed.

    A deployment that answers does not wait for it.
    """
    [guard] = [node for node in graph.nodes.values() if node.id.stack == "drill-guard"]
    assert guard.id.region == project.config.secondary
    assert guard.parameters["FunctionName"] == OutputRef(
        NodeId("lambda", project.config.primary), "FunctionName"
    )
    assert [node_id for node_id, needs in graph.edges().items() if guard.id in needs] == []


def test_a_change_of_a_method_makes_a_new_deployment_and_new_code_does_not(
    graph: Graph, project: Project
) -> None:
    """The stage serves a changed method only after a new deployment."""

    def deployments(changed: Project) -> set[str]:
        return {
            name
            for name in _resources(node_of(changed.graph(graph.stage), changed, "lambda"))
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


def test_the_body_with_the_renamed_snapshot_is_a_valid_template(
    graph: Graph, project: Project, lint_problems: Callable[[str], list[str]]
) -> None:
    """The stage refers to the renamed deployment, and cfn-lint finds no problem."""
    node = node_of(graph, project, "lambda")
    stage = _resources(node)["Stage"]["Properties"]
    assert stage["DeploymentId"]["Ref"] in _resources(node)
    body = render_body(node.document, "0" * 16, node.template.file)
    assert lint_problems(body) == []


def _resources(node: Node) -> dict[str, Any]:
    resources = node.document["Resources"]
    assert isinstance(resources, dict)
    return resources
