"""The records that a template creates, as far as they are known before its stack is made. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.certificates.certificate import certificate_requests, known_properties
from deploytool.core.project.expressions import known_parts
from deploytool.core.route53.zone import RecordSet, canonical

RECORD_SET_TYPE = "AWS::Route53::RecordSet"
RECORD_SET_GROUP_TYPE = "AWS::Route53::RecordSetGroup"


@dataclass(frozen=True)
class PlannedRecord:
    """A record set that a template creates in a hosted zone.

    Of the record set the name, the type and the routing are known; its values are left out.
    """

    zone_id: str
    record: RecordSet


def planned_records(
    document: Mapping[str, Any], parameters: Mapping[str, str | None]
) -> tuple[PlannedRecord, ...]:
    """Return the record sets that a template creates for certain.

    A parameter that is not known yet is None. A record set whose zone, name, type or condition is
    unknown is left out: a deployment that Route 53 would take must not be refused for it.
    """
    return tuple(_planned(document, parameters))


def _planned(
    document: Mapping[str, Any], parameters: Mapping[str, str | None]
) -> Iterator[PlannedRecord]:
    for properties in known_properties(document, parameters, RECORD_SET_TYPE, certain=True):
        yield from _record(properties, properties.get("HostedZoneId"))

    for group in known_properties(document, parameters, RECORD_SET_GROUP_TYPE, certain=True):
        for member in group.get("RecordSets") or ():
            properties = known_parts(member)
            if isinstance(properties, Mapping):
                yield from _record(properties, group.get("HostedZoneId"))


def _record(properties: Mapping[str, Any], zone_id: object) -> Iterator[PlannedRecord]:
    name, type_ = properties.get("Name"), properties.get("Type")
    if not (zone_id and name and type_):
        return
    weight = str(properties.get("Weight", ""))
    record = RecordSet(
        name=canonical(str(name)),
        type=str(type_),
        set_identifier=str(properties.get("SetIdentifier") or ""),
        failover=str(properties.get("Failover") or ""),
        weight=int(weight) if weight.isdecimal() else None,
        region=str(properties.get("Region") or ""),
        location=_text_of(properties.get("GeoLocation")),
        cidr=_text_of(properties.get("CidrRoutingConfig")),
        multivalue=str(properties.get("MultiValueAnswer")).lower() == "true",
    )
    yield PlannedRecord(str(zone_id), record)


def _text_of(place: object) -> str:
    if not isinstance(place, Mapping):
        return ""
    return "/".join(f"{key}={value}" for key, value in sorted(place.items()))


def zones_changed_by(document: Mapping[str, Any], parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the ids of the hosted zones in which a template has records, sorted.

    CloudFormation writes those of certificates too. Ids that are unknown are left out.
    """
    zones: set[str] = set()
    for type_ in (RECORD_SET_TYPE, RECORD_SET_GROUP_TYPE):
        for properties in known_properties(document, parameters, type_):
            zone = properties.get("HostedZoneId")
            if zone:
                zones.add(str(zone))
    for request in certificate_requests(document, parameters):
        zones.update(request.zones.values())
    return tuple(sorted(zones))
