"""Hosted zones as destroying and checking see them: name servers, record sets, and taking record
sets and zones away.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from deploytool.aws.errors import translated
from deploytool.aws.route53 import REGION, record_set
from deploytool.aws.sessions import Clients
from deploytool.core.certificates.ports import ZoneInfo
from deploytool.core.route53.zone import RecordSet, canonical


class Route53Zones:
    """The ZoneReader and ZoneRemover ports on boto3."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def get(self, zone_id: str) -> ZoneInfo:
        """GetHostedZone."""
        with translated(f"reading hosted zone {zone_id}"):
            answer = self._client().get_hosted_zone(Id=zone_id)
        return _zone(answer["HostedZone"], answer.get("DelegationSet", {}).get("NameServers", ()))

    def find(self, name: str) -> Sequence[ZoneInfo]:
        """ListHostedZonesByName: from the name on, in an order in which those of one name stand
        together.
        """
        with translated(f"looking for a hosted zone {name}"):
            answer = self._client().list_hosted_zones_by_name(DNSName=name)
        zones = takewhile(
            lambda zone: canonical(zone["Name"]) == canonical(name), answer["HostedZones"]
        )
        return [_zone(zone, ()) for zone in zones if not zone["Config"].get("PrivateZone")]

    def records(self, zone_id: str) -> Sequence[RecordSet]:
        """ListResourceRecordSets, every page."""
        with translated(f"reading the records of hosted zone {zone_id}"):
            pages = (
                self._client()
                .get_paginator("list_resource_record_sets")
                .paginate(HostedZoneId=zone_id)
            )
            return [record_set(record) for page in pages for record in page["ResourceRecordSets"]]

    def remove(self, zone_id: str, records: Sequence[RecordSet]) -> None:
        """ChangeResourceRecordSets with DELETE, which takes only record sets that are exactly
        so.
        """
        changes = [
            {
                "Action": "DELETE",
                "ResourceRecordSet": {
                    "Name": record.name,
                    "Type": record.type,
                    "TTL": record.ttl,
                    "ResourceRecords": [{"Value": value} for value in record.values],
                },
            }
            for record in records
        ]
        with translated(f"deleting records of hosted zone {zone_id}"):
            self._client().change_resource_record_sets(
                HostedZoneId=zone_id, ChangeBatch={"Changes": changes}
            )

    def delete(self, zone_id: str) -> None:
        """DeleteHostedZone."""
        with translated(f"deleting hosted zone {zone_id}"):
            self._client().delete_hosted_zone(Id=zone_id)

    def _client(self) -> Any:  # noqa: ANN401  # a boto3 client
        return self._clients.get("route53", REGION)


def _zone(found: Mapping[str, Any], servers: Sequence[str]) -> ZoneInfo:
    comment = found.get("Config", {}).get("Comment", "")
    return ZoneInfo(
        found["Id"].rpartition("/")[2],
        canonical(found["Name"]),
        tuple(map(canonical, servers)),
        comment,
    )
