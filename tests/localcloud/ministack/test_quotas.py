"""AWS's quotas on a running cloud: contract tests with boto3. The numbers have tests of their own."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.settings import Settings
from deploytool.localcloud.state import State
from tests.localcloud.conftest import REGIONS, Aws

SPEED = 5.0
CHECK = {"Type": "TCP", "IPAddress": "127.0.0.11", "Port": 443}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A cloud with AWS's quotas."""
    settings = Settings(tmp_path_factory.mktemp("limited"), REGIONS, SPEED, quotas=True)
    with lifecycle.private(settings) as state:
        yield state


def patient(state: State, service: str) -> Any:
    """A client that repeats throttled calls in botocore's standard mode."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=REGIONS[0],
        endpoint_url=state.endpoint_url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"mode": "standard", "total_max_attempts": 8}, proxies={}),
    )


def repeat(times: int, call: Callable[[], object]) -> None:
    """Make a call several times, one right after the other."""
    for _ in range(times):
        call()


def code(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response: Any = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_route53(limited: State) -> None:
    """GetHealthCheckStatus: 4 requests at once, then Throttling; botocore repeats it.

    Source: Route 53 Developer Guide, "Throttling for Amazon Route 53 API requests".
    """
    route53 = Aws(limited).client("route53")
    id_ = route53.create_health_check(CallerReference=str(uuid.uuid4()), HealthCheckConfig=CHECK)[
        "HealthCheck"
    ]["Id"]
    with pytest.raises(ClientError, match="Rate exceeded") as caught:
        repeat(20, lambda: route53.get_health_check_status(HealthCheckId=id_))
    assert code(caught) == ("Throttling", 400)
    throttled = ControlClient(limited).status().throttled
    assert throttled["route53.GetHealthCheckStatus"] >= 1

    repeating = patient(limited, "route53")
    answers = [repeating.get_health_check_status(HealthCheckId=id_) for _ in range(3)]
    assert len(answers) == 3
    route53.delete_health_check(HealthCheckId=id_)


def test_api_gateway(limited: State) -> None:
    """CreateDomainName: one request in 30 s, then TooManyRequestsException, in each region.

    Source: API Gateway Developer Guide, "Amazon API Gateway quotas".
    """
    codes = []
    for region in REGIONS:
        client = Aws(limited).client("apigateway", region)
        for _ in range(2):
            with pytest.raises(ClientError) as caught:
                client.create_domain_name(domainName="a.example.com")
            codes.append(code(caught))
    assert codes[1::2] == [("TooManyRequestsException", 429)] * 2
    assert ("TooManyRequestsException", 429) not in codes[::2]


def test_lambda(limited: State) -> None:
    """15 requests a second of the control plane, then TooManyRequestsException.

    Source: Lambda Developer Guide, "Lambda quotas".
    """
    client = Aws(limited).client("lambda", REGIONS[1])
    with pytest.raises(ClientError, match="Rate exceeded") as caught:
        repeat(300, client.list_functions)
    assert code(caught) == ("TooManyRequestsException", 429)


def test_stacks_wait(limited: State) -> None:
    """CloudFormation's calls count too, and it repeats them: a stack takes longer.

    A REST API is made every 3 s, so that a stack of three takes 6 s of the cloud's at least.
    """
    type_ = "AWS::ApiGateway::RestApi"
    resources = {
        f"Api{number}": {"Type": type_, "Properties": {"Name": f"api{number}"}}
        for number in range(3)
    }
    began = time.monotonic()
    Aws(limited).create_stack("three", {"Resources": resources})
    assert (time.monotonic() - began) * SPEED >= 6


@pytest.mark.difference
def test_without_quotas_nothing_is_throttled(aws: Any) -> None:
    """A cloud without --quotas takes any number of requests; AWS's accounts have quotas."""
    route53 = aws.client("route53")
    id_ = route53.create_health_check(CallerReference=str(uuid.uuid4()), HealthCheckConfig=CHECK)[
        "HealthCheck"
    ]["Id"]
    for _ in range(20):
        route53.get_health_check_status(HealthCheckId=id_)
    route53.delete_health_check(HealthCheckId=id_)
