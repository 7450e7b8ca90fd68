"""Route 53 zones and record sets in CloudFormation: `NameServers`, no silent loss of records, and
`AWS::Route53::RecordSetGroup`.

Sources: CloudFormation template reference, AWS::Route53::HostedZone and
AWS::Route53::RecordSetGroup; Route 53 Developer Guide, "Deleting a public hosted zone" (one that
has other records than its SOA and NS cannot be deleted).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deploytool.localcloud.ministack.emulator import MiniStack

Properties = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]

_GROUP = "AWS::Route53::RecordSetGroup"
_ZONE = "AWS::Route53::HostedZone"


class NoSuchHostedZone(ValueError):
    """There is no hosted zone of that id."""


class RecordSets:
    """The record sets of MiniStack's zones. A change is whole or not at all, as a change batch
    is.
    """

    def __init__(self, route53: Any) -> None:
        self._route53 = route53

    @contextmanager
    def change(self, zone_id: str) -> Iterator[list[dict[str, Any]]]:
        """A zone's record sets to be changed in place, put back if the block ends well. Raises
        NoSuchHostedZone.
        """
        with self._route53._lock:
            current = self._route53._records.get(zone_id)
            if current is None:
                raise NoSuchHostedZone(f"No hosted zone found with ID: {zone_id}")
            draft = list(current)
            yield draft
            self._route53._records[zone_id] = draft

    def create(self, draft: list[dict[str, Any]], record: dict[str, Any]) -> None:
        """Raises ValueError when there is one of that name, type and set identifier."""
        if self._find(draft, record) is not None:
            raise ValueError(
                f"Tried to create resource record set {record['Name']} type {record['Type']} but it already exists"
            )
        draft.append(record)

    def delete(self, draft: list[dict[str, Any]], record: dict[str, Any]) -> None:
        """Nothing to do when it is gone."""
        found = self._find(draft, record)
        if found is not None:
            draft.remove(found)

    def upsert(self, draft: list[dict[str, Any]], record: dict[str, Any]) -> None:
        """Put in place of the one of that name, type and set identifier, or beside the others."""
        self.delete(draft, record)
        draft.append(record)

    def _find(self, draft: list[dict[str, Any]], record: dict[str, Any]) -> dict[str, Any] | None:
        key = self._route53._rs_key(record)
        return next((each for each in draft if self._route53._rs_key(each) == key), None)


def install(ministack: MiniStack) -> None:
    """Mend `AWS::Route53::HostedZone` and add `AWS::Route53::RecordSetGroup`."""
    _install_zone(ministack)
    _install_group(ministack)


def _install_zone(ministack: MiniStack) -> None:
    route53 = ministack.route53
    handler = ministack.provisioners._RESOURCE_HANDLERS[_ZONE]
    their_create, their_update, their_delete = (
        handler["create"],
        handler["update"],
        handler["delete"],
    )

    def finished(created: Created, properties: Properties) -> Created:
        zone_id, attributes = created
        zone = route53._zones[zone_id]
        servers = [
            server
            for record in route53._records[zone_id]
            if record["Type"] == "NS" and record["Name"] == zone["name"]
            for server in record["ResourceRecords"]
        ]
        tags = {tag["Key"]: str(tag["Value"]) for tag in properties.get("HostedZoneTags") or ()}
        route53._tags[("hostedzone", zone_id)] = tags
        return zone_id, {**attributes, "NameServers": [server.rstrip(".") for server in servers]}

    def create(logical_id: str, properties: Properties, stack_name: str) -> Created:
        for name in ("VPCs", "QueryLoggingConfig"):
            if properties.get(name):
                raise ValueError(
                    f"{name}: the local cloud has public hosted zones without query logging only"
                )
        return finished(their_create(logical_id, properties, stack_name), properties)

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
    ) -> Created:
        return finished(their_update(physical_id, old, new, stack_name, logical_id), new)

    def delete(physical_id: str, properties: Properties) -> None:
        zone = route53._zones.get(physical_id)
        if zone is not None:
            others = [
                r
                for r in route53._records[physical_id]
                if r["Type"] not in ("SOA", "NS") or r["Name"] != zone["name"]
            ]
            if others:
                raise ValueError(
                    "The specified hosted zone contains non-required resource record sets and so cannot be deleted. "
                    f"(HostedZoneNotEmpty: {', '.join(sorted({record['Name'] for record in others}))})"
                )
        their_delete(physical_id, properties)

    handler.update({"create": create, "update": update, "delete": delete})


class RecordSetGroup:
    """`AWS::Route53::RecordSetGroup`: several record sets of one zone, changed together."""

    def __init__(self, ministack: MiniStack) -> None:
        self._records = RecordSets(ministack.route53)
        self._provisioners = ministack.provisioners
        self._new_id: Callable[[], str] = ministack.responses.new_uuid

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Created:
        """Raises ValueError when one of the record sets is there already."""
        with self._records.change(self._zone(properties)) as draft:
            for record in self._members(properties):
                self._records.create(draft, record)
        return f"{stack_name}-{logical_id}-{self._new_id()[:12]}", {}

    def update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
    ) -> Created:
        """In place, unless the zone changes: CloudFormation deletes the predecessor itself then."""
        if self._zone(old) != self._zone(new):
            return self.create(logical_id, new, stack_name)
        with self._records.change(self._zone(new)) as draft:
            for record in self._members(old):
                self._records.delete(draft, record)
            for record in self._members(new):
                self._records.create(draft, record)
        return physical_id, {}

    def delete(self, physical_id: str, properties: Properties) -> None:  # noqa: ARG002 - MiniStack's signature
        """Delete what is left of it."""
        try:
            with self._records.change(self._zone(properties)) as draft:
                for record in self._members(properties):
                    self._records.delete(draft, record)
        except NoSuchHostedZone:
            return  # and with it the record sets

    def _zone(self, properties: Properties) -> str:
        zone_id: str = self._provisioners._r53_resolve_hosted_zone_id(properties)
        return zone_id

    def _members(self, properties: Properties) -> list[dict[str, Any]]:
        return [
            self._provisioners._r53_record_set_build_rs(each)
            for each in properties.get("RecordSets") or ()
        ]


def _install_group(ministack: MiniStack) -> None:
    group = RecordSetGroup(ministack)
    ministack.provisioners._RESOURCE_HANDLERS[_GROUP] = {
        "create": group.create,
        "update": group.update,
        "update_with_logical_id": True,
        "delete": group.delete,
    }
    ministack.provisioners._REPLACING_PROPERTIES[_GROUP] = ("HostedZoneId", "HostedZoneName")
