"""Reads whether a failover of a deployed stage can happen: its health checks and its records.

What serves tells nothing about that: a stage whose health check somebody has deleted serves, and will
not move when the primary fails.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploytool.core.errors import ApiUnavailable, CloudRefused, NoSuchHealthCheck, NoSuchZone
from deploytool.core.failover.ports import StandbyRecords
from deploytool.core.failover.readiness import (
    Remedy,
    SwitchState,
    reasons_against_failover,
    remedy_of,
    turned_off,
)
from deploytool.core.failover.records import StandbyRecord, SwitchRecord
from deploytool.core.failover.standby import service_from
from deploytool.core.route53.zone import RecordSet
from deploytool.core.service.ports import HealthChecks
from deploytool.core.service.service import Service


@dataclass(frozen=True)
class Readiness:
    """Whether a failover can happen.

    `reasons` tell why not. `deleted` are the names of what is deleted, as the graph file's section
    `service` has them. `remedy` is what comes first when nothing is deleted, and `turned_off` the
    health checks that are disabled or inverted. `unknown` tells why it could not be read; it is
    empty when it was.
    """

    reasons: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    unknown: str = ""
    remedy: Remedy | None = None
    turned_off: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool | None:
        """Whether a failover can happen; None when that is not known."""
        return None if self.unknown else not self.reasons


@dataclass(frozen=True)
class ReadinessPorts:
    """What is read: the stage's records in the standby region, health checks, records of a zone."""

    standby: StandbyRecords
    health_checks: HealthChecks
    records: Callable[[str, str], Sequence[RecordSet]]


def read_readiness(ports: ReadinessPorts) -> Readiness:
    """Return whether a failover of the stage can happen. Never raises because of an API."""
    try:
        record = ports.standby.read(StandbyRecord)
        if record is None:
            return Readiness(unknown="the standby region keeps no record of the stage")
        service = service_from(record)
        if not service.health_check_id:
            return Readiness(unknown="its DNS is hosted elsewhere")
        # Nothing can be said about what hangs on a deleted health check
        deleted = _deleted(ports.health_checks, service)
        if deleted:
            return Readiness(tuple(deleted.values()), tuple(deleted))
        return _read(ports, service)
    except (ApiUnavailable, CloudRefused) as error:
        return Readiness(unknown=str(error))


def _read(ports: ReadinessPorts, service: Service) -> Readiness:
    try:
        records = ports.records(service.hosted_zone_id, service.domain)
    except NoSuchZone:
        return Readiness(
            (f"the hosted zone {service.hosted_zone_id} of {service.domain} is deleted",)
        )

    health_check = ports.health_checks.get(service.health_check_id)
    switch = _read_switch(ports, service)
    reasons = reasons_against_failover(service, health_check, switch, records)
    if not reasons:
        return Readiness()
    return Readiness(
        tuple(reasons),
        remedy=remedy_of(health_check, switch),
        turned_off=turned_off(health_check, switch),
    )


def _deleted(health_checks: HealthChecks, service: Service) -> dict[str, str]:
    """Return a reason for each health check of the stage that is deleted, by its name.

    Route 53 then promises nothing for the records that name it: their "future status" "can't be
    predicted and may change" (API reference of DeleteHealthCheck).
    """
    checks = {
        "health_check": (service.health_check_id, "of the primary's endpoint"),
        "failover_check": (service.failover_health_check_id, "that the primary's record takes"),
        "switch_check": (service.switch_health_check_id, "of the switch"),
    }
    return {
        name: f"health check {id_} {what} is deleted"
        for name, (id_, what) in checks.items()
        if id_ and not _exists(health_checks, id_)
    }


def _exists(health_checks: HealthChecks, health_check_id: str) -> bool:
    try:
        health_checks.get(health_check_id)
    except NoSuchHealthCheck:
        return False
    return True


def _read_switch(ports: ReadinessPorts, service: Service) -> SwitchState | None:
    """Return the switch of a stage; None for a stage that was deployed without one."""
    if not service.failover_health_check_id:
        return None
    return SwitchState(
        calculated=ports.health_checks.get(service.failover_health_check_id),
        on_alarm=ports.health_checks.get(service.switch_health_check_id),
        record=ports.standby.read(SwitchRecord),
    )
