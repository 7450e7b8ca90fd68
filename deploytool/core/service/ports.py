"""Ports to the parts of a deployed service, and the ports with which it is probed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deploytool.core.ports import Clock, Dns, Http, Nameserver
from deploytool.core.route53.alarms import AlarmIdentifier
from deploytool.core.route53.health import CheckerObservation, HealthCheck
from deploytool.core.route53.metric_alarms import MetricAlarm
from deploytool.core.route53.zone import RecordSet


class HealthChecks(Protocol):
    """Route 53 health checks."""

    def get(self, health_check_id: str) -> HealthCheck:
        """Return the health check with its current version."""
        ...

    def set_inverted(self, health_check_id: str, *, inverted: bool, version: int) -> HealthCheck:
        """Set Inverted, by compare-and-swap on HealthCheckVersion.

        Raises StaleVersion when `version` is not the current one any more.
        """
        ...

    def observations(self, health_check_id: str) -> Sequence[CheckerObservation]:
        """Return the last observation of each checker (GetHealthCheckStatus)."""
        ...


class Alarms(Protocol):
    """The account's CloudWatch alarms."""

    def find(self, identifier: AlarmIdentifier) -> MetricAlarm | None:
        """Return the alarm of that name in that region, None when there is none.

        Raises ApiUnavailable when the API of the region does not answer.
        """
        ...


class HostedZones(Protocol):
    """Route 53 hosted zones."""

    def name_servers(self, hosted_zone_id: str) -> Sequence[Nameserver]:
        """Return the zone's authoritative name servers, with addresses."""
        ...

    def records(self, hosted_zone_id: str, name: str) -> Sequence[RecordSet]:
        """Return the zone's address records of exactly that name."""
        ...


class FunctionCode(Protocol):
    """The code of Lambda functions."""

    def code_hash(self, region: str, name: str) -> str:
        """Return the Base64 of the deployed package's SHA-256."""
        ...


class ApiDefinitions(Protocol):
    """The APIs that are deployed to stages of API Gateway."""

    def definition(self, region: str, rest_api_id: str, stage: str) -> Mapping[str, Any]:
        """Return a stage's deployed API as OpenAPI 3.0, with API Gateway's integrations."""
        ...


@dataclass(frozen=True)
class ApiDefinition:
    """What an API serves: its id, and a document whose `paths` has each route."""

    api_id: str
    document: Mapping[str, Any]


class HttpApis(Protocol):
    """HTTP APIs of API Gateway, by their custom domain names."""

    def definition(self, region: str, domain: str) -> ApiDefinition:
        """Return what the HTTP API serves that a custom domain name is mapped to."""
        ...


class Functions(Protocol):
    """The reserved concurrency of Lambda functions.

    None means that there is no reservation. 0 throttles every call.
    """

    def reserved_concurrency(self, region: str, name: str) -> int | None:
        """Return a function's reserved concurrency."""
        ...

    def set_reserved_concurrency(self, region: str, name: str, reserved: int | None) -> None:
        """Set a function's reserved concurrency, or remove the reservation."""
        ...


@dataclass(frozen=True)
class ApiMapping:
    """The stage of a REST API that a custom domain name serves below a base path.

    The base path `(none)` is the root.
    """

    base_path: str
    rest_api_id: str
    stage: str


class Mappings(Protocol):
    """The base path mappings of API Gateway's custom domain names."""

    def of(self, region: str, domain: str) -> Sequence[ApiMapping]:
        """Return the mappings of a custom domain name."""
        ...

    def create(self, region: str, domain: str, mapping: ApiMapping) -> None:
        """Create a mapping. Does nothing when it exists.

        Raises DeploytoolError when another mapping has its base path.
        """
        ...

    def delete(self, region: str, domain: str, base_path: str) -> None:
        """Delete a mapping. Does nothing when there is none."""
        ...


@dataclass(frozen=True)
class Probes:
    """The ports with which a deployed service is observed. They change nothing.

    `resolvers` are recursive DNS servers; the first one is the system's.
    """

    clock: Clock
    dns: Dns
    http: Http
    hosted_zones: HostedZones
    resolvers: tuple[Nameserver, ...]
