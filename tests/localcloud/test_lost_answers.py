"""Calls that change something, on a running cloud that loses the answer to each first attempt.

botocore repeats such a call, and AWS refuses the repetition because the first attempt was executed.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from benchmarks.faultproxy import Fault, Weather, fault_proxy
from deploytool.aws.apigateway import ApiGatewayMappings
from deploytool.aws.calls import CloudFormationCalls
from deploytool.aws.cloudformation import CloudFormation
from deploytool.aws.guard import SchedulerGuard
from deploytool.aws.parameters import ParameterLocks, SsmDrillRecords
from deploytool.aws.route53 import Route53HealthChecks, Route53Zones
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.core.drill.record import SCHEMA_VERSION, DrillRecord
from deploytool.core.service.service import DrillGuard
from deploytool.core.stacks.stack import StackRequest, StackStatus
from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY
from deploytool.localcloud.state import State
from deploytool.net.clock import RealClock
from tests.localcloud.conftest import Aws, Service, settled

REGION = "us-east-1"
TEMPLATE = '{{"Resources": {{"Note": {{"Type": "AWS::SSM::Parameter", "Properties": {{"Type": "String", "Value": "{value}"}}}}}}}}'


@dataclass(frozen=True)
class EveryFirstAnswerLost(Weather):
    """Executes each call at its first attempt, and answers the second."""

    attempts: Iterator[Fault | None] = field(
        default_factory=lambda: itertools.cycle((Fault.LOST, None))
    )

    def draw(self, random: Random) -> Fault | None:
        return next(self.attempts)


@pytest.fixture
def clients(cloud: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients that do not wait between attempts, in the weather of this module."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with fault_proxy(cloud.endpoint_url) as (proxy, url):
        clients = Clients(Endpoint(url, ACCESS_KEY, SECRET_KEY))
        with proxy.storm(EveryFirstAnswerLost("lost", {}), seed=1):
            yield clients
        assert proxy.counts[Fault.LOST]


def test_a_lease_and_a_drill_s_record_are_written_once(clients: Clients) -> None:
    """`make` says that the lease exists, and its text that it is ours."""
    locks = ParameterLocks(clients)
    assert locks.make(REGION, "/lost/deploy", "ours") is False
    assert locks.read(REGION, "/lost/deploy") == "ours"
    locks.remove(REGION, "/lost/deploy")
    assert locks.read(REGION, "/lost/deploy") is None

    records = SsmDrillRecords(clients, REGION, "/lost/drill")
    record = DrillRecord(SCHEMA_VERSION, "lost", "any", "dev", "a test", "", "", ())
    records.write(record)
    assert records.read() == record
    records.clear("lost")
    assert records.read() is None


def test_the_guard_is_armed_once(clients: Clients, aws: Aws) -> None:
    """EventBridge Scheduler knows the repetition by its ClientToken."""
    group = "lost"
    aws.client("scheduler").create_schedule_group(Name=group)
    role, function = "arn:aws:iam::000000000000:role/r", "arn:aws:lambda:us-east-1:1:function:f"
    guard = SchedulerGuard(clients, DrillGuard(REGION, function, role, group), lambda: 4e9)
    guard.arm("drill-lost", 600.0)
    listed = aws.client("scheduler").list_schedules(GroupName=group)["Schedules"]
    assert [schedule["Name"] for schedule in listed] == ["drill-lost"]
    guard.disarm("drill-lost")
    assert aws.client("scheduler").list_schedules(GroupName=group)["Schedules"] == []


def test_a_health_check_is_inverted_once(clients: Clients, aws: Aws) -> None:
    """The version that follows is that of this change."""
    route53 = aws.client("route53")
    created = route53.create_health_check(
        CallerReference="lost",
        HealthCheckConfig={"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 443},
    )["HealthCheck"]
    health_checks = Route53HealthChecks(clients)
    version = created["HealthCheckVersion"]
    changed = health_checks.set_inverted(created["Id"], inverted=True, version=version)
    assert (changed.version, changed.config.inverted) == (version + 1, True)
    route53.delete_health_check(HealthCheckId=created["Id"])


def test_a_zone_and_its_records_are_deleted_once(clients: Clients, aws: Aws) -> None:
    """They are gone at the second attempt, as they should be."""
    route53 = aws.client("route53")
    zone = route53.create_hosted_zone(Name="lost.example.org", CallerReference="lost")
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    validation = {
        "Name": "_x.lost.example.org",
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": "y.example.org"}],
    }
    changes = [{"Action": "CREATE", "ResourceRecordSet": validation}]
    route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})

    zones = Route53Zones(clients)
    records = zones.named(zone_id, "_x.lost.example.org")
    zones.remove(zone_id, records)
    assert zones.named(zone_id, "_x.lost.example.org") == []
    zones.delete(zone_id)
    assert zones.find("lost.example.org") == []


def test_a_mapping_is_deleted_and_created_once(
    clients: Clients, service: Service, cloud: State
) -> None:
    """The mapping that exists is the wanted one."""
    mappings = ApiGatewayMappings(clients)
    [mapping] = mappings.of(REGION, service.domain)
    mappings.delete(REGION, service.domain, mapping.base_path)
    assert mappings.of(REGION, service.domain) == []
    mappings.create(REGION, service.domain, mapping)
    assert mappings.of(REGION, service.domain) == [mapping]


def test_a_stack_is_updated_and_deleted_once(clients: Clients, aws: Aws) -> None:
    """The change set exists, and its execution has begun: events have the token of both."""
    aws.start_stack(
        "lost", {"Resources": {"Wait": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}
    )
    aws.outputs("lost")
    stacks = CloudFormation(CloudFormationCalls(clients, RealClock()))
    request = StackRequest("lost", TEMPLATE.format(value="new"), {}, {}, "deploytool-update-lost")
    stack_id = stacks.update(REGION, request)
    assert stack_id is not None
    aws.outputs("lost")
    assert stacks.get(REGION, stack_id).status is StackStatus.UPDATE_COMPLETE

    stacks.delete(REGION, stack_id, "deploytool-delete-lost")
    describe = aws.client("cloudformation").describe_stacks
    stack = settled(lambda: describe(StackName=stack_id)["Stacks"][0])
    assert stack["StackStatus"] == "DELETE_COMPLETE"
