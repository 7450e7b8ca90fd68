"""An example service in two regions, with its health check and its failover records."""

from collections.abc import Sequence
from dataclasses import replace

from deploytool.core.failover.records import SCHEMA_VERSION, Deployed, StandbyRecord
from deploytool.core.ports import Nameserver
from deploytool.core.route53.alarms import AlarmIdentifier
from deploytool.core.route53.calculated import CALCULATED, CLOUDWATCH_METRIC
from deploytool.core.route53.health import HealthCheck, HealthCheckConfig
from deploytool.core.route53.routing import PRIMARY, SECONDARY
from deploytool.core.route53.zone import AliasTarget, RecordSet, canonical
from deploytool.core.service.service import Service

SERVICE = Service(
    project="hello",
    stage="dev",
    domain="dev.example.com",
    path="/v1",
    primary="us-east-1",
    secondary="us-west-2",
    regional_domains={
        "us-east-1": "us-east-1.dev.example.com",
        "us-west-2": "us-west-2.dev.example.com",
    },
    hosted_zone_id="Z1",
    health_check_id="check",
)

# The same with a switch: the primary's record takes the calculated health check
SWITCHED = replace(
    SERVICE,
    failover_health_check_id="calculated",
    switch_health_check_id="switch",
    targets={
        "us-east-1": "d-0.execute-api.us-east-1.amazonaws.com",
        "us-west-2": "d-1.execute-api.us-west-2.amazonaws.com",
    },
)

# The hosted zone that the targets of the two alias records are in
_TARGET_ZONE = "Z2"


def default_check(
    service: Service, request_interval: int = 10, failure_threshold: int = 3
) -> HealthCheckConfig:
    """Return the settings of a health check of the service's primary (the interval in seconds)."""
    return HealthCheckConfig(
        "HTTPS",
        fqdn=service.regional_domains[service.primary],
        resource_path=service.path,
        request_interval=request_interval,
        failure_threshold=failure_threshold,
    )


def calculated_check(service: Service) -> HealthCheck:
    """Return the health check that is healthy when the endpoint's and the switch's are."""
    children = (service.health_check_id, service.switch_health_check_id)
    config = HealthCheckConfig(
        CALCULATED, health_threshold=len(children), child_health_checks=children
    )
    return HealthCheck(service.failover_health_check_id, 1, config)


def switch_check(service: Service) -> HealthCheck:
    """Return the health check on the alarm of the service's switch."""
    alarm = AlarmIdentifier(service.secondary, f"{service.project}-{service.stage}-switch")
    config = HealthCheckConfig(CLOUDWATCH_METRIC, alarm_identifier=alarm)
    return HealthCheck(service.switch_health_check_id, 1, config)


def standby_record(service: Service, name_servers: Sequence[Nameserver]) -> StandbyRecord:
    """Return what the standby region keeps about a deployed service."""
    return StandbyRecord(
        schema_version=SCHEMA_VERSION,
        project=service.project,
        stage=service.stage,
        domain=service.domain,
        path=service.path,
        primary=service.primary,
        secondary=service.secondary,
        regional_domains=service.regional_domains,
        hosted_zone_id=service.hosted_zone_id,
        name_servers=tuple(server.name for server in name_servers),
        health_check_id=service.health_check_id,
        failover_health_check_id=service.failover_health_check_id,
        switch_health_check_id=service.switch_health_check_id,
        failback=service.failback,
        deployed=Deployed("2026-01-01T00:00:00+00:00", "ana@laptop"),
        targets=service.targets,
    )


def failover_pair(service: Service) -> tuple[RecordSet, RecordSet]:
    """Return the primary and the secondary record of the service's domain, as they are deployed."""
    primary = _failover_record(
        service,
        PRIMARY,
        region=service.primary,
        target=f"d-0.execute-api.{service.primary}.amazonaws.com.",
        health_check_id=service.failover_health_check_id or service.health_check_id,
    )
    # The secondary record has no health check: its alias evaluates the health of its target.
    secondary = _failover_record(
        service,
        SECONDARY,
        region=service.secondary,
        target=f"d-1.execute-api.{service.secondary}.amazonaws.com.",
        health_check_id="",
    )
    return primary, secondary


def _failover_record(
    service: Service, role: str, *, region: str, target: str, health_check_id: str
) -> RecordSet:
    return RecordSet(
        name=canonical(service.domain),
        type="A",
        alias=AliasTarget(target, _TARGET_ZONE, evaluate_target_health=True),
        set_identifier=region,
        failover=role,
        health_check_id=health_check_id,
    )
