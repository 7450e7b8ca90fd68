"""Which record sets cannot stand beside each other in a zone. Pure.

Sources: API reference of ResourceRecordSet (SetIdentifier, Weight, Region, Failover, GeoLocation);
Developer Guide, "Supported DNS record types" (CNAME). Sources of the texts: presslabs/zinc#178 and
ansible-collections/amazon.aws#2694 (CNAME), chef-boneyard/route53#100 and
kubernetes-sigs/external-dns#1411 (another routing policy), hashicorp/terraform-provider-aws#1668
(latency). Those about failover, geolocation and weights are our wording.
"""

from collections.abc import Iterator, Sequence

from deploytool.core.route53.zone import HostedZone, RecordSet, RoutingPolicy, canonical, labels

# Developer Guide, "Quotas".
MOST_WEIGHTED = 100


def is_within(zone: HostedZone, name: str) -> bool:
    """Return whether a name is the zone's own or one below it."""
    apex = labels(zone.name)
    return labels(name)[-len(apex) :] == apex


def conflicts(zone: HostedZone, record: RecordSet, others: Sequence[RecordSet]) -> Iterator[str]:
    """Yield why a record set cannot be created or changed beside the `others` of its zone.

    `others` may hold the record set itself as it is now, which does not count.
    """
    owner = canonical(record.name)
    zone_name = zone.name.rstrip(".") + "."
    if not is_within(zone, owner):
        # Source of the text: getmoto/moto#916.
        yield f"RRSet with DNS name {owner} is not permitted in zone {zone_name}"
        return
    if record.type == "CNAME" and labels(owner) == labels(zone.name):
        yield (
            f"RRSet of type CNAME with DNS name {owner} is not permitted at apex in zone {zone_name}"
        )

    of_name = [
        other for other in others if canonical(other.name) == owner and other.key != record.key
    ]
    yield from _cname_conflict(zone_name, record, of_name)
    of_type = [other for other in of_name if other.type == record.type]
    yield from _policy_conflict(record, of_type)


def _cname_conflict(zone_name: str, record: RecordSet, of_name: list[RecordSet]) -> Iterator[str]:
    """A name with a CNAME has no record of another type."""
    owner = canonical(record.name)
    types = {other.type for other in of_name}
    if record.type == "CNAME" and types - {"CNAME"}:
        yield (
            f"RRSet of type CNAME with DNS name {owner} is not permitted"
            f" as it conflicts with other records with the same DNS name in zone {zone_name}"
        )
    if record.type != "CNAME" and "CNAME" in types:
        yield (
            f"RRSet of type {record.type} with DNS name {owner} is not permitted because a"
            f" conflicting RRSet of type CNAME with the same DNS name already exists in zone"
            f" {zone_name}"
        )


def _policy_conflict(record: RecordSet, of_type: list[RecordSet]) -> Iterator[str]:
    """Record sets of one name and type have one routing policy, and differ in it."""
    owner = f"RRSet with DNS name {canonical(record.name)}, type {record.type}"
    if not of_type:
        return
    if record.policy is RoutingPolicy.SIMPLE:
        yield f"{owner} cannot be created as other RRSets exist with the same name and type."
        return

    owner += f", SetIdentifier {record.set_identifier}"
    if any(other.policy is not record.policy for other in of_type):
        yield (
            f"{owner} cannot be created as a non-{record.policy} set exists"
            " with the same name and type."
        )
        return
    yield from _same_policy_conflict(owner, record, of_type)


def _same_policy_conflict(owner: str, record: RecordSet, of_type: list[RecordSet]) -> Iterator[str]:
    distinguishing = _distinguishing(record)
    if distinguishing and any(_distinguishing(other) == distinguishing for other in of_type):
        name, value = distinguishing
        yield (
            f"{owner}, and {name}={value} cannot be created because a {record.policy} RRSet"
            " with the same name, type and"
            f" {_WORDS[record.policy]} already exists."
        )
    if record.policy is not RoutingPolicy.WEIGHTED:
        return

    if len(of_type) >= MOST_WEIGHTED:
        yield f"{owner}: {MOST_WEIGHTED} weighted RRSets of a name and type are the most"
    # ResourceRecordSet, TTL: "All ... weighted resource record sets must have the same value".
    ttls = {other.ttl for other in (record, *of_type) if other.alias is None}
    if len(ttls) > 1:
        yield f"{owner}: all weighted RRSets of a name and type must have the same TTL"


_WORDS = {
    RoutingPolicy.LATENCY: "region",
    RoutingPolicy.FAILOVER: "failover type",
    RoutingPolicy.GEOLOCATION: "location",
    RoutingPolicy.IP_BASED: "location",
}


def _distinguishing(record: RecordSet) -> tuple[str, str] | None:
    """Return what only one record set of a name and type can have: the words for it, and it."""
    match record.policy:
        case RoutingPolicy.LATENCY:
            return "Region Name", record.region
        case RoutingPolicy.FAILOVER:
            return "Failover", record.failover
        case RoutingPolicy.GEOLOCATION:
            return "GeoLocation", record.location
        case RoutingPolicy.IP_BASED:
            return "CidrRoutingConfig", record.cidr
        case RoutingPolicy.SIMPLE | RoutingPolicy.WEIGHTED | RoutingPolicy.MULTIVALUE:
            return None
