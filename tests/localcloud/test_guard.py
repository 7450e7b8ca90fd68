"""A drill's record and guard on a running cloud, with deploytool's adapters.

The guard undoes what a killed drill left, without any process of deploytool.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploytool.aws.apigateway import ApiGatewayMappings
from deploytool.aws.guard import SchedulerGuard
from deploytool.aws.lambdas import LambdaFunctions
from deploytool.aws.parameters import SsmDrillRecords
from deploytool.aws.route53 import Route53HealthChecks
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.core.drill.record import (
    SCHEMA_VERSION,
    DrillRecord,
    DrillUnderWay,
    RestoreConcurrency,
    RestoreHealthCheck,
    RestoreMapping,
    UndoStep,
    record_name,
)
from deploytool.core.project.package import build_package
from deploytool.core.project.template import load_yaml
from deploytool.core.service.service import DrillGuard
from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY

PRIMARY, SECONDARY = "us-east-1", "us-west-2"
ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "infra" / "drill-guard.yaml"
SOURCE = ROOT / "lambda" / "drill_guard" / "guard.py"
CHECK = {
    "Type": "HTTPS",
    "FullyQualifiedDomainName": "nowhere.example.net",
    "ResourcePath": "/v1",
    "Port": 443,
}


def record(drill_id: str, *undo: UndoStep) -> DrillRecord:
    """A drill's record."""
    return DrillRecord(
        SCHEMA_VERSION,
        drill_id,
        "any",
        "dev",
        "a test",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:14:05Z",
        undo,
    )


@pytest.fixture(scope="module")
def clients(cloud: Any) -> Clients:
    return Clients(Endpoint(cloud.endpoint_url, ACCESS_KEY, SECRET_KEY))


@pytest.fixture(scope="module")
def function_name(aws: Any, service: Any) -> str:
    """The function behind the service in the primary region."""
    resource = aws.client("cloudformation").describe_stack_resource(
        StackName="service", LogicalResourceId="Function"
    )
    return str(resource["StackResourceDetail"]["PhysicalResourceId"])


@pytest.fixture(scope="module")
def health_check_id(aws: Any) -> str:
    created = aws.client("route53").create_health_check(
        CallerReference=str(uuid.uuid4()), HealthCheckConfig=CHECK
    )
    return str(created["HealthCheck"]["Id"])


@pytest.fixture(scope="module")
def guard(
    aws: Any, clients: Clients, service: Any, function_name: str, health_check_id: str
) -> SchedulerGuard:
    """The guard of the service, from the shipped template."""
    template = load_yaml(TEMPLATE.read_text(encoding="utf-8"), TEMPLATE.name)
    package = build_package("drill-guard", {"guard.py": SOURCE.read_bytes()})
    bucket = "guarded-dev-code"
    storage = aws.client("s3", SECONDARY)
    location = {"LocationConstraint": SECONDARY}
    storage.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
    storage.put_object(Bucket=bucket, Key=package.key, Body=package.data)

    parameters = {
        "CodeBucket": bucket,
        "CodeKey": package.key,
        "Project": "guarded",
        "Stage": "dev",
        "PrimaryRegion": PRIMARY,
        "DomainName": service.domain,
        "FunctionName": function_name,
        "HealthCheckId": health_check_id,
        "LogRetentionDays": "1",
    }
    outputs = aws.create_stack("guarded-dev-drill-guard", template, SECONDARY, **parameters)
    deployed = DrillGuard(
        SECONDARY, outputs["FunctionArn"], outputs["SchedulerRoleArn"], outputs["ScheduleGroup"]
    )
    return SchedulerGuard(clients, deployed, time.time)


@pytest.fixture
def records(clients: Clients) -> Iterator[SsmDrillRecords]:
    """The record of the guarded stage, which is deleted at the end."""
    records = SsmDrillRecords(clients, SECONDARY, record_name("guarded", "dev"))
    yield records
    remaining = records.read()
    if remaining:
        records.clear(remaining.drill_id)


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition is true. Fails when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_of_two_drills_one_is_refused(records: SsmDrillRecords) -> None:
    """A second drill is refused with the record of the first, which only the first can clear.

    Writing the same record again is not a second drill.
    """
    first, second = record("one", RestoreHealthCheck("abc", inverted=False)), record("two")
    assert records.read() is None
    records.write(first)
    records.write(first)
    with pytest.raises(DrillUnderWay) as caught:
        records.write(second)
    assert caught.value.record == records.read() == first
    records.clear("two")
    assert records.read() == first
    records.clear("one")
    records.clear("one")
    assert records.read() is None
    records.write(second)


def test_a_throttled_function_fails_and_an_unreserved_one_does_not(
    clients: Clients, service: Any, function_name: str, cloud: Any, get: Callable[..., Any]
) -> None:
    """Without reserved concurrency the API answers 500, and 200 once the limit is removed."""
    functions = LambdaFunctions(clients)
    assert functions.reserved_concurrency(PRIMARY, function_name) is None
    functions.set_reserved_concurrency(PRIMARY, function_name, 0)
    try:
        assert functions.reserved_concurrency(PRIMARY, function_name) == 0
        assert get(service.domain, cloud.regions[PRIMARY]).status == 500
    finally:
        functions.set_reserved_concurrency(PRIMARY, function_name, None)
    assert functions.reserved_concurrency(PRIMARY, function_name) is None
    assert get(service.domain, cloud.regions[PRIMARY]).status == 200


def test_a_mapping_can_be_removed_and_created_again(
    clients: Clients, service: Any, cloud: Any, get: Callable[..., Any]
) -> None:
    """The domain serves nothing in between, and the other region does not change.

    Both operations can be repeated.
    """
    mappings = ApiGatewayMappings(clients)
    [mapping] = mappings.of(PRIMARY, service.domain)
    assert (mapping.base_path, mapping.stage) == ("(none)", "live")
    for _ in range(2):
        mappings.delete(PRIMARY, service.domain, mapping.base_path)
    assert mappings.of(PRIMARY, service.domain) == []
    assert get(service.domain, cloud.regions[PRIMARY]).status == 403
    assert len(mappings.of(SECONDARY, service.domain)) == 1
    for _ in range(2):
        mappings.create(PRIMARY, service.domain, mapping)
    assert mappings.of(PRIMARY, service.domain) == [mapping]
    assert get(service.domain, cloud.regions[PRIMARY]).status == 200


def test_the_guard_undoes_what_a_killed_drill_left(
    clients: Clients,
    service: Any,
    function_name: str,
    health_check_id: str,
    guard: SchedulerGuard,
    records: SsmDrillRecords,
) -> None:
    """The guard alone restores health check, concurrency and mapping, and deletes the record."""
    health_checks = Route53HealthChecks(clients)
    functions = LambdaFunctions(clients)
    mappings = ApiGatewayMappings(clients)
    before = health_checks.get(health_check_id)
    [mapping] = mappings.of(PRIMARY, service.domain)
    undo = (
        RestoreHealthCheck(health_check_id, inverted=before.config.inverted),
        RestoreConcurrency(PRIMARY, function_name, None),
        RestoreMapping(
            PRIMARY, service.domain, mapping.base_path, mapping.rest_api_id, mapping.stage
        ),
    )
    records.write(record("dead", *undo))
    guard.arm("dead", 2)
    health_checks.set_inverted(health_check_id, inverted=True, version=before.version)
    functions.set_reserved_concurrency(PRIMARY, function_name, 0)
    mappings.delete(PRIMARY, service.domain, mapping.base_path)
    wait_until(lambda: records.read() is None, 30)
    assert health_checks.get(health_check_id).config == before.config
    assert functions.reserved_concurrency(PRIMARY, function_name) is None
    assert mappings.of(PRIMARY, service.domain) == [mapping]


def test_a_disarmed_guard_does_nothing(
    aws: Any,
    guard: SchedulerGuard,
    records: SsmDrillRecords,
    clients: Clients,
    health_check_id: str,
) -> None:
    """Its record stays although it is due; another schedule of that time has fired by then."""
    records.write(record("over", RestoreHealthCheck(health_check_id, inverted=False)))
    guard.arm("over", 1)
    guard.disarm("over")
    guard.disarm("over")
    guard.arm("later", 1)
    schedules = aws.client("scheduler", SECONDARY)
    wait_until(
        lambda: not schedules.list_schedules(GroupName="guarded-dev-drill-guard")["Schedules"], 30
    )
    left = records.read()
    assert left is not None
    assert left.drill_id == "over"
