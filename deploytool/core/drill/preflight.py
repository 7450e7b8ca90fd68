"""Decides from the findings of a check whether a drill may begin. Pure."""

from collections.abc import Sequence

from deploytool.core.failover.readiness import SwitchState, reasons_against_failover
from deploytool.core.ports import HttpAnswer
from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.zone import RecordSet
from deploytool.core.service.findings import Failure, Findings
from deploytool.core.service.service import Service


def reasons_to_refuse(
    service: Service,
    health_check: HealthCheck,
    switch: SwitchState | None,
    records: Sequence[RecordSet],
    findings: Findings,
) -> tuple[str, ...]:
    """Return why a drill would prove nothing or do harm; empty when it may begin.

    `health_check` is the one of the primary's endpoint. `switch` is None for a stage without one.
    """
    return (
        *reasons_against_failover(service, health_check, switch, records),
        *unanswered_probes(service, findings),
    )


def unanswered_probes(service: Service, findings: Findings) -> tuple[str, ...]:
    """Return which endpoints do not serve, and which servers do not answer for the domain."""
    return (*_endpoints(service, findings), *_dns(service, findings))


def _endpoints(service: Service, findings: Findings) -> list[str]:
    reasons: list[str] = []
    for region, answer in findings.regions.items():
        problem = _endpoint_problem(region, answer)
        if problem is None:
            continue

        if region == service.primary:
            reasons.append(f"the primary, {region}, already fails: {problem}")
        else:
            reasons.append(
                f"the secondary, {region}, does not serve: a failover would take the API down: "
                f"{problem}"
            )
    return reasons


def _endpoint_problem(region: str, answer: HttpAnswer | Failure) -> str | None:
    if isinstance(answer, Failure):
        return answer
    if 200 <= answer.status < 300 and answer.region == region:
        return None
    return f"it answers {answer.status} from {answer.region}"


def _dns(service: Service, findings: Findings) -> list[str]:
    reasons: list[str] = []
    for name, answer in {**findings.name_servers, **findings.resolvers}.items():
        if isinstance(answer, Failure):
            reasons.append(f"{name} does not answer for {service.domain}: {answer}")
        elif not answer.addresses:
            reasons.append(f"{name} does not answer for {service.domain}: {answer.rcode}")
    return reasons
