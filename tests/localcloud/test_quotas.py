"""AWS's quotas for requests: token buckets on a clock, and the operation of a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.localcloud.quotas import CREATIONS, DELETIONS, QUOTAS, RequestQuotas, rest_operation

EAST, WEST = "us-east-1", "us-west-2"


def taken(
    quotas: RequestQuotas, service: str, operation: str, now: float, region: str = EAST
) -> int:
    """How many requests are taken at once, until one is throttled."""
    number = 0
    while number < 1000 and quotas.take(service, region, operation, now) == 0:
        number += 1
    return number


def test_a_burst_and_then_the_rate() -> None:
    """GetHealthCheckStatus has a bucket of 4, which 1 request a second fills."""
    quotas = RequestQuotas()
    assert taken(quotas, "route53", "GetHealthCheckStatus", 0.0) == 4
    assert quotas.take("route53", EAST, "GetHealthCheckStatus", 0.0) == pytest.approx(1.0)
    assert taken(quotas, "route53", "GetHealthCheckStatus", 2.5) == 2
    assert taken(quotas, "route53", "GetHealthCheckStatus", 100.0) == 4


def test_all_operations_of_route53_share_a_bucket() -> None:
    """50 requests at once, then 10 a second, whatever they ask for."""
    quotas = RequestQuotas()
    assert taken(quotas, "route53", "", 0.0) == 50
    assert quotas.take("route53", EAST, "CreateHostedZone", 0.0) > 0
    assert taken(quotas, "route53", "", 1.0) == 10


def test_one_domain_name_in_30_seconds() -> None:
    """CreateDomainName takes one request in 30 s, in each region."""
    quotas = RequestQuotas()
    assert taken(quotas, "apigateway", "CreateDomainName", 0.0) == 1
    assert quotas.take("apigateway", EAST, "CreateDomainName", 10.0) == pytest.approx(20.0)
    assert taken(quotas, "apigateway", "CreateDomainName", 10.0, WEST) == 1
    assert taken(quotas, "apigateway", "CreateDomainName", 30.0) == 1
    assert taken(quotas, "apigateway", "", 30.0) > 30


def test_lambda() -> None:
    """15 requests a second of all operations but GetFunction; invocations have other limits."""
    quotas = RequestQuotas()
    assert taken(quotas, "lambda", "", 0.0) == 15
    assert taken(quotas, "lambda", "GetFunction", 0.0) == 100
    assert taken(quotas, "lambda", "Invoke", 0.0) == 1000


def test_services_without_documented_quotas() -> None:
    """What has no quota here is never throttled."""
    assert taken(RequestQuotas(), "cloudformation", "DescribeStacks", 0.0) == 1000


@pytest.mark.parametrize(
    ("service", "method", "path", "operation"),
    [
        ("route53", "POST", "/2013-04-01/healthcheck", "CreateHealthCheck"),
        ("route53", "GET", "/2013-04-01/healthcheck/abc/status", "GetHealthCheckStatus"),
        ("route53", "GET", "/2013-04-01/healthcheck/abc", ""),
        ("route53", "POST", "/2013-04-01/hostedzone/Z1/rrset/", ""),
        ("apigateway", "POST", "/domainnames", "CreateDomainName"),
        ("apigateway", "POST", "/v2/domainnames", "CreateDomainName"),
        ("apigateway", "POST", "/domainnames/a.b/basepathmappings", ""),
        ("apigateway", "DELETE", "/restapis/abc", "DeleteRestApi"),
        ("apigateway", "POST", "/restapis/abc/deployments", "CreateDeployment"),
        ("lambda", "GET", "/2015-03-31/functions/f", "GetFunction"),
        ("lambda", "GET", "/2015-03-31/functions/f/configuration", ""),
        ("s3", "GET", "/bucket/key", ""),
    ],
)
def test_the_operation_of_a_request(service: str, method: str, path: str, operation: str) -> None:
    """Method and path tell the operations that have a quota."""
    assert rest_operation(service, method, path) == operation


@pytest.mark.parametrize("table", [CREATIONS, DELETIONS], ids=["creations", "deletions"])
def test_resources_have_operations_with_a_quota(table: dict[str, tuple[str, str]]) -> None:
    """What CloudFormation calls for a resource is in the table of quotas."""
    for service, operation in table.values():
        assert operation in QUOTAS[service].operations


@given(st.lists(st.floats(0, 60), max_size=200))
def test_no_second_has_more_than_burst_and_rate(times: list[float]) -> None:
    """In any span no more requests are taken than the bucket holds and the rate adds."""
    quotas = RequestQuotas()
    at = [t for t in sorted(times) if quotas.take("route53", EAST, "GetHealthCheckStatus", t) == 0]
    for first, start in enumerate(at):
        for last in range(first, len(at)):
            assert last - first + 1 <= 4 + (at[last] - start) * 1 + 1e-6
