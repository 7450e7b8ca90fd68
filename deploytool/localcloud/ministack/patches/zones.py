"""Route 53 zones and record sets in CloudFormation.

MiniStack's hosted zone names other servers than its NS record, drops its tags and is deleted with
records in it; `AWS::Route53::RecordSetGroup` is unknown. Sources: CloudFormation template
reference, AWS::Route53::HostedZone and AWS::Route53::RecordSetGroup; Route 53 Developer Guide,
"Deleting a public hosted zone" (one that has other records than its SOA and NS cannot be deleted).
"""

from collections.abc import Callable, Mapping
from typing import Any

from deploytool.core.route53.changes import Action
from deploytool.localcloud.ministack.controlplane import to_record_set
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.record_sets import (
    Record,
    RecordChanges,
    apply_in_stack,
    deletions_of,
)
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "AWS::Route53::HostedZone.create": "NameServers differ from the NS record; tags are dropped",
    "AWS::Route53::HostedZone.update": "NameServers differ from the NS record; tags are dropped",
    "AWS::Route53::HostedZone.delete": "a zone that has records is deleted",
    "AWS::Route53::RecordSetGroup": "the resource type is unknown",
}

Properties = Mapping[str, Any]
# The physical id and the attributes of a resource
Created = tuple[str, dict[str, Any]]

_GROUP = "AWS::Route53::RecordSetGroup"
_ZONE = "AWS::Route53::HostedZone"
# Developer Guide, "Hosted zone tiers": the tier of a zone that names none.
_TIER = "STANDARD"


def install(patcher: Patcher, changes: RecordChanges) -> None:
    """Correct `AWS::Route53::HostedZone` and add `AWS::Route53::RecordSetGroup`."""
    _install_zone(patcher)
    _install_group(patcher, changes)


def _install_zone(patcher: Patcher) -> None:
    route53 = patcher.ministack.route53
    original = patcher.handler(_ZONE)

    def complete(created: Created, properties: Properties) -> Created:
        """Store the zone's tags and return its name servers as an attribute."""
        zone_id, attributes = created
        tags = {tag["Key"]: str(tag["Value"]) for tag in properties.get("HostedZoneTags") or ()}
        route53._tags[("hostedzone", zone_id)] = tags
        return zone_id, {**attributes, "NameServers": _name_servers(route53, zone_id)}

    def create(logical_id: str, properties: Properties, stack_name: str) -> Created:
        for name in ("VPCs", "QueryLoggingConfig"):
            if properties.get(name):
                raise ValueError(
                    f"{name}: the local cloud has public hosted zones without query logging only"
                )
        tier = (properties.get("HostedZoneConfig") or {}).get("HostedZoneTier", _TIER)
        if tier != _TIER or properties.get("ChangeGuardrails"):
            raise ValueError(
                f"the local cloud has hosted zones of the tier {_TIER} only, with the change"
                " guardrails that are always on"
            )
        return complete(original["create"](logical_id, properties, stack_name), properties)

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str = ""
    ) -> Created:
        return complete(original["update"](physical_id, old, new, stack_name, logical_id), new)

    def delete(physical_id: str, properties: Properties) -> None:
        names = _names_of_other_records(route53, physical_id)
        if names:
            raise ValueError(
                "The specified hosted zone contains non-required resource record sets and so "
                f"cannot be deleted. (HostedZoneNotEmpty: {', '.join(names)})"
            )
        original["delete"](physical_id, properties)

    patcher.replace_operation(_ZONE, "create", create)
    patcher.replace_operation(_ZONE, "update", update)
    patcher.replace_operation(_ZONE, "delete", delete)


def _name_servers(route53: Any, zone_id: str) -> list[str]:
    """Return the name servers of the zone's own NS record, without final dots."""
    zone_name = route53._zones[zone_id]["name"]
    servers: list[str] = []
    for record in route53._records[zone_id]:
        if record["Type"] == "NS" and record["Name"] == zone_name:
            servers += [server.rstrip(".") for server in record["ResourceRecords"]]
    return servers


def _names_of_other_records(route53: Any, zone_id: str) -> list[str]:
    """Return the sorted names of the records that keep a zone from being deleted.

    These are all but the SOA and NS records of the zone itself; none when the zone is gone.
    """
    zone = route53._zones.get(zone_id)
    if zone is None:
        return []

    names = set()
    for record in route53._records[zone_id]:
        required = record["Type"] in ("SOA", "NS") and record["Name"] == zone["name"]
        if not required:
            names.add(record["Name"])
    return sorted(names)


class RecordSetGroup:
    """`AWS::Route53::RecordSetGroup`: several record sets of one zone, changed together."""

    def __init__(self, ministack: MiniStack, changes: RecordChanges) -> None:
        self._changes = changes
        self._provisioners = ministack.provisioners
        self._new_id: Callable[[], str] = ministack.responses.new_uuid

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Created:
        """Create the record sets. Raises ValueError when Route 53 would refuse one of them."""
        batch = [(Action.CREATE, record) for record in self._members(properties)]
        apply_in_stack(self._changes, self._zone(properties), batch)
        return f"{stack_name}-{logical_id}-{self._new_id()[:12]}", {}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
    ) -> Created:
        """Change the record sets in place, or replace the group when its zone changes."""
        # CloudFormation deletes the old group itself when the physical id changes.
        zone_id = self._zone(new)
        if self._zone(old) != zone_id:
            return self.create(logical_id, new, stack_name)

        members = self._members(new)
        kept = {to_record_set(record).key for record in members}
        gone = [record for record in self._members(old) if to_record_set(record).key not in kept]
        batch = list(deletions_of(self._changes, zone_id, gone))
        batch += [(Action.UPSERT, record) for record in members]
        apply_in_stack(self._changes, zone_id, batch)
        return physical_id, {}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002 - MiniStack's signature
        """Delete those of the record sets that still exist."""
        zone_id = self._zone(properties)
        batch = list(deletions_of(self._changes, zone_id, self._members(properties)))
        if batch:
            apply_in_stack(self._changes, zone_id, batch)

    def _zone(self, properties: Properties) -> str:
        zone_id: str = self._provisioners._r53_resolve_hosted_zone_id(properties)
        return zone_id

    def _members(self, properties: Properties) -> list[Record]:
        build = self._provisioners._r53_record_set_build_rs
        return [build(record_set) for record_set in properties.get("RecordSets") or ()]


def _install_group(patcher: Patcher, changes: RecordChanges) -> None:
    group = RecordSetGroup(patcher.ministack, changes)
    handler = {
        "create": group.create,
        "update": group.update,
        "update_with_logical_id": True,
        "delete": group.delete,
    }
    patcher.add_resource_type(_GROUP, handler)
    replacing = ("HostedZoneId", "HostedZoneName")
    patcher.ministack.provisioners._REPLACING_PROPERTIES[_GROUP] = replacing
