"""Ports to the parts of a deployed service, and the ports with which it is probed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deploytool.core.ports import Clock, Dns, Http, Nameserver
from deploytool.core.route53.health import CheckerObservation, HealthCheck
from deploytool.core.route53.zone import RecordSet


class HealthChecks(Protocol):
    """Route 53 health checks."""

    def get(self, health_check_id: str) -> HealthCheck: ...

    def set_inverted(self, health_check_id: str, *, inverted: bool, version: int) -> HealthCheck:
        """Compare-and-swap on HealthCheckVersion. Raises StaleVersion when `version` is no longer
        the current one.
        """
        ...

    def observations(self, health_check_id: str) -> Sequence[CheckerObservation]:
        """The last observation of each checker (GetHealthCheckStatus)."""
        ...


class HostedZones(Protocol):
    """Route 53 hosted zones."""

    def name_servers(self, hosted_zone_id: str) -> Sequence[Nameserver]:
        """The zone's authoritative name servers, with addresses."""
        ...

    def records(self, hosted_zone_id: str, name: str) -> Sequence[RecordSet]:
        """The zone's address records of exactly that name."""
        ...


class FunctionCode(Protocol):
    """The code of Lambda functions."""

    def code_hash(self, region: str, name: str) -> str:
        """Base64 of the deployed package's SHA-256."""
        ...


class ApiDefinitions(Protocol):
    """What API Gateway's stages serve."""

    def definition(self, region: str, rest_api_id: str, stage: str) -> Mapping[str, Any]:
        """A stage's deployed API as OpenAPI 3.0, with API Gateway's integrations."""
        ...


class Functions(Protocol):
    """Lambda functions: the reserved concurrency, None when there is no reservation. 0 throttles
    every call.
    """

    def reserved_concurrency(self, region: str, name: str) -> int | None: ...

    def set_reserved_concurrency(self, region: str, name: str, reserved: int | None) -> None: ...


@dataclass(frozen=True)
class ApiMapping:
    """What a custom domain name serves below a base path (`(none)`: the root): a stage of a REST
    API.
    """

    base_path: str
    rest_api_id: str
    stage: str


class Mappings(Protocol):
    """The base path mappings of API Gateway's custom domain names."""

    def of(self, region: str, domain: str) -> Sequence[ApiMapping]: ...

    def create(self, region: str, domain: str, mapping: ApiMapping) -> None:
        """Nothing to do when it is there. Raises DeploytoolError when another one has its base
        path.
        """
        ...

    def delete(self, region: str, domain: str, base_path: str) -> None:
        """Nothing to do when it is gone."""
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
