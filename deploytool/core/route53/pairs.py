"""Finds a pair of failover records in a hosted zone, and the health check that moves it. Pure.

Anybody may have made the records: Terraform, the CDK, the console. An alias to another name of the
zone is followed, so that records of other routing policies may be nested below a failover record.

Sources: Route 53 Developer Guide, "How health checks work in complex Amazon Route 53
configurations" (an alias with EvaluateTargetHealth is healthy while one of the records that it
points to is); API reference of ResourceRecordSet and AliasTarget.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from deploytool.core.errors import DrillRefused, InputError
from deploytool.core.route53.names import region_in
from deploytool.core.route53.routing import PRIMARY, SECONDARY, points_into
from deploytool.core.route53.zone import (
    ADDRESS_TYPES,
    HostedZone,
    RecordSet,
    RoutingPolicy,
    ancestors,
    canonical,
    labels,
    record_sets,
)

# The types of records that send clients somewhere. A CNAME has no other record beside it.
PAIR_TYPES = (*ADDRESS_TYPES, "CNAME")
# Aliases that are followed, one after the other
_LONGEST_CHAIN = 8

# The verdict on a health check by its id; None where Route 53 does not tell it
Verdicts = Callable[[str], bool | None]


@dataclass(frozen=True)
class Branch:
    """A record set, and the record sets of the zone to which its alias leads.

    `targets` is empty for an alias to a service of AWS, and for a record set that is no alias.
    """

    record: RecordSet
    targets: tuple["Branch", ...] = ()

    def records(self) -> Iterator[RecordSet]:
        """Yield its record set, then all below it."""
        yield self.record
        for target in self.targets:
            yield from target.records()

    @property
    def evaluates_targets(self) -> bool:
        """Whether the record set counts as unhealthy when its target does."""
        alias = self.record.alias
        return alias is not None and alias.evaluate_target_health

    def healthy(self, verdict: Verdicts) -> bool | None:
        """Return whether the record set counts as healthy; None where that is not known.

        What is not a record of the zone, like a load balancer, is taken for healthy.
        """
        own = verdict(self.record.health_check_id) if self.record.health_check_id else True
        if own is False or not self.evaluates_targets or not self.targets:
            return own
        below = [target.healthy(verdict) for target in self.targets]
        if True in below:
            return own
        return None if None in below else False


@dataclass(frozen=True)
class Side:
    """One half of a pair: the PRIMARY or the SECONDARY record sets, one of each type.

    `name` is the DNS name to which its A or CNAME record leads, without a final dot; for a record
    with fixed `addresses` the first of these. `region` is the AWS region that the name tells, ""
    where it tells none or several.
    """

    role: str
    branches: tuple[Branch, ...]
    name: str
    addresses: tuple[str, ...]
    region: str

    def records(self) -> tuple[RecordSet, ...]:
        """Return its record sets, and those to which their aliases lead."""
        return tuple(record for branch in self.branches for record in branch.records())

    def health_checks(self) -> tuple[str, ...]:
        """Return the ids of the health checks of its record sets, each once."""
        ids = (record.health_check_id for record in self.records() if record.health_check_id)
        return tuple(dict.fromkeys(ids))

    def healthy(self, verdict: Verdicts) -> bool | None:
        """Return whether all of its record sets count as healthy; None where that is not known."""
        verdicts = [branch.healthy(verdict) for branch in self.branches]
        if False in verdicts:
            return False
        return None if None in verdicts else True


@dataclass(frozen=True)
class FailoverPair:
    """The failover records of a name. `domain` has no final dot, `zone_name` has one."""

    domain: str
    zone_id: str
    zone_name: str
    primary: Side
    secondary: Side

    def records(self) -> tuple[RecordSet, ...]:
        """Return the record sets of the pair, and those to which their aliases lead."""
        return tuple(dict.fromkeys((*self.primary.records(), *self.secondary.records())))


def find_pair(zone: HostedZone, domain: str) -> FailoverPair:
    """Return the pair of failover records of a name in its zone.

    Raises InputError when the name has none, DrillRefused for aliases that lead nowhere.
    """
    owner = canonical(domain)
    types = [type_ for type_ in PAIR_TYPES if record_sets(zone, owner, type_)]
    if not types:
        raise _no_record(zone, domain)

    primaries: list[Branch] = []
    secondaries: list[Branch] = []
    for type_ in types:
        of_type = record_sets(zone, owner, type_)
        primary, secondary = _roles(domain, type_, of_type)
        primaries.append(_branch(zone, primary))
        secondaries.append(_branch(zone, secondary))
    if types == ["AAAA"]:
        raise DrillRefused(
            f"{domain} has AAAA records only: the clients of a drill use IPv4",
            hint="give the name A records with the same health check",
        )

    pair = FailoverPair(
        domain=owner.rstrip("."),
        zone_id=zone.id,
        zone_name=zone.name,
        primary=_side(zone, PRIMARY, primaries),
        secondary=_side(zone, SECONDARY, secondaries),
    )
    if pair.primary.name == pair.secondary.name:
        raise DrillRefused(
            f"the primary and the secondary of {domain} both lead to {pair.primary.name}:"
            " a failover changes nothing"
        )
    return pair


def primary_health_checks(zone: HostedZone, domain: str) -> tuple[str, ...]:
    """Return the ids of the health checks of a name's PRIMARY records, and of what is below them.

    A restore asks for them, also where the records are no pair any more. Raises InputError for a
    name without a PRIMARY record.
    """
    owner = canonical(domain)
    ids: dict[str, None] = {}
    primaries = [
        record
        for type_ in PAIR_TYPES
        for record in record_sets(zone, owner, type_)
        if record.failover == PRIMARY
    ]
    if not primaries:
        find_pair(zone, domain)
    for record in primaries:
        try:
            branch = _branch(zone, record)
        except DrillRefused:
            branch = Branch(record)
        ids |= dict.fromkeys(each.health_check_id for each in branch.records())
    return tuple(id_ for id_ in ids if id_)


def health_check_to_invert(pair: FailoverPair) -> str:
    """Return the id of the health check that alone makes the primary unhealthy when it is inverted.

    Raises DrillRefused when no single health check does.
    """
    found: dict[str, str] = {}
    for branch in pair.primary.branches:
        found[branch.record.type] = _lever(pair.domain, branch)
    if len(set(found.values())) > 1:
        each = ", ".join(f"{type_} has {id_}" for type_, id_ in found.items())
        raise DrillRefused(
            f"the primary records of {pair.domain} have different health checks ({each}):"
            " a drill inverts one, so that the clients of the other type would not move",
            hint="give both records the same health check",
        )
    lever = next(iter(found.values()))

    for branch in pair.secondary.branches:
        if _fails_by(branch, lever):
            raise DrillRefused(
                f"the secondary {branch.record.type} record of {pair.domain} takes the same health"
                f" check, {lever}: with both unhealthy Route 53 answers with the primary",
                hint="give the secondary a health check of its own, or none",
            )
    return lever


def _lever(domain: str, branch: Branch) -> str:
    """Return the health check that alone makes a primary record set unhealthy."""
    record = branch.record
    if record.health_check_id:
        return record.health_check_id

    name = f"the primary {record.type} record of {domain}"
    if not branch.evaluates_targets:
        raise DrillRefused(
            f"{name} has no health check and no EvaluateTargetHealth: Route 53 always counts it as"
            " healthy, so that it never fails over, and there is nothing to invert",
            hint="give the record a health check of the primary's own endpoint",
        )
    if not branch.targets:
        target = record.alias.dns_name.rstrip(".") if record.alias else ""
        raise DrillRefused(
            f"{name} has no health check: it follows the health of {target} itself"
            " (EvaluateTargetHealth), which no call of Route 53 changes",
            hint="give the record a health check of the primary's own endpoint too",
        )

    below = dict.fromkeys(each.health_check_id for each in branch.records())
    for id_ in below:
        if id_ and _fails_by(branch, id_):
            return id_
    raise DrillRefused(_reason_of_many(name, branch), hint="give the record a health check")


def _reason_of_many(name: str, branch: Branch) -> str:
    """Return why no single health check makes an alias to records of the zone unhealthy."""
    parts: list[str] = []
    for record in branch.records():
        if record is not branch.record and record.alias is None:
            parts.append(f"{_title(record)} with {record.health_check_id or 'no health check'}")
    for each in branch.targets:
        if each.record.alias is not None:
            check = each.record.health_check_id or "no health check"
            parts.append(f"{_title(each.record)} with {check}")
    return (
        f"{name} is healthy while one of the records below it is, and no single health check makes"
        f" all of them unhealthy: {', '.join(dict.fromkeys(parts))}"
    )


def _title(record: RecordSet) -> str:
    identifier = f" ({record.set_identifier})" if record.set_identifier else ""
    return f"{record.name.rstrip('.')} {record.type}{identifier}"


def _fails_by(branch: Branch, health_check_id: str) -> bool:
    """Return whether a record set is unhealthy when only that one health check is."""
    return branch.healthy(lambda id_: id_ != health_check_id) is False


def _roles(domain: str, type_: str, records: Sequence[RecordSet]) -> tuple[RecordSet, RecordSet]:
    """Return the primary and the secondary record set of a type. Raises InputError."""
    policies = sorted({str(record.policy) for record in records})
    if policies != [RoutingPolicy.FAILOVER]:
        raise InputError(
            f"the {type_} records of {domain} have {' and '.join(policies)} routing, not failover:"
            " there is no primary and no secondary to move traffic between",
            hint="name the domain whose records have failover routing with --domain",
        )
    by_role = {record.failover: record for record in records}
    for role in (PRIMARY, SECONDARY):
        if role not in by_role:
            other = SECONDARY if role == PRIMARY else PRIMARY
            raise InputError(
                f"{domain} has a {other} failover record of type {type_} and no {role}:"
                " it is not a pair"
            )
    return by_role[PRIMARY], by_role[SECONDARY]


def _no_record(zone: HostedZone, domain: str) -> InputError:
    """Return the error about a name that has no record in its zone."""
    where = f"hosted zone {zone.id} ({zone.name.rstrip('.')})"
    above = [owner for owner in ancestors(domain) if len(owner) > len(labels(zone.name))]
    for owner in above:
        name = ".".join(owner)
        if record_sets(zone, name, "NS"):
            return InputError(
                f"{where} delegates {name} to other name servers, so the records of {domain} are in"
                " another zone",
                hint="use the account that has that zone, or name the zone with --zone-id",
            )
    return InputError(
        f"{where} has no failover pair of {domain}: no A, AAAA or CNAME record of that name",
        hint="another zone is named with --zone-id; a wildcard is drilled by its own name only",
    )


def _branch(zone: HostedZone, record: RecordSet, path: tuple[RecordSet, ...] = ()) -> Branch:
    """Return a record set with what is below it. Raises DrillRefused when that leads nowhere."""
    if not points_into(record, zone) or record.alias is None:
        return Branch(record)
    if record in path or len(path) >= _LONGEST_CHAIN:
        raise DrillRefused(f"{_title(record)}: its aliases point in a circle")

    found = record_sets(zone, record.alias.dns_name, record.type)
    if not found:
        target = record.alias.dns_name.rstrip(".")
        raise DrillRefused(
            f"{_title(record)} is an alias to {target}, which has no {record.type} record: it"
            " answers with nothing"
        )
    return Branch(record, tuple(_branch(zone, each, (*path, record)) for each in found))


def _side(zone: HostedZone, role: str, branches: Sequence[Branch]) -> Side:
    # Where clients go is told by the record that IPv4 clients get
    record = next(each.record for each in branches if each.record.type != "AAAA")
    name = _leads_to(record)
    addresses = record.values if record.alias is None and record.type == "A" else ()
    return Side(role, tuple(branches), name, addresses, _region(zone, record, name))


def _leads_to(record: RecordSet) -> str:
    """Return the name to which a record leads, or its first address."""
    if record.alias is not None:
        return record.alias.dns_name.rstrip(".")
    return record.values[0].rstrip(".")


def _region(zone: HostedZone, record: RecordSet, name: str) -> str:
    """Return the one region of all places to which a record leads, "" when there is none."""
    regions = {region_in(leaf) for leaf in _leaves(zone, record, 0)}
    if len(regions) == 1 and "" not in regions:
        return regions.pop()
    # Nobody names a region's endpoint after another region
    return region_in(name) if regions <= {""} else ""


def _leaves(zone: HostedZone, record: RecordSet, depth: int) -> Iterator[str]:
    """Yield the names outside the zone, and the addresses, to which a record leads."""
    name = _leads_to(record)
    inside: tuple[RecordSet, ...] = ()
    if record.type == "CNAME":
        inside = tuple(each for type_ in PAIR_TYPES for each in record_sets(zone, name, type_))
    elif points_into(record, zone):
        inside = record_sets(zone, name, record.type)
    if not inside or depth >= _LONGEST_CHAIN:
        yield name
    for each in inside:
        if depth < _LONGEST_CHAIN and each.type != "AAAA":
            yield from _leaves(zone, each, depth + 1)
