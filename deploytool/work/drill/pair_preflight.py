"""Decides before a drill of a pair that deploytool did not deploy, by reading, whether it may begin."""

from collections.abc import Callable

from deploytool.core.drill.pair import PairState, hint_against_pair, reasons_against_pair
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.preflight import unanswered_probes
from deploytool.core.drill.record import DrillUnderWay
from deploytool.core.errors import DrillRefused
from deploytool.core.service.service import Service
from deploytool.work.check import check, servers_of_zone


def pair_preflight(state: PairState) -> Callable[[DrillPorts, Service], None]:
    """Return what raises DrillRefused with every reason against a drill of the pair."""

    def preflight(ports: DrillPorts, service: Service) -> None:
        record = ports.records.read()
        if record is not None:
            raise DrillUnderWay(record, service.selector)
        reasons = list(reasons_against_pair(state))
        if not reasons and not ports.health_checks.observations(service.health_check_id):
            reasons.append(
                f"no checker tells the state of health check {service.health_check_id}: none of its"
                " children watches an endpoint"
            )
        # What the account says is wrong needs no request
        if not reasons:
            zone = servers_of_zone(ports.probes, service)
            findings = check(ports.probes, ports.executor, service, zone)
            reasons += unanswered_probes(service, findings)
            if findings.served_by not in (None, service.primary):
                reasons.append(f"{findings.served_by} serves now, and not {service.primary}")
        if reasons:
            raise DrillRefused(
                "\n".join(("the drill was not begun:", *reasons)), hint=hint_against_pair(state)
            )

    return preflight
