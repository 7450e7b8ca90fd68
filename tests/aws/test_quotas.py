"""Quotas and their use, as the APIs tell them."""

from typing import Any

import pytest
from botocore.stub import Stubber

from deploytool.aws.quotas import AccountQuotas
from deploytool.aws.sessions import Clients
from deploytool.core.doctor.quotas import Concurrency, Usage
from deploytool.core.errors import CloudRefused, DeploytoolError
from tests.aws.conftest import OneClient


class Several(Clients):
    """Gives a stubbed client for each service."""

    def __init__(self, **clients: Any) -> None:
        super().__init__()
        self.stubbed = clients

    def get(self, service: str, region: str) -> Any:
        return self.stubbed[service.replace("-", "_")]


def stubbed(service: str) -> Stubber:
    import boto3

    client = boto3.client(
        service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stubber = Stubber(client)
    stubber.activate()
    return stubber


QUOTA = {"ServiceCode": "apigateway", "QuotaCode": "L-A93447B8"}
NAMES = [
    {"domainName": "a.example.com", "endpointConfiguration": {"types": ["REGIONAL"]}},
    {"domainName": "b.example.com", "endpointConfiguration": {"types": ["EDGE"]}},
    {"domainName": "c.example.com", "endpointConfiguration": {"types": ["PRIVATE"]}},
]


@pytest.mark.parametrize("has_own", [True, False])
def test_domain_names(has_own: bool) -> None:
    """Private names have another quota. Without a value for the account the default counts."""
    service_quotas, gateway = stubbed("service-quotas"), stubbed("apigateway")
    if has_own:
        service_quotas.add_response("get_service_quota", {"Quota": {"Value": 200.0}}, QUOTA)
    else:
        service_quotas.add_client_error("get_service_quota", "NoSuchResourceException")
        service_quotas.add_response(
            "get_aws_default_service_quota", {"Quota": {"Value": 120.0}}, QUOTA
        )
    gateway.add_response("get_domain_names", {"items": NAMES, "position": "p"}, {})
    gateway.add_response("get_domain_names", {"items": NAMES[:1]}, {"position": "p"})
    clients = Several(service_quotas=service_quotas.client, apigateway=gateway.client)
    assert AccountQuotas(clients).domain_names("us-east-1") == Usage(200 if has_own else 120, 3)


def test_a_refusal_of_service_quotas() -> None:
    """It is CloudRefused, so that the part is not checked."""
    service_quotas = stubbed("service-quotas")
    service_quotas.add_client_error("get_service_quota", "AccessDeniedException", "no")
    with pytest.raises(CloudRefused, match="AccessDeniedException"):
        AccountQuotas(Several(service_quotas=service_quotas.client)).domain_names("us-east-1")


def test_route_53_tells_limit_and_use() -> None:
    """GetAccountLimit has both."""
    stub = stubbed("route53")
    for type_, value, count in (
        ("MAX_HOSTED_ZONES_BY_OWNER", 500, 12),
        ("MAX_HEALTH_CHECKS_BY_OWNER", 200, 7),
    ):
        answer = {"Limit": {"Type": type_, "Value": value}, "Count": count}
        stub.add_response("get_account_limit", answer, {"Type": type_})
    quotas = AccountQuotas(OneClient("route53", stub.client))
    assert quotas.hosted_zones() == Usage(500, 12)
    assert quotas.health_checks() == Usage(200, 7)


def test_concurrency_of_lambda() -> None:
    """GetAccountSettings has what no function reserves; an answer without it says so."""
    stub = stubbed("lambda")
    limits = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
    stub.add_response("get_account_settings", {"AccountLimit": limits}, {})
    stub.add_response("get_account_settings", {"AccountLimit": {}}, {})
    quotas = AccountQuotas(OneClient("lambda", stub.client))
    assert quotas.concurrency("us-east-1") == Concurrency(1000, 900)
    with pytest.raises(DeploytoolError, match="ConcurrentExecutions"):
        quotas.concurrency("us-east-1")
