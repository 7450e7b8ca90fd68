"""Verdicts on health checks from what Route 53's API tells of them, and who depends on one. Pure.

GetHealthCheckStatus tells nothing of calculated health checks and of those on alarms and on routing
controls (API reference of GetHealthCheckStatus). A calculated one is counted here from its
children, as far as that decides it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deploytool.core.route53.calculated import CALCULATED
from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.pairs import FailoverPair
from deploytool.core.route53.zone import HostedZone, RecordSet, canonical

ENDPOINT_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")


@dataclass(frozen=True)
class CheckStates:
    """The health checks of an account, and what the checkers of those of endpoints say.

    `observed` is by id: whether enough checkers say healthy, before Inverted and Disabled. With an
    id in `inverting` that health check is judged as if it were inverted.
    """

    checks: Mapping[str, HealthCheck]
    observed: Mapping[str, bool]
    inverting: str = ""

    def verdict(self, health_check_id: str) -> bool | None:
        """Return the verdict; None where it is not known. A missing health check is not known."""
        return self._verdict(health_check_id, ())

    def counted(self, health_check_id: str) -> bool | None:
        """Return the verdict before Inverted."""
        return self._counted(health_check_id, ())

    def _verdict(self, id_: str, path: tuple[str, ...]) -> bool | None:
        healthy = self._counted(id_, path)
        if healthy is None:
            return None
        inverted = self.checks[id_].config.inverted != (id_ == self.inverting)
        return healthy != inverted

    def _counted(self, id_: str, path: tuple[str, ...]) -> bool | None:
        check = self.checks.get(id_)
        if check is None or id_ in path:
            return None
        config = check.config
        if config.disabled:
            return True
        if config.type != CALCULATED:
            return self.observed.get(id_)

        children = [self._verdict(child, (*path, id_)) for child in config.child_health_checks]
        healthy = children.count(True)
        if healthy >= config.health_threshold:
            return True
        return None if healthy + children.count(None) >= config.health_threshold else False


def parents_of(health_check_id: str, checks: Mapping[str, HealthCheck]) -> tuple[str, ...]:
    """Return the ids of the calculated health checks that count one, directly or not."""
    found: dict[str, None] = {}
    pending = [health_check_id]
    while pending:
        child = pending.pop()
        for check in checks.values():
            if child in check.config.child_health_checks and check.id not in found:
                found[check.id] = None
                pending.append(check.id)
    return tuple(found)


@dataclass(frozen=True)
class Dependent:
    """A record set outside a pair whose health depends on the pair's health check, and by what."""

    record: RecordSet
    zone_name: str
    by: str

    def __str__(self) -> str:
        identifier = f" ({self.record.set_identifier})" if self.record.set_identifier else ""
        where = f"zone {self.zone_name.rstrip('.')}"
        return (
            f"{self.record.name.rstrip('.')} {self.record.type}{identifier} in {where}, {self.by}"
        )


def dependents_of(
    pair: FailoverPair,
    health_check_id: str,
    zones: Iterable[HostedZone],
    checks: Mapping[str, HealthCheck],
) -> tuple[Dependent, ...]:
    """Return the record sets that the health check moves beside those of the pair.

    `zones` are all of the account, with their record sets.
    """
    parents = parents_of(health_check_id, checks)
    affected = {health_check_id, *parents}
    own = {record.key for record in pair.records()}
    # Names below the primary whose own health depends on it
    domain = canonical(pair.domain)
    nested = {
        canonical(record.name)
        for record in pair.records()
        if record.health_check_id in affected and canonical(record.name) != domain
    }

    found: list[Dependent] = []
    for zone in zones:
        for record in zone.records:
            if zone.id == pair.zone_id and record.key in own:
                continue
            by = _dependence(record, health_check_id, affected)
            is_inside = record.alias is not None and record.alias.hosted_zone_id == pair.zone_id
            if not by and is_inside and record.alias is not None:
                alias = record.alias
                if alias.evaluate_target_health and canonical(alias.dns_name) in nested:
                    by = f"by its alias to {alias.dns_name.rstrip('.')}"
            if by:
                found.append(Dependent(record, zone.name, by))
    return tuple(found)


def _dependence(record: RecordSet, health_check_id: str, affected: set[str]) -> str:
    if record.health_check_id == health_check_id:
        return "which takes it"
    if record.health_check_id in affected:
        return f"by the calculated health check {record.health_check_id}"
    return ""


def followers_of(pair: FailoverPair, zones: Iterable[HostedZone]) -> tuple[str, ...]:
    """Return the names that point to the pair's domain, and so move with it."""
    domain = canonical(pair.domain)
    names: dict[str, None] = {}
    for zone in zones:
        for record in zone.records:
            targets = {canonical(record.alias.dns_name)} if record.alias else set()
            if record.type == "CNAME":
                targets |= {canonical(value) for value in record.values}
            if domain in targets and canonical(record.name) != domain:
                names[record.name.rstrip(".")] = None
    return tuple(names)
