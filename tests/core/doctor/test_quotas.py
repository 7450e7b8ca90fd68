"""What the stages need of the quotas, and whether there is room for it."""

from collections.abc import Mapping

import pytest

from deploytool.core.doctor.finding import Status, Topic
from deploytool.core.doctor.quotas import (
    DOMAIN_NAMES,
    HEALTH_CHECKS,
    HOSTED_ZONES,
    Concurrency,
    Usage,
    in_region,
    judge_concurrency,
    judge_room,
    to_create,
)
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.template import parse_template
from deploytool.core.stacks.stack import Stack, StackStatus

EAST, WEST = "us-east-1", "us-west-2"
TOPIC = Topic("quota.x", "x")
NAMES = """
Parameters: {Alarm: {Type: String, Default: ''}, Zone: {Type: String}}
Conditions:
  HasAlarm: !Not [!Equals [!Ref Alarm, '']]
  HasZone: !Not [!Equals [!Ref Zone, '']]
Resources:
  Domain: {Type: 'AWS::ApiGateway::DomainName'}
  Other: {Type: 'AWS::ApiGatewayV2::DomainName'}
  Check: {Type: 'AWS::Route53::HealthCheck'}
  Never: {Type: 'AWS::Route53::HealthCheck', Condition: HasAlarm}
  Perhaps: {Type: 'AWS::Route53::HealthCheck', Condition: HasZone}
"""
ZONE = "Resources: {Zone: {Type: 'AWS::Route53::HostedZone'}}\nOutputs: {Id: {Value: !Ref Zone}}"


@pytest.fixture
def graph() -> Graph:
    """A zone, and in each region two domain names and up to three health checks."""
    config = parse_config(
        'project = "hello"\ndomain = "example.com"\nregions = ["us-east-1", "us-west-2"]\n'
        "[stages.dev]\n",
        "deploytool.toml",
    )
    text = (
        "stacks:\n"
        "  zone: {template: zone.yaml, scope: global}\n"
        "  names: {template: names.yaml, scope: regional, parameters: {Zone: {output: zone.Id}}}\n"
    )
    templates = {
        name: parse_template(body, name)
        for name, body in (("names.yaml", NAMES), ("zone.yaml", ZONE))
    }
    stage = config.stage("dev")
    return build_graph(config, stage, parse_graph_file(text, "stacks.yaml"), templates, {})


def stack(status: StackStatus) -> Stack:
    return Stack("name", "id", status, {})


def test_what_a_stage_will_create(graph: Graph) -> None:
    """A resource whose condition is false does not count, one whose condition is unknown does."""
    assert to_create(graph, {}, HOSTED_ZONES) == 1
    assert to_create(graph, {}, DOMAIN_NAMES, WEST) == in_region(graph, DOMAIN_NAMES, WEST) == 2
    assert to_create(graph, {}, HEALTH_CHECKS) == 4


@pytest.mark.parametrize(
    ("status", "count"),
    [
        (StackStatus.CREATE_COMPLETE, 0),
        (StackStatus.UPDATE_ROLLBACK_FAILED, 0),
        (StackStatus.ROLLBACK_COMPLETE, 2),
        (StackStatus.REVIEW_IN_PROGRESS, 2),
    ],
)
def test_what_exists_is_not_created_again(graph: Graph, status: StackStatus, count: int) -> None:
    """A stack that was rolled back has nothing."""
    deployed: Mapping[NodeId, Stack] = {NodeId("names", WEST): stack(status)}
    assert to_create(graph, deployed, DOMAIN_NAMES, WEST) == count


@pytest.mark.parametrize(
    ("used", "needed", "status"),
    [(118, 2, Status.OK), (120, 0, Status.OK), (119, 2, Status.PROBLEM)],
)
def test_the_room_in_a_quota(used: int, needed: int, status: Status) -> None:
    """What fits exactly, fits."""
    finding = judge_room(TOPIC, Usage(120, used), needed, "ask for more")
    assert finding.status is status
    assert f"{used} of 120 used" in finding.message


@pytest.mark.parametrize(
    ("own", "primary", "status"),
    [
        (Concurrency(1000, 900), None, Status.OK),
        (Concurrency(1000, 900), Concurrency(1000, 1000), Status.OK),
        # A new account, and one whose functions reserve nearly all
        (Concurrency(10, 10), None, Status.WARNING),
        (Concurrency(1000, 99), None, Status.WARNING),
        # The region that takes over has less than the one that fails
        (Concurrency(1000, 900), Concurrency(5000, 5000), Status.WARNING),
    ],
)
def test_concurrency(own: Concurrency, primary: Concurrency | None, status: Status) -> None:
    """The secondary needs as much as the primary, whose traffic it takes over."""
    finding = judge_concurrency(WEST, own, primary, 2)
    assert finding.status is status
    if primary and status is Status.WARNING:
        assert "--desired-value 5000 --region us-west-2" in finding.hint
