"""What a drill of a failover pair that deploytool did not deploy reads and tags in Route 53."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from deploytool.aws.breaker import GLOBAL_REGION
from deploytool.aws.errors import translated
from deploytool.aws.route53 import Route53HealthChecks, Route53Zones, health_check_of
from deploytool.aws.sessions import Clients
from deploytool.core.certificates.ports import ZoneInfo
from deploytool.core.drill.drill_tag import TAG, DrillTag, parse_drill_tag
from deploytool.core.drill.record import DrillRecord, DrillUnderWay, RestoreHealthCheck
from deploytool.core.errors import InputError
from deploytool.core.route53.health import CheckerState, HealthCheck, is_healthy
from deploytool.core.route53.verdicts import ENDPOINT_TYPES
from deploytool.core.route53.zone import HostedZone, canonical

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

HEALTH_CHECK: Literal["healthcheck"] = "healthcheck"  # the resource type of its tags


class Route53Pairs:
    """Reads hosted zones with all of their records, and the account's health checks."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._zones = Route53Zones(clients)
        self._checks = Route53HealthChecks(clients)

    def zone_of(self, domain: str, zone_id: str) -> HostedZone:
        """Return the zone of an id, else the public zone with the longest name that fits.

        Raises InputError when there is none, when several have that name, or when the zone does not
        hold the domain.
        """
        if not zone_id:
            found = self._zones.find_enclosing(domain)
            if found is None:
                raise InputError(
                    f"--domain {domain}: no public hosted zone of this account holds it",
                    hint="use the account that has the zone, or name the zone with --zone-id",
                )
            zone_id = found.id
        zone = self._with_records(self._zones.get(zone_id))
        name = canonical(domain)
        if name != zone.name and not name.endswith(f".{zone.name}"):
            raise InputError(f"--zone-id {zone_id}: zone {zone.name} does not hold {domain}")
        return zone

    def zones_beside(self, zone: HostedZone) -> list[HostedZone]:
        """Return the zone, and every other public zone of the account with every record set.

        The others have no name servers: their records are what counts.
        """
        others = [each for each in self._zones.public() if each.id != zone.id]
        return [zone, *map(self._with_records, others)]

    def _with_records(self, zone: ZoneInfo) -> HostedZone:
        records = self._zones.records(zone.id)
        return HostedZone(zone.id, zone.name, tuple(zone.name_servers), tuple(records))

    def health_checks(self) -> dict[str, HealthCheck]:
        """Return the account's health checks by id."""
        with translated("listing the health checks"):
            pages = self._client().get_paginator("list_health_checks").paginate()
            checks = [health_check_of(item) for page in pages for item in page["HealthChecks"]]
        return {check.id: check for check in checks}

    def observed(self, check: HealthCheck) -> bool | None:
        """Return whether enough checkers of an endpoint say healthy, before Inverted.

        None for the types of which GetHealthCheckStatus tells nothing.
        """
        if check.config.type not in ENDPOINT_TYPES:
            return None
        observations = self._checks.observations(check.id)
        states = [CheckerState(healthy=each.healthy) for each in observations]
        return is_healthy(replace(check.config, inverted=False), states)

    def _client(self) -> "Route53Client":
        return self._clients.get("route53", GLOBAL_REGION)


class TagDrillRecords:
    """The DrillRecords port on a tag of the health check, where deploytool has deployed nothing.

    Tags have no compare-and-swap. Two drills that begin in the same moment are told apart by the
    inversion: UpdateHealthCheck takes one version once.
    """

    def __init__(self, clients: Clients, health_check_id: str, domain: str) -> None:
        self._clients = clients
        self._id = health_check_id
        self._domain = domain

    def write(self, record: DrillRecord) -> None:
        """ChangeTagsForResource. Raises DrillUnderWay when another drill has the tag."""
        existing = self.read()
        if existing is not None and existing.drill_id != record.drill_id:
            raise DrillUnderWay(existing, f"--domain {self._domain}")
        inverted = any(
            isinstance(step, RestoreHealthCheck) and step.inverted for step in record.undo
        )
        version = Route53HealthChecks(self._clients).get(self._id).version
        tag = DrillTag(record.drill_id, inverted, version, record.started, record.holder)
        with translated(f"tagging health check {self._id}"):
            self._client().change_tags_for_resource(
                ResourceType=HEALTH_CHECK,
                ResourceId=self._id,
                AddTags=[{"Key": TAG, "Value": tag.to_text()}],
            )

    def read(self) -> DrillRecord | None:
        """ListTagsForResource."""
        with translated(f"reading the tags of health check {self._id}"):
            answer = self._client().list_tags_for_resource(
                ResourceType=HEALTH_CHECK, ResourceId=self._id
            )
        for tag in answer["ResourceTagSet"].get("Tags", ()):
            if tag.get("Key") == TAG:
                return parse_drill_tag(tag.get("Value", ""), self._id).record(self._id)
        return None

    def clear(self, drill_id: str) -> None:
        """ChangeTagsForResource, if the tag is this drill's."""
        record = self.read()
        if record is None or record.drill_id != drill_id:
            return
        with translated(f"deleting the tag of health check {self._id}"):
            self._client().change_tags_for_resource(
                ResourceType=HEALTH_CHECK, ResourceId=self._id, RemoveTagKeys=[TAG]
            )

    def _client(self) -> "Route53Client":
        return self._clients.get("route53", GLOBAL_REGION)
