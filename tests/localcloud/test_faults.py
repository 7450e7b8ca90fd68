"""A broken region as clients, health checkers and the event log see it, at 20 times real time."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploytool.localcloud.control.client import ControlClient

EAST, WEST = "127.0.0.11", "127.0.0.12"
REGION = "us-east-1"
CHECKERS = 11
BOUND = 15.0  # wall seconds: three intervals and limits take less than 5


@pytest.fixture(scope="module")
def check(aws: Any, service: Any) -> Iterator[str]:
    """A health check of the primary's own domain, with a threshold of two.

    One check may fail on a busy machine.
    """
    route53 = aws.client("route53")
    settings = {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": f"{REGION}.{service.domain}",
        "ResourcePath": "/v1",
        "RequestInterval": 10,
        "FailureThreshold": 2,
    }
    health_check_id = route53.create_health_check(
        CallerReference="faults", HealthCheckConfig=settings
    )["HealthCheck"]["Id"]
    target = {
        key: service.regions[REGION][f"Regional{key}"]
        for key in ("RegionalDomainName", "RegionalHostedZoneId")
    }
    alias = {
        "DNSName": target["RegionalDomainName"],
        "HostedZoneId": target["RegionalHostedZoneId"],
        "EvaluateTargetHealth": False,
    }
    record = {"Name": settings["FullyQualifiedDomainName"], "Type": "A", "AliasTarget": alias}

    def change(action: str) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=service.zone_id, ChangeBatch=batch)

    change("CREATE")
    yield health_check_id
    route53.delete_health_check(HealthCheckId=health_check_id)
    change("DELETE")


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition. Each poll is a request, so the cloud gets its turn."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < BOUND


def all_checkers(cloud: Any, check: str, *, healthy: bool) -> bool:
    """Whether every checker has that opinion."""
    verdict = ControlClient(cloud).status().health_checks[check]
    return (verdict.checkers, verdict.checkers_healthy) == (
        CHECKERS,
        CHECKERS if healthy else 0,
    )


def reasons(aws: Any, check: str) -> set[str]:
    """Why the last failed check of each checker failed."""
    observations = aws.client("route53").get_health_check_last_failure_reason(HealthCheckId=check)[
        "HealthCheckObservations"
    ]
    return {observation["StatusReport"]["Status"] for observation in observations}


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("refusing", "Connection refused"),
        ("blackholed", "could not establish a connection within the timeout limit"),
        ("slow", "no HTTP status within the timeout limit"),
        ("failing", "503"),
    ],
)
def test_checkers_find_each_condition(
    cloud: Any, aws: Any, check: str, condition: str, reason: str
) -> None:
    """Every checker detects the condition and its end, and the event log dates both."""
    until(lambda: all_checkers(cloud, check, healthy=True))
    before = {name: len(log) for name, log in ControlClient(cloud).event_log().items()}
    broken = time.monotonic()
    ControlClient(cloud).set_condition(REGION, condition)
    try:
        until(lambda: all_checkers(cloud, check, healthy=False))
    finally:
        fixed = time.monotonic()
        ControlClient(cloud).set_condition(REGION, "serving")
    # Not all of them: a check that was under way may end differently.
    assert any(reason in text for text in reasons(aws, check))
    until(lambda: all_checkers(cloud, check, healthy=True))
    over = time.monotonic()

    events = {name: log[before[name] :] for name, log in ControlClient(cloud).event_log().items()}
    assert [
        (edge["region"], edge["old"]["condition"], edge["new"]["condition"])
        for edge in events["edges"]
    ] == [
        (REGION, "serving", condition),
        (REGION, condition, "serving"),
    ]
    verdicts = [event for event in events["verdicts"] if event["health_check_id"] == check]
    assert [verdict["healthy"] for verdict in verdicts] == [False, True]
    edge_broken, detected, edge_fixed, recovered = (
        event["monotonic"]
        for event in (events["edges"][0], verdicts[0], events["edges"][1], verdicts[1])
    )
    assert broken <= edge_broken <= detected <= fixed <= edge_fixed <= recovered <= over
    seconds = verdicts[1]["at"] - verdicts[0]["at"]
    assert seconds == pytest.approx((recovered - detected) * cloud.speed)


def test_inverting_turns_the_verdict_at_once(cloud: Any, aws: Any, check: str) -> None:
    """The event log has the change once the API has answered, not at the next poll."""
    until(lambda: all_checkers(cloud, check, healthy=True))
    began, before = time.monotonic(), len(ControlClient(cloud).event_log()["verdicts"])
    route53 = aws.client("route53")
    for inverted in (True, False):
        route53.update_health_check(HealthCheckId=check, Inverted=inverted)
        verdict = ControlClient(cloud).event_log()["verdicts"][-1]
        assert (verdict["health_check_id"], verdict["healthy"]) == (check, not inverted)
        assert began <= verdict["monotonic"] <= time.monotonic()
    assert len(ControlClient(cloud).event_log()["verdicts"]) == before + 2


def test_throttled_function(cloud: Any, aws: Any, service: Any, get: Any, check: str) -> None:
    """With reserved concurrency 0 clients get API Gateway's 500 and the health check fails.

    Deleting the setting restores both.
    """
    functions = aws.client("lambda", REGION)
    name = service.regions[REGION]["FunctionName"]
    until(lambda: all_checkers(cloud, check, healthy=True))
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        reply = get(service.domain, EAST)
        assert (reply.status, json.loads(reply.body)) == (500, {"message": "Internal server error"})
        assert reply.headers["x-amzn-errortype"] == "InternalServerErrorException"
        assert get(service.domain, WEST).status == 200
        until(lambda: all_checkers(cloud, check, healthy=False))
        assert all("500" in text for text in reasons(aws, check))
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(
        FunctionName=name
    )
    assert get(service.domain, EAST).status == 200
    until(lambda: all_checkers(cloud, check, healthy=True))


def test_failed_function(service: Any, get: Any) -> None:
    """A function that raises is a 502 that does not show the exception."""
    reply = get(service.domain, EAST, "/v1?fail=1")
    assert (reply.status, json.loads(reply.body)) == (502, {"message": "Internal server error"})
    assert reply.headers["x-amzn-errortype"] == "InternalServerErrorException"


@pytest.mark.parametrize("output", ["Friendly", "Regional"])
def test_unmapped(cloud: Any, aws: Any, service: Any, get: Any, check: str, output: str) -> None:
    """Without its base path mapping a domain answers 403; creating the mapping again restores it.

    The health check follows the regional domain.
    """
    domain = service.domain if output == "Friendly" else f"{REGION}.{service.domain}"
    gateway = aws.client("apigateway", REGION)
    until(lambda: all_checkers(cloud, check, healthy=True))
    mapping = gateway.get_base_path_mapping(domainName=domain, basePath="(none)")
    gateway.delete_base_path_mapping(domainName=domain, basePath="(none)")
    try:
        reply = get(domain, EAST)
        assert (reply.status, reply.body) == (403, '{"message":"Forbidden"}')
        assert reply.headers["x-amzn-errortype"] == "ForbiddenException"
        with pytest.raises(ClientError) as twice:
            gateway.delete_base_path_mapping(domainName=domain, basePath="(none)")
        assert twice.value.response["Error"]["Code"] == "NotFoundException"
        if output == "Regional":
            until(lambda: all_checkers(cloud, check, healthy=False))
            assert all("403" in text for text in reasons(aws, check))
    finally:
        gateway.create_base_path_mapping(
            domainName=domain, restApiId=mapping["restApiId"], stage=mapping["stage"]
        )
    with pytest.raises(ClientError) as again:
        gateway.create_base_path_mapping(
            domainName=domain, restApiId=mapping["restApiId"], stage=mapping["stage"]
        )
    assert again.value.response["Error"]["Code"] == "ConflictException"
    assert (
        gateway.get_base_path_mapping(domainName=domain, basePath="(none)")["stage"]
        == mapping["stage"]
    )
    assert get(domain, EAST).status == 200
    until(lambda: all_checkers(cloud, check, healthy=True))
