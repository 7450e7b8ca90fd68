"""Changes of record sets by the rules of Route 53, from its API and from CloudFormation.

MiniStack takes every record set, also beside one with which it conflicts. The rules are in
`core.route53.changes`. Sources: Route 53 API reference, ChangeResourceRecordSets and
CreateResourceRecordSetProtections; CloudFormation template reference, AWS::Route53::RecordSet.
CloudFormation creates a record set with CREATE, so that one that is there already is refused, and
changes its own with UPSERT.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploytool.core.route53.changes import Account, Action, Change, ChangeRefused, changed
from deploytool.localcloud.ministack.controlplane import MiniStackState, to_record_set
from deploytool.localcloud.ministack.emulator import MiniStack
from deploytool.localcloud.ministack.patches.protections import Protections
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "route53._change_resource_record_sets": "record sets that conflict are taken",
    "AWS::Route53::RecordSet.create": "record sets that conflict are taken",
    "AWS::Route53::RecordSet.update": "record sets that conflict are taken",
    "AWS::Route53::RecordSet.delete": "a record set that is protected is deleted",
}

# A record set as MiniStack stores it
Record = dict[str, Any]
Properties = Mapping[str, Any]
# The physical id and the attributes of a resource
Created = tuple[str, dict[str, Any]]

_RECORD_SET = "AWS::Route53::RecordSet"


class NoSuchHostedZone(ValueError):
    """There is no hosted zone of that id."""


class RecordChanges:
    """Changes the record sets of MiniStack's zones, all of a batch or none."""

    def __init__(
        self, ministack: MiniStack, state: MiniStackState, protections: Protections
    ) -> None:
        self._route53 = ministack.route53
        self._state = state
        self._protections = protections

    def apply(self, zone_id: str, changes: Sequence[tuple[Action, Record]]) -> None:
        """Change the record sets of a zone.

        Raises NoSuchHostedZone, and ChangeRefused when Route 53 would refuse the batch.
        """
        with self._route53._lock:
            current: list[Record] | None = self._route53._records.get(zone_id)
            if current is None:
                raise NoSuchHostedZone(f"No hosted zone found with ID: {zone_id}")

            # Route 53 stores names in lower case (Developer Guide, "DNS domain name format").
            batch = [
                (action, {**record, "Name": record["Name"].lower()}) for action, record in changes
            ]
            self._route53._records[zone_id] = self._changed(zone_id, current, batch)

    def stored(self, zone_id: str, record: Record) -> Record | None:
        """Return the record set of that name, type and set identifier as it is in the zone."""
        key = to_record_set(record).key
        for existing in self._route53._records.get(zone_id) or ():
            if to_record_set(existing).key == key:
                found: Record = existing
                return found
        return None

    def _changed(
        self, zone_id: str, current: list[Record], batch: Sequence[tuple[Action, Record]]
    ) -> list[Record]:
        """Return the records of a zone after a batch. Equal values stand for the same record."""
        records = {}
        for record in (*current, *(record for _, record in batch)):
            records[to_record_set(record)] = record

        changes = [Change(action, to_record_set(record)) for action, record in batch]
        after = changed(self._state.zone(zone_id), changes, self._account(zone_id))
        return [records[record] for record in after]

    def _account(self, zone_id: str) -> Account:
        return Account(
            health_checks=set(self._route53._health_checks),
            zones=self._state.hosted_zones(),
            targets=self._state.api_targets(),
            protections=self._protections.of(zone_id),
        )


class RecordSetResource:
    """`AWS::Route53::RecordSet`. Each refusal is a ValueError, which fails the resource."""

    def __init__(self, ministack: MiniStack, changes: RecordChanges) -> None:
        self._provisioners = ministack.provisioners
        self._changes = changes

    def create(self, logical_id: str, props: Properties, stack_name: str) -> Created:  # noqa: ARG002 - MiniStack's signature
        """Create a record set that is not there yet."""
        record = self._record(props)
        apply_in_stack(self._changes, self._zone(props), [(Action.CREATE, record)])
        return record["Name"], {"Name": record["Name"]}

    def update(
        self,
        physical_id: str,
        old: Properties,
        new: Properties,
        stack_name: str,
    ) -> Created:
        """Change a record set in place, or create the one that replaces it."""
        record = self._record(new)
        same_zone = self._zone(old) == self._zone(new)
        if not same_zone or to_record_set(self._record(old)).key != to_record_set(record).key:
            return self.create(physical_id, new, stack_name)
        apply_in_stack(self._changes, self._zone(new), [(Action.UPSERT, record)])
        return record["Name"], {"Name": record["Name"]}

    def delete(self, physical_id: str, props: Properties) -> None:  # noqa: ARG002 - MiniStack's signature
        """Delete the record set, as it is now, if it is there."""
        zone_id = self._zone(props)
        deletions = list(deletions_of(self._changes, zone_id, [self._record(props)]))
        if deletions:
            apply_in_stack(self._changes, zone_id, deletions)

    def _zone(self, props: Properties) -> str:
        zone_id: str = self._provisioners._r53_resolve_hosted_zone_id(props)
        return zone_id

    def _record(self, props: Properties) -> Record:
        record: Record = self._provisioners._r53_record_set_build_rs(props)
        return record


def deletions_of(
    changes: RecordChanges, zone_id: str, records: Sequence[Record]
) -> Iterator[tuple[Action, Record]]:
    """Yield the deletions of those of the record sets that exist, with the values that they have."""
    for record in records:
        stored = changes.stored(zone_id, record)
        if stored is not None:
            yield Action.DELETE, stored


def apply_in_stack(
    changes: RecordChanges, zone_id: str, batch: Sequence[tuple[Action, Record]]
) -> None:
    """Change record sets for a stack. Raises ValueError with the reason that its event shows."""
    try:
        changes.apply(zone_id, batch)
    except ChangeRefused as refused:
        raise ValueError(
            f"{refused} (Service: Route53, Status Code: 400, Error Code: {refused.code})"
        ) from refused


def install(patcher: Patcher, changes: RecordChanges) -> None:
    """Let the API and CloudFormation change record sets by the rules."""
    route53 = patcher.ministack.route53

    def change_resource_record_sets(zone_id: str, body: bytes) -> Any:
        root = route53._parse_body(body)
        batch_element = None if root is None else route53._find(root, "ChangeBatch")
        elements = None if batch_element is None else route53._find(batch_element, "Changes")
        if elements is None:
            return route53._error_response("InvalidInput", "A ChangeBatch with Changes is needed.")
        try:
            changes.apply(zone_id, list(_changes_in(route53, elements)))
        except NoSuchHostedZone as error:
            return route53._error_response("NoSuchHostedZone", str(error), 404)
        except ChangeRefused as refused:
            status = 404 if refused.code == "NoSuchHealthCheck" else 400
            return route53._error_response(refused.code, str(refused), status)

        with route53._lock:
            change = route53._new_change(route53._text(batch_element, "Comment"))

        def build(answer: Any) -> None:
            route53._build_change_info_el(answer, change)

        return route53._xml_response("ChangeResourceRecordSetsResponse", build)

    patcher.replace("route53._change_resource_record_sets", change_resource_record_sets)

    resource = RecordSetResource(patcher.ministack, changes)
    patcher.replace_operation(_RECORD_SET, "create", resource.create)
    patcher.replace_operation(_RECORD_SET, "update", resource.update)
    patcher.replace_operation(_RECORD_SET, "delete", resource.delete)


def _changes_in(route53: Any, elements: Any) -> Iterator[tuple[Action, Record]]:
    """Yield the changes of a request. Raises ChangeRefused when one cannot be read."""
    for element in route53._findall(elements, "Change"):
        action = route53._text(element, "Action")
        record_set = route53._find(element, "ResourceRecordSet")
        if action not in tuple(Action) or record_set is None:
            raise ChangeRefused("InvalidInput", f"Invalid request: cannot read a {action!r} change")
        try:
            record = route53._parse_record_set(record_set)
            to_record_set(record)
        except ValueError as error:  # a number that is none
            raise ChangeRefused("InvalidInput", f"Invalid request: {error}") from error
        yield Action(action), record
