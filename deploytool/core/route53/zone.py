r"""Hosted zones and record sets as values, and which record sets a question concerns. Pure.

Looking up follows RFC 1034 section 4.3.2 and, for wildcards and empty non-terminals, RFC 4592;
Route 53 says that it does as DNS does (Developer Guide, "DNS domain name format"). Names are text
with a final dot; upper and lower case are the same, and the `\052` that Route 53 stores for an
asterisk is an asterisk.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from deploytool.core.errors import DeploytoolError

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


@dataclass(frozen=True)
class RecordSet:
    """One resource record set. `name` is lower case with a final dot; `ttl` in seconds, None for an
    alias.

    `failover` is PRIMARY, SECONDARY or empty; `values` are in the text that Route 53 takes for the
    type.
    """

    name: str
    type: str
    ttl: int | None = None
    values: tuple[str, ...] = ()
    alias: AliasTarget | None = None
    set_identifier: str = ""
    failover: str = ""
    health_check_id: str = ""


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
    r"""A DNS name as this module compares it: lower case, one final dot, an asterisk for `\052`."""
    return name.lower().replace("\\052", "*").rstrip(".") + "."


@lru_cache(maxsize=4096)
def labels(name: str) -> tuple[str, ...]:
    """Return the labels of a name, leftmost first. A dot after a backslash is part of its label."""
    return tuple(re.findall(r"(?:\\.|[^.\\])+", canonical(name), re.DOTALL))


def ancestors(name: str) -> Iterator[tuple[str, ...]]:
    """Give the labels of a name and of each name above it, up to the root, longest first.

    The zone with the longest of these names has the authority for the name (RFC 1034 section
    4.3.2, step 2).
    """
    name_labels = labels(name)
    for start in range(len(name_labels) + 1):
        yield name_labels[start:]


def find_zone(zones: Iterable[HostedZone], name: str) -> HostedZone | None:
    """Return the hosted zone with the longest name that `name` is in, or None.

    Of zones with the same name the last is returned, as if the parent delegated to the newest. (At
    AWS each has its own name servers, and the delegation decides; here one address serves them
    all.)
    """
    zone_of_name = {labels(zone.name): zone for zone in zones}
    for ancestor in ancestors(name):
        if ancestor in zone_of_name:
            return zone_of_name[ancestor]
    return None


def record_sets(zone: HostedZone, name: str, type_: str) -> tuple[RecordSet, ...]:
    """Return the record sets of exactly this name and type, without wildcards."""
    return tuple(
        record
        for record in zone.records
        if record.type == type_ and canonical(record.name) == canonical(name)
    )


def soa(zone: HostedZone) -> RecordSet:
    """Return the zone's SOA record set, which negative answers carry.

    Raises NotSupported when the zone has none.
    """
    found = record_sets(zone, zone.name, "SOA")
    if not found:
        raise NotSupported(f"hosted zone {zone.id} ({zone.name}) has no SOA record")
    return found[0]


def lookup(zone: HostedZone, name: str, type_: str) -> Lookup:
    """Return what the zone has for a name within it (see `find_zone`) and a type.

    Routing policies are not applied yet.
    """
    asked = labels(name)
    if (cut := _delegation(zone, asked, type_)) is not None:
        return Referral(cut)
    existing = _existing_names(zone)
    if asked in existing:
        return _at(zone, asked, type_)
    encloser = next(
        asked[start:] for start in range(1, len(asked) + 1) if asked[start:] in existing
    )
    wildcard = ("*", *encloser)
    return _at(zone, wildcard, type_) if wildcard in existing else NxDomain()


def _existing_names(zone: HostedZone) -> set[tuple[str, ...]]:
    """Return every name of the zone as labels.

    These are the owners of record sets and, between them and the apex, empty non-terminals.
    """
    apex = len(labels(zone.name))
    owners = [labels(zone.name), *(labels(record.name) for record in zone.records)]
    return {owner[start:] for owner in owners for start in range(len(owner) - apex + 1)}


def _delegation(zone: HostedZone, asked: tuple[str, ...], type_: str) -> RecordSet | None:
    """Return the NS record set of the delegation nearest to the apex, at or above the name.

    The NS record set at the apex is no delegation. The parent itself answers for DS at the cut.
    """
    apex = labels(zone.name)
    cuts = {
        labels(record.name): record
        for record in zone.records
        if record.type == "NS" and labels(record.name) != apex
    }
    for start in range(len(asked) - len(apex) - 1, -1, -1):
        if (cut := cuts.get(asked[start:])) is not None:
            return None if type_ == "DS" and start == 0 else cut
    return None


def _at(zone: HostedZone, owner: tuple[str, ...], type_: str) -> Lookup:
    here = [record for record in zone.records if labels(record.name) == owner]
    if found := tuple(record for record in here if record.type == type_):
        return Found(found)
    if cname := tuple(record for record in here if record.type == "CNAME"):
        return Cname(cname)
    return NoData()


@dataclass(frozen=True)
class DnsRecord:
    """One record: absolute names with a final dot."""

    name: str
    type: str
    value: str
