"""AWS's quotas for requests, as token buckets on the cloud's clock. Pure.

Only documented numbers stand here. Sources: Route 53 Developer Guide, "Throttling for Amazon Route 53
API requests" (as of 2026-11: both the account and each operation have a bucket); API Gateway
Developer Guide, "Amazon API Gateway quotas", section "creating, deploying and managing an API" (per
account; our reading: each region has its own, a bucket is as large as the number of requests, and
both versions of the API share those of domain names); Lambda Developer Guide, "Lambda quotas",
section "API requests". Not modelled, because no number was found: Route 53's changes of records each
second, and the quotas of CloudFormation, IAM and STS.
"""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    """A bucket: its size in requests, and how many requests a second fill it."""

    burst: float
    rate: float


@dataclass(frozen=True)
class ServiceQuotas:
    """The quotas of one service in one region: of all requests together, and of single operations.

    An operation without a quota of its own takes part in `total` alone. `others` is the quota of all
    operations that have none of their own together.
    """

    operations: Mapping[str, Quota]
    total: Quota | None = None
    others: Quota | None = None


def _every(seconds: float) -> Quota:
    """Return the quota of one request in some seconds."""
    return Quota(1, 1 / seconds)


def _per_second(number: float) -> Quota:
    return Quota(number, number)


ROUTE53 = ServiceQuotas(
    total=Quota(50, 10),
    operations={
        "CreateHealthCheck": Quota(50, 0.5),
        "CreateHostedZone": Quota(40, 2),
        "DeleteHealthCheck": Quota(15, 3),
        "DeleteHostedZone": Quota(40, 5),
        "GetHealthCheckLastFailureReason": Quota(4, 1),
        "GetHealthCheckStatus": Quota(4, 1),
    },
)
API_GATEWAY = ServiceQuotas(
    total=Quota(40, 10),
    operations={
        "CreateDeployment": _every(5),
        "CreateDomainName": _every(30),
        "CreateResource": _per_second(5),
        "CreateRestApi": _every(3),
        "DeleteDomainName": _every(30),
        "DeleteResource": _per_second(5),
        "DeleteRestApi": _every(30),
        "GetResources": Quota(5, 2.5),
        "PutRestApi": _every(1),
        "UpdateAccount": _every(20),
        "UpdateDomainName": _every(30),
    },
)
LAMBDA = ServiceQuotas(
    operations={"GetFunction": _per_second(100), "Invoke": Quota(float("inf"), float("inf"))},
    others=_per_second(15),
)
# By the service's name in a signature
QUOTAS: Mapping[str, ServiceQuotas] = {
    "route53": ROUTE53,
    "apigateway": API_GATEWAY,
    "lambda": LAMBDA,
}

# The operations of the services with REST protocols, by method and path (botocore's models)
_ROUTES: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "route53": (
        ("POST", r"/[^/]+/healthcheck", "CreateHealthCheck"),
        ("DELETE", r"/[^/]+/healthcheck/[^/]+", "DeleteHealthCheck"),
        ("GET", r"/[^/]+/healthcheck/[^/]+/status", "GetHealthCheckStatus"),
        ("GET", r"/[^/]+/healthcheck/[^/]+/lastfailurereason", "GetHealthCheckLastFailureReason"),
        ("POST", r"/[^/]+/hostedzone", "CreateHostedZone"),
        ("DELETE", r"/[^/]+/hostedzone/[^/]+", "DeleteHostedZone"),
    ),
    "apigateway": (
        ("PATCH", r"/account", "UpdateAccount"),
        ("POST", r"(/v2)?/domainnames", "CreateDomainName"),
        ("DELETE", r"(/v2)?/domainnames/[^/]+", "DeleteDomainName"),
        ("PATCH", r"(/v2)?/domainnames/[^/]+", "UpdateDomainName"),
        ("POST", r"/restapis", "CreateRestApi"),
        ("PUT", r"/restapis/[^/]+", "PutRestApi"),
        ("DELETE", r"/restapis/[^/]+", "DeleteRestApi"),
        ("POST", r"/restapis/[^/]+/deployments", "CreateDeployment"),
        ("GET", r"/restapis/[^/]+/resources", "GetResources"),
        ("POST", r"/restapis/[^/]+/resources/[^/]+", "CreateResource"),
        ("DELETE", r"/restapis/[^/]+/resources/[^/]+", "DeleteResource"),
    ),
    "lambda": (
        ("GET", r"/[^/]+/functions/[^/]+", "GetFunction"),
        ("POST", r"/[^/]+/functions/[^/]+/invocations", "Invoke"),
    ),
}

# What CloudFormation calls for a resource, by its type, where a single operation has a quota
CREATIONS: Mapping[str, tuple[str, str]] = {
    "AWS::ApiGateway::Deployment": ("apigateway", "CreateDeployment"),
    "AWS::ApiGateway::DomainName": ("apigateway", "CreateDomainName"),
    "AWS::ApiGateway::Resource": ("apigateway", "CreateResource"),
    "AWS::ApiGateway::RestApi": ("apigateway", "CreateRestApi"),
    "AWS::ApiGatewayV2::DomainName": ("apigateway", "CreateDomainName"),
    "AWS::Route53::HealthCheck": ("route53", "CreateHealthCheck"),
    "AWS::Route53::HostedZone": ("route53", "CreateHostedZone"),
}
DELETIONS: Mapping[str, tuple[str, str]] = {
    "AWS::ApiGateway::DomainName": ("apigateway", "DeleteDomainName"),
    "AWS::ApiGateway::Resource": ("apigateway", "DeleteResource"),
    "AWS::ApiGateway::RestApi": ("apigateway", "DeleteRestApi"),
    "AWS::ApiGatewayV2::DomainName": ("apigateway", "DeleteDomainName"),
    "AWS::Route53::HealthCheck": ("route53", "DeleteHealthCheck"),
    "AWS::Route53::HostedZone": ("route53", "DeleteHostedZone"),
}


def rest_operation(service: str, method: str, path: str) -> str:
    """Return the operation of a request, "" for one without a quota of its own."""
    for route_method, pattern, operation in _ROUTES.get(service, ()):
        if method == route_method and re.fullmatch(pattern, path.rstrip("/")):
            return operation
    return ""


class _Bucket:
    """A token bucket. It is full at the beginning."""

    def __init__(self, quota: Quota, now: float) -> None:
        self._quota = quota
        self._tokens = quota.burst
        self._at = now

    def seconds_until_token(self, now: float) -> float:
        """Return how long it takes until there is a token, 0 when there is one."""
        self._refill(now)
        return max(0.0, (1 - self._tokens) / self._quota.rate)

    def take(self, now: float) -> None:
        self._refill(now)
        self._tokens -= 1

    def _refill(self, now: float) -> None:
        refilled = self._tokens + (now - self._at) * self._quota.rate
        self._tokens = min(self._quota.burst, refilled)
        self._at = now


class RequestQuotas:
    """The buckets of an account, in each region of a service. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def take(self, service: str, region: str, operation: str, now: float) -> float:
        """Take a request from its buckets and return 0, or return how many seconds they need.

        Then nothing is taken. A request takes from all of its buckets or from none (Route 53: it is
        throttled when either is empty).
        """
        with self._lock:
            buckets = list(self._buckets_of(service, region, operation, now))
            wait = max((bucket.seconds_until_token(now) for bucket in buckets), default=0.0)
            if wait > 0:
                return wait
            for bucket in buckets:
                bucket.take(now)
            return 0.0

    def _buckets_of(
        self, service: str, region: str, operation: str, now: float
    ) -> Iterator[_Bucket]:
        quotas = QUOTAS.get(service)
        if quotas is None:
            return
        if quotas.total is not None:
            yield self._bucket((service, region, ""), quotas.total, now)
        own = quotas.operations.get(operation)
        if own is not None:
            if own.rate != float("inf"):
                yield self._bucket((service, region, operation), own, now)
        elif quotas.others is not None:
            yield self._bucket((service, region, "others"), quotas.others, now)

    def _bucket(self, key: tuple[str, str, str], quota: Quota, now: float) -> _Bucket:
        if key not in self._buckets:
            self._buckets[key] = _Bucket(quota, now)
        return self._buckets[key]
