"""Routing policies: the record set that answers for a name and type, given what is healthy. Pure.

Sources: Route 53 Developer Guide, "How health checks work in simple / complex Amazon Route 53
configurations" and "How Amazon Route 53 chooses records when health checking is configured"; API
reference of ResourceRecordSet (Failover) and AliasTarget. Simple and failover routing are
supported. Every other policy is refused, because an answer that AWS would not give is worse than
none.
"""

from collections.abc import Callable, Sequence

from deploytool.core.route53.zone import HostedZone, NotSupported, RecordSet, canonical, record_sets

PRIMARY = "PRIMARY"
SECONDARY = "SECONDARY"


def failover(primary_healthy: bool, secondary_healthy: bool) -> str:  # noqa: FBT001 - columns of the table
    """Return which of two failover records answers: PRIMARY or SECONDARY.

    A record without a health check counts as healthy.

    | primary   | secondary                     | answer    |
    |-----------|-------------------------------|-----------|
    | healthy   | any                           | primary   |
    | unhealthy | healthy, or no health check   | secondary |
    | unhealthy | unhealthy                     | primary   |
    """
    if not primary_healthy and secondary_healthy:
        return SECONDARY
    return PRIMARY


def select(
    records: Sequence[RecordSet], is_healthy: Callable[[str], bool], zone: HostedZone | None = None
) -> RecordSet:
    """Return the record set that answers, of those of one name and type (at least one).

    `is_healthy` gives the verdict on a health check by its id. `zone` is needed where an alias with
    EvaluateTargetHealth points to a record set of the same zone. Raises NotSupported for routing
    policies other than simple and failover.
    """
    # A simple record answers whatever its health: when no record is healthy, Route 53 considers all
    # of them healthy.
    if len(records) == 1 and not records[0].failover and not records[0].set_identifier:
        return records[0]

    by_role = {record.failover: record for record in records}
    has_repeated_role = len(by_role) < len(records)
    if has_repeated_role or not by_role.keys() <= {PRIMARY, SECONDARY}:
        raise NotSupported(_refusal(records))

    # A failover record without its counterpart answers like a simple one (our reading).
    if len(records) == 1:
        return records[0]

    primary_healthy = is_record_healthy(by_role[PRIMARY], is_healthy, zone)
    secondary_healthy = is_record_healthy(by_role[SECONDARY], is_healthy, zone)
    return by_role[failover(primary_healthy, secondary_healthy)]


def is_record_healthy(
    record: RecordSet, is_healthy: Callable[[str], bool], zone: HostedZone | None = None
) -> bool:
    """Return whether a record set counts as healthy.

    Its health check must be healthy and, with EvaluateTargetHealth, its target too. Raises
    NotSupported when aliases point in a circle.
    """
    return _is_record_healthy(record, is_healthy, zone, ())


def _is_record_healthy(
    record: RecordSet,
    is_healthy: Callable[[str], bool],
    zone: HostedZone | None,
    path: tuple[RecordSet, ...],
) -> bool:
    """Judge a record set that was reached by the aliases of `path`."""
    if record in path:
        raise NotSupported(f"{record.name} {record.type}: its aliases point in a circle")
    if record.health_check_id and not is_healthy(record.health_check_id):
        return False
    if record.alias is None or not record.alias.evaluate_target_health:
        return True

    # A target outside the zone is a service of AWS. For API Gateway, EvaluateTargetHealth fails
    # only when the service is unavailable in the region. That is not modelled: it counts as
    # available.
    if zone is None or not points_into(record, zone):
        return True

    # A target within the zone is healthy when one of its record sets is.
    targets = record_sets(zone, record.alias.dns_name, record.type)
    return any(_is_record_healthy(target, is_healthy, zone, (*path, record)) for target in targets)


def points_into(record: RecordSet, zone: HostedZone) -> bool:
    """Return whether an alias record's target is in the same zone, and not an AWS service."""
    return record.alias is not None and record.alias.hosted_zone_id == zone.id


def _refusal(records: Sequence[RecordSet]) -> str:
    """Return the message about record sets that are neither simple nor a failover pair."""
    owner = f"{canonical(records[0].name)} {records[0].type}"
    # Every policy but simple routing needs a set identifier.
    if any(record.set_identifier and not record.failover for record in records):
        return (
            f"{owner}: only simple and failover routing are supported here,"
            " not weighted, latency, geolocation or multivalue"
        )
    return (
        f"{owner}: a name has one simple record set of a type,"
        " or one PRIMARY and one SECONDARY, no other mix"
    )
