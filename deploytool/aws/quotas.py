"""Quotas of the account, and how much of each is used.

Route 53 and Lambda tell both themselves: GetAccountLimit (Route 53 API reference) and
GetAccountSettings (Lambda API reference). API Gateway's quota is asked of Service Quotas, and the
domain names are counted. The permissions are route53:GetAccountLimit, lambda:GetAccountSettings,
servicequotas:GetServiceQuota, servicequotas:GetAWSDefaultServiceQuota and apigateway:GET (Service
Authorization Reference).
"""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deploytool.aws.breaker import GLOBAL_REGION
from deploytool.aws.errors import code_of, translated
from deploytool.aws.sessions import Clients
from deploytool.core.doctor.quotas import DOMAIN_NAME_QUOTA, Concurrency, Usage
from deploytool.core.errors import DeploytoolError

if TYPE_CHECKING:
    from mypy_boto3_route53.literals import AccountLimitTypeType

# Private names have a quota of their own (API Gateway Developer Guide, "Quotas for configuring and
# running a REST API").
PRIVATE = "PRIVATE"


class AccountQuotas:
    """The Quotas port on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def domain_names(self, region: str) -> Usage:
        """GetServiceQuota, and GetDomainNames, every page."""
        doing = f"reading the quota of custom domain names in {region}"
        with translated(doing):
            limit = self._service_quota(region, *DOMAIN_NAME_QUOTA)
        paginator = self._clients.get("apigateway", region).get_paginator("get_domain_names")
        used = 0
        with translated(f"counting the custom domain names of {region}"):
            for page in paginator.paginate():
                for item in page.get("items", []):
                    types = item.get("endpointConfiguration", {}).get("types", [])
                    used += PRIVATE not in types
        return Usage(limit, used)

    def hosted_zones(self) -> Usage:
        """GetAccountLimit of MAX_HOSTED_ZONES_BY_OWNER, which has the number of zones too."""
        return self._account_limit("MAX_HOSTED_ZONES_BY_OWNER")

    def health_checks(self) -> Usage:
        """GetAccountLimit of MAX_HEALTH_CHECKS_BY_OWNER, which has the number of checks too."""
        return self._account_limit("MAX_HEALTH_CHECKS_BY_OWNER")

    def concurrency(self, region: str) -> Concurrency:
        """GetAccountSettings."""
        with translated(f"reading the concurrency of Lambda in {region}"):
            answer = self._clients.get("lambda", region).get_account_settings()
        limits = answer["AccountLimit"]
        try:
            return Concurrency(
                limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
            )
        except KeyError as error:
            raise DeploytoolError(f"Lambda of {region} does not tell its {error}") from error

    def _account_limit(self, type_: "AccountLimitTypeType") -> Usage:
        client = self._clients.get("route53", GLOBAL_REGION)
        with translated(f"reading the limit {type_} of Route 53"):
            answer = client.get_account_limit(Type=type_)
        return Usage(answer["Limit"]["Value"], answer["Count"])

    def _service_quota(self, region: str, service: str, quota: str) -> int:
        """Return the value that applies to the account, or the default where none is kept for it."""
        client: Any = self._clients.get("service-quotas", region)
        try:
            answer = client.get_service_quota(ServiceCode=service, QuotaCode=quota)
        except ClientError as error:
            # "For some quotas, only the default values are available" (API reference of
            # ListServiceQuotas)
            if code_of(error) != "NoSuchResourceException":
                raise
            answer = client.get_aws_default_service_quota(ServiceCode=service, QuotaCode=quota)
        return int(answer["Quota"]["Value"])
