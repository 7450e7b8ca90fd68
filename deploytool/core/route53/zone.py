r"""Hosted zones and record sets as values, and the lookup of a name and type in a zone. Pure.

The lookup follows RFC 1034 section 4.3.2 and, for wildcards and empty non-terminals, RFC 4592.
Route 53 documents that it follows DNS there (Developer Guide, "DNS domain name format"). Names are
text with a final dot. Upper and lower case are the same. Route 53 stores an asterisk as `\052`,
which is compared as an asterisk.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from deploytool.core.errors import DeploytoolError

# The types of the records with a name's addresses: IPv4 and IPv6.
ADDRESS_TYPES = ("A", "AAAA")

# Seconds. An alias has no TTL of its own: its answer carries the target's, 60 s for API Gateway.
# Source: Developer Guide, "Values specific for failover alias records".
ALIAS_TTL = 60


class NotSupported(DeploytoolError):
    """A zone uses a feature that is not supported here, or that Route 53 itself would refuse."""


@dataclass(frozen=True)
class AliasTarget:
    """Where an alias record points: a DNS name (lower case, final dot) in a hosted zone of AWS."""

    dns_name: str
    hosted_zone_id: str
    evaluate_target_health: bool


class RoutingPolicy(StrEnum):
    """How one of several record sets of a name and type is chosen (API reference, ResourceRecordSet)."""

    SIMPLE = "simple"
    WEIGHTED = "weighted"
    LATENCY = "latency"
    FAILOVER = "failover"
    GEOLOCATION = "geolocation"
    MULTIVALUE = "multivalue"
    IP_BASED = "IP-based"


@dataclass(frozen=True)
class RecordSet:
    """One resource record set. `name` is lower case with a final dot.

    `ttl` is in seconds, None for an alias. `failover` is PRIMARY, SECONDARY or empty. `values` are
    in the text that Route 53 takes for the type. `region`, `location` and `cidr` say where the
    clients of a latency, geolocation or IP-based record set are.
    """

    name: str
    type: str
    ttl: int | None = None
    values: tuple[str, ...] = ()
    alias: AliasTarget | None = None
    set_identifier: str = ""
    failover: str = ""
    health_check_id: str = ""
    weight: int | None = None
    region: str = ""
    location: str = ""
    cidr: str = ""
    multivalue: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells a record set from all others of its zone: name, type and set identifier."""
        return (canonical(self.name), self.type, self.set_identifier)

    @property
    def policies(self) -> tuple[RoutingPolicy, ...]:
        """The routing policies that it specifies: none for simple routing, and one at most is valid."""
        specified = {
            RoutingPolicy.WEIGHTED: self.weight is not None,
            RoutingPolicy.LATENCY: bool(self.region),
            RoutingPolicy.FAILOVER: bool(self.failover),
            RoutingPolicy.GEOLOCATION: bool(self.location),
            RoutingPolicy.MULTIVALUE: self.multivalue,
            RoutingPolicy.IP_BASED: bool(self.cidr),
        }
        return tuple(policy for policy, is_specified in specified.items() if is_specified)

    @property
    def policy(self) -> RoutingPolicy:
        """Its routing policy."""
        return self.policies[0] if self.policies else RoutingPolicy.SIMPLE


@dataclass(frozen=True)
class HostedZone:
    """A public hosted zone. `name` is lower case with a final dot.

    `records` are all its record sets, with SOA and NS.
    """

    id: str
    name: str
    name_servers: tuple[str, ...]
    records: tuple[RecordSet, ...]


@dataclass(frozen=True)
class Found:
    """The name has record sets of the type: more than one where a routing policy must choose."""

    records: tuple[RecordSet, ...]


@dataclass(frozen=True)
class Cname:
    """The name has a CNAME record set, which answers in place of the requested type."""

    records: tuple[RecordSet, ...]


@dataclass(frozen=True)
class Referral:
    """The name is at or below a delegation, so this zone has no authority for it.

    `ns` is the NS record set of the child zone.
    """

    ns: RecordSet


@dataclass(frozen=True)
class NoData:
    """The name exists, perhaps only because names below it do, but has nothing of the type."""


@dataclass(frozen=True)
class NxDomain:
    """The name does not exist, and no wildcard covers it."""


Lookup = Found | Cname | Referral | NoData | NxDomain


def canonical(name: str) -> str:
    r"""Return a DNS name in lower case, with one final dot, and with an asterisk for `\052`."""
    return name.lower().replace("\\052", "*").rstrip(".") + "."


@lru_cache(maxsize=4096)
def labels(name: str) -> tuple[str, ...]:
    """Return the labels of a name, leftmost first. A dot after a backslash is part of its label."""
    return tuple(re.findall(r"(?:\\.|[^.\\])+", canonical(name), re.DOTALL))


def ancestors(name: str) -> Iterator[tuple[str, ...]]:
    """Yield the labels of a name and of each name above it, up to the root, longest first.

    The zone with the longest of these names has the authority for the name (RFC 1034 section
    4.3.2, step 2).
    """
    name_labels = labels(name)
    for start in range(len(name_labels) + 1):
        yield name_labels[start:]


def find_zone(zones: Iterable[HostedZone], name: str) -> HostedZone | None:
    """Return the hosted zone with the longest name that `name` is in, or None.

    Of zones with the same name the last is returned, as if the parent delegated to the newest. (At
    AWS each zone has its own name servers, and the delegation decides. Here one address serves them
    all.)
    """
    zone_of_name = {}
    for zone in zones:
        # A later zone replaces an earlier one of the same name.
        zone_of_name[labels(zone.name)] = zone

    for ancestor in ancestors(name):
        if ancestor in zone_of_name:
            return zone_of_name[ancestor]
    return None


def record_sets(zone: HostedZone, name: str, type_: str) -> tuple[RecordSet, ...]:
    """Return the record sets of exactly this name and type, without wildcards."""
    owner = canonical(name)
    return tuple(
        record
        for record in zone.records
        if record.type == type_ and canonical(record.name) == owner
    )


def soa(zone: HostedZone) -> RecordSet:
    """Return the zone's SOA record set, which negative answers carry.

    Raises NotSupported when the zone has none.
    """
    soa_sets = record_sets(zone, zone.name, "SOA")
    if not soa_sets:
        raise NotSupported(f"hosted zone {zone.id} ({zone.name}) has no SOA record")
    return soa_sets[0]


def lookup(zone: HostedZone, name: str, type_: str) -> Lookup:
    """Return what the zone has for a name within it (see `find_zone`) and a type.

    Routing policies are not applied yet.
    """
    name_labels = labels(name)
    delegation = _delegation(zone, name_labels, type_)
    if delegation is not None:
        return Referral(delegation)

    existing = _existing_names(zone)
    if name_labels in existing:
        return _at(zone, name_labels, type_)

    # Only the wildcard at the closest encloser, the nearest ancestor that exists, can cover the
    # name (RFC 4592 section 3.3.1). The apex exists, so that there always is one.
    closest_encloser = next(ancestor for ancestor in ancestors(name) if ancestor in existing)
    wildcard = ("*", *closest_encloser)
    if wildcard in existing:
        return _at(zone, wildcard, type_)
    return NxDomain()


def _existing_names(zone: HostedZone) -> set[tuple[str, ...]]:
    """Return every name of the zone as labels.

    These are the apex, the owners of record sets and, between them, empty non-terminals.
    """
    apex = labels(zone.name)
    names = {apex}
    for record in zone.records:
        owner = labels(record.name)
        for start in range(len(owner) - len(apex)):
            names.add(owner[start:])
    return names


def _delegation(zone: HostedZone, name: tuple[str, ...], type_: str) -> RecordSet | None:
    """Return the NS record set of the delegation nearest to the apex, at or above the name."""
    apex = labels(zone.name)
    delegations = {}
    for record in zone.records:
        owner = labels(record.name)
        # The NS record set at the apex is the zone's own and delegates nothing.
        if record.type == "NS" and owner != apex:
            delegations[owner] = record

    # From the name just below the apex down to the name itself, which starts at label 0.
    for start in range(len(name) - len(apex) - 1, -1, -1):
        delegation = delegations.get(name[start:])
        if delegation is None:
            continue
        # DS records of a delegated name are in the parent, so this zone answers (RFC 4035 3.1.4.1).
        if type_ == "DS" and start == 0:
            return None
        return delegation
    return None


def _at(zone: HostedZone, owner: tuple[str, ...], type_: str) -> Lookup:
    """Return what the zone has for a type at exactly this name, which exists."""
    of_type = []
    cnames = []
    for record in zone.records:
        if labels(record.name) != owner:
            continue
        if record.type == type_:
            of_type.append(record)
        elif record.type == "CNAME":
            cnames.append(record)

    if of_type:
        return Found(tuple(of_type))
    if cnames:
        return Cname(tuple(cnames))
    return NoData()


@dataclass(frozen=True)
class DnsRecord:
    """One record: absolute names with a final dot."""

    name: str
    type: str
    value: str
