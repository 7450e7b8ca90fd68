"""Tells from the health checks and the records of a stage whether a failover can happen. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from deploytool.core.failover.records import SwitchRecord
from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.routing import PRIMARY, SECONDARY
from deploytool.core.route53.zone import ADDRESS_TYPES, RecordSet
from deploytool.core.service.service import Service


@dataclass(frozen=True)
class SwitchState:
    """The switch of a stage as it is live.

    `calculated` is the health check that the primary's record takes, `on_alarm` its child on the
    switch's alarm, and `record` the wanted state of the switch, None when it was never moved.
    """

    calculated: HealthCheck
    on_alarm: HealthCheck
    record: SwitchRecord | None

    @property
    def held(self) -> bool:
        """Whether the switch keeps traffic at the secondary."""
        return self.record is not None and self.record.held


class Remedy(StrEnum):
    """What lets a failover happen again, where nothing is deleted that others name."""

    FAILBACK = "failback"  # somebody has moved traffic on purpose
    RESTORE = "restore"  # a drill has inverted the health check of the endpoint
    TURN_ON = "turn on"  # a health check is disabled or inverted, which no template sets
    REPAIR = "repair"  # something is not as its template says


def remedy_of(health_check: HealthCheck, switch: SwitchState | None) -> Remedy:
    """Return what comes first, for a stage where a failure of the primary moves nobody."""
    if switch is not None and switch.held:
        return Remedy.FAILBACK
    if health_check.config.inverted:
        return Remedy.RESTORE
    if turned_off(health_check, switch):
        return Remedy.TURN_ON
    return Remedy.REPAIR


def turned_off(health_check: HealthCheck, switch: SwitchState | None) -> tuple[str, ...]:
    """Return the ids of the health checks of a stage that are disabled or inverted."""
    checks = [health_check]
    if switch is not None:
        checks += [switch.calculated, switch.on_alarm]
    return tuple(check.id for check in checks if check.config.inverted or check.config.disabled)


def reasons_against_failover(
    service: Service,
    health_check: HealthCheck,
    switch: SwitchState | None,
    records: Sequence[RecordSet],
) -> list[str]:
    """Return why a failure of the primary would not move traffic; empty when it would.

    `health_check` is the one of the primary's endpoint. `switch` is None for a stage without one.
    """
    return [
        *_health_check(service, health_check),
        *_switch(service, switch),
        *_records(service, records),
    ]


def _health_check(service: Service, health_check: HealthCheck) -> list[str]:
    config = health_check.config
    expected = service.regional_domains[service.primary]
    name = f"health check {health_check.id}"
    reasons: list[str] = []

    if config.inverted:
        reasons.append(f"{name} is inverted: a drill is under way, or one did not reach its end")
    if config.disabled:
        reasons.append(f"{name} is disabled: it never starts a failover")

    # A fully qualified name may end in a dot.
    if config.fqdn.rstrip(".") != expected:
        watched = config.fqdn or config.ip_address
        reasons.append(
            f"{name} watches {watched}, not the primary's endpoint {expected}: it is not as "
            "deployed"
        )
    if config.resource_path != service.path:
        reasons.append(
            f"{name} calls {config.resource_path}, not {service.path}: it is not as deployed"
        )
    return reasons


def _switch(service: Service, switch: SwitchState | None) -> list[str]:
    if switch is None:
        return []
    reasons: list[str] = []
    if switch.record is not None and switch.record.held:
        why = f": {switch.record.why}" if switch.record.why else ""
        reasons.append(
            f"the switch is held since {switch.record.since} by {switch.record.who}{why};"
            f" traffic is at {service.secondary} on purpose"
        )
    reasons += _calculated(service, switch.calculated)
    if switch.on_alarm.config.inverted or switch.on_alarm.config.disabled:
        state = "inverted" if switch.on_alarm.config.inverted else "disabled"
        reasons.append(
            f"health check {switch.on_alarm.id} of the switch is {state}: it is not as deployed"
        )
    return reasons


def _calculated(service: Service, calculated: HealthCheck) -> list[str]:
    """Return why a failure of the endpoint, or the switch, would not start a failover."""
    config = calculated.config
    name = f"calculated health check {calculated.id}"
    reasons: list[str] = []

    if config.inverted:
        reasons.append(f"{name} is inverted: it is not as deployed")
    if config.disabled:
        reasons.append(f"{name} is disabled: it never starts a failover")

    needed = {
        "of the primary's endpoint": service.health_check_id,
        "of the switch": service.switch_health_check_id,
    }
    for what, id_ in needed.items():
        if id_ not in config.child_health_checks:
            reasons.append(
                f"{name} does not count health check {id_} {what}: it is not as deployed"
            )

    children = len(config.child_health_checks)
    if config.health_threshold != children:
        reasons.append(
            f"{name} is healthy with {config.health_threshold} of its {children} children, not with"
            " all: one that fails starts no failover"
        )
    return reasons


def _records(service: Service, records: Sequence[RecordSet]) -> list[str]:
    reasons: list[str] = []
    for type_ in ADDRESS_TYPES:
        of_type = [record for record in records if record.type == type_]
        # Only a stage with dual-stack domain names has IPv6 addresses.
        if of_type or type_ == "A":
            reasons += _failover_pair(service, type_, of_type)
    return reasons


def _failover_pair(service: Service, type_: str, records: Sequence[RecordSet]) -> list[str]:
    """Return why the records of a type do not fail over as deployed."""
    by_role = {record.failover: record for record in records}
    kind = "record" if type_ == "A" else f"{type_} record"
    reasons: list[str] = []
    for role in (PRIMARY, SECONDARY):
        if role not in by_role:
            reasons.append(f"{service.domain} has no {role} failover {kind}: it is not as deployed")

    # A stage that an older version deployed has no calculated health check.
    expected = service.failover_health_check_id or service.health_check_id
    primary = by_role.get(PRIMARY)
    if primary is not None and primary.health_check_id != expected:
        actual = primary.health_check_id or "no health check"
        reasons.append(
            f"the primary's {kind} of {service.domain} has {actual}, not "
            f"{expected}: it is not as deployed"
        )
    return reasons
