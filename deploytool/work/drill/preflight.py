"""Decides before a drill, by reading, whether it may begin. Changes nothing."""

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.preflight import reasons_to_refuse
from deploytool.core.drill.record import DrillUnderWay
from deploytool.core.errors import DrillRefused
from deploytool.core.failover.readiness import SwitchState
from deploytool.core.failover.records import SwitchRecord
from deploytool.core.route53.health import HealthCheck
from deploytool.core.service.service import Service
from deploytool.work.check import check, servers_of_zone
from deploytool.work.health_checks import read_new


def preflight(ports: DrillPorts, service: Service) -> None:
    """Raise DrillRefused with every reason why a drill would prove nothing or do harm.

    Changes nothing. Raises DrillUnderWay when there is a record of another drill.
    """
    record = ports.records.read()
    if record is not None:
        raise DrillUnderWay(record)
    refuse_during_deployment(ports)

    # The stage may have been deployed a moment ago
    health_check = _read(ports, service.health_check_id)
    switch = _read_switch(ports, service)
    records = ports.probes.hosted_zones.records(service.hosted_zone_id, service.domain)
    zone = servers_of_zone(ports.probes, service)
    findings = check(ports.probes, ports.executor, service, zone)

    reasons = reasons_to_refuse(service, health_check, switch, records, findings)
    if reasons:
        hint = _hint(service, health_check, switch)
        raise DrillRefused("\n".join(("the drill was not begun:", *reasons)), hint=hint)


def refuse_during_deployment(ports: DrillPorts) -> None:
    """Raise DrillRefused while a run deploys the stage: it would change what the drill measures."""
    deployer = ports.deployments.describe() if ports.deployments else ""
    if deployer:
        raise DrillRefused(
            f"the drill was not begun: this stage is being deployed by {deployer}",
            hint="run the drill again when that has ended; the lease of a killed run expires"
            " within two minutes",
        )


def _read_switch(ports: DrillPorts, service: Service) -> SwitchState | None:
    """Return the switch of a stage; None for a stage that was deployed without one."""
    if not service.failover_health_check_id:
        return None
    return SwitchState(
        calculated=_read(ports, service.failover_health_check_id),
        on_alarm=_read(ports, service.switch_health_check_id),
        record=ports.standby.read(SwitchRecord),
    )


def _read(ports: DrillPorts, health_check_id: str) -> HealthCheck:
    return read_new(ports.health_checks, ports.probes.clock, health_check_id)


def _hint(service: Service, health_check: HealthCheck, switch: SwitchState | None) -> str:
    if switch is not None and switch.held:
        return f"deploytool failback --stage {service.stage} lets traffic return to the primary"
    if health_check.config.inverted:
        return f"deploytool restore --stage {service.stage} undoes the inversion"
    return (
        f"deploytool check --stage {service.stage} shows which region serves, and how what differs"
        " from the deployment comes back"
    )
