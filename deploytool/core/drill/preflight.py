"""Decides from the findings of a check whether a drill may begin. Pure."""

from collections.abc import Sequence

from deploytool.core.ports import DnsAnswer, HttpAnswer
from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.routing import PRIMARY, SECONDARY
from deploytool.core.route53.zone import RecordSet
from deploytool.core.service.findings import Findings
from deploytool.core.service.service import Service


def reasons_to_refuse(
    service: Service, health_check: HealthCheck, records: Sequence[RecordSet], findings: Findings
) -> tuple[str, ...]:
    """Return why a drill would prove nothing or do harm; empty when it may begin."""
    return (
        *_health_check(service, health_check),
        *_records(service, records),
        *_endpoints(service, findings),
        *_answers(service, findings),
    )


def _health_check(service: Service, health_check: HealthCheck) -> list[str]:
    config = health_check.config
    expected = service.regional_domains[service.primary]
    name = f"health check {health_check.id}"
    reasons = []
    if config.inverted:
        reasons.append(f"{name} is inverted: a drill is under way, or one did not come to its end")
    if config.disabled:
        reasons.append(f"{name} is disabled: no failover can happen")
    if config.fqdn.rstrip(".") != expected:
        reasons.append(
            f"{name} watches {config.fqdn or config.ip_address}, not the primary's own {expected}: it is not as deployed"
        )
    if config.resource_path != service.path:
        reasons.append(
            f"{name} calls {config.resource_path}, not {service.path}: it is not as deployed"
        )
    return reasons


def _records(service: Service, records: Sequence[RecordSet]) -> list[str]:
    by_role = {each.failover: each for each in records}
    missing = [role for role in (PRIMARY, SECONDARY) if role not in by_role]
    reasons = [
        f"{service.domain} has no {role} failover record: not as deployed" for role in missing
    ]
    if PRIMARY in by_role and by_role[PRIMARY].health_check_id != service.health_check_id:
        other = by_role[PRIMARY].health_check_id or "no health check"
        reasons.append(
            f"the primary's record of {service.domain} has {other}, not {service.health_check_id}: it is not as deployed"
        )
    return reasons


def _endpoints(service: Service, findings: Findings) -> list[str]:
    reasons = []
    for region, answer in findings.regions.items():
        role = "primary" if region == service.primary else "secondary"
        if (
            isinstance(answer, HttpAnswer)
            and 200 <= answer.status < 300
            and answer.region == region
        ):
            continue
        said = (
            f"it answers {answer.status} from {answer.region}"
            if isinstance(answer, HttpAnswer)
            else answer
        )
        what = (
            "is failing already"
            if role == "primary"
            else "does not serve: a failover would take the API down"
        )
        reasons.append(f"the {role}, {region}, {what}: {said}")
    return reasons


def _answers(service: Service, findings: Findings) -> list[str]:
    answers = {**findings.name_servers, **findings.resolvers}
    return [
        f"{name} does not answer for {service.domain}: {answer.rcode if isinstance(answer, DnsAnswer) else answer}"
        for name, answer in answers.items()
        if not isinstance(answer, DnsAnswer) or not answer.addresses
    ]
