"""Route 53: health checks and hosted zones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from deploytool.aws.breaker import GLOBAL_REGION
from deploytool.aws.errors import code_of, ignored, translated
from deploytool.aws.sessions import Clients
from deploytool.core.certificates.ports import ZoneInfo
from deploytool.core.errors import InputError
from deploytool.core.ports import Nameserver
from deploytool.core.route53.alarms import LAST_KNOWN_STATUS, AlarmConfiguration, AlarmIdentifier
from deploytool.core.route53.health import CheckerObservation, HealthCheck, HealthCheckConfig
from deploytool.core.route53.zone import ADDRESS_TYPES, AliasTarget, RecordSet, ancestors, canonical

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_route53.literals import RRTypeType
    from mypy_boto3_route53.type_defs import (
        ChangeTypeDef,
        HealthCheckConfigOutputTypeDef,
        HealthCheckObservationTypeDef,
        HealthCheckTypeDef,
        HostedZoneTypeDef,
        ResourceRecordSetOutputTypeDef,
        ResourceRecordSetTypeDef,
    )


class Route53HealthChecks:
    """The HealthChecks port on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def get(self, health_check_id: str) -> HealthCheck:
        """GetHealthCheck."""
        with translated(f"reading health check {health_check_id}"):
            answer = self._client().get_health_check(HealthCheckId=health_check_id)
            return health_check_of(answer["HealthCheck"])

    def set_inverted(self, health_check_id: str, *, inverted: bool, version: int) -> HealthCheck:
        """UpdateHealthCheck with HealthCheckVersion, which makes it a compare-and-swap.

        Raises StaleVersion when another change came first. Botocore repeats a call whose answer was
        lost, and then Route 53 refuses the repetition, because the version has moved on. So the
        change is done when the next version has the wanted value. Each change adds one to the
        version (API reference of HealthCheck), so that it is the only change since.
        """
        with translated(f"changing health check {health_check_id}"):
            try:
                answer = self._client().update_health_check(
                    HealthCheckId=health_check_id, HealthCheckVersion=version, Inverted=inverted
                )
            except ClientError as error:
                if code_of(error) != "HealthCheckVersionMismatch":
                    raise
                current = self.get(health_check_id)
                is_done = current.version == version + 1 and current.config.inverted is inverted
                if not is_done:
                    raise
                return current
            return health_check_of(answer["HealthCheck"])

    def observations(self, health_check_id: str) -> Sequence[CheckerObservation]:
        """GetHealthCheckStatus: one observation for each checker."""
        with translated(f"reading the status of health check {health_check_id}"):
            answer = self._client().get_health_check_status(HealthCheckId=health_check_id)
        return [_observation(observation) for observation in answer["HealthCheckObservations"]]

    def _client(self) -> "Route53Client":
        return self._clients.get("route53", GLOBAL_REGION)


class Route53HostedZones:
    """The HostedZones port on botocore. `locate` finds the address of a name server by its name."""

    def __init__(self, clients: Clients, locate: Callable[[str], Nameserver]) -> None:
        self._clients = clients
        self._locate = locate

    def name_servers(self, hosted_zone_id: str) -> Sequence[Nameserver]:
        """GetHostedZone, and the address of each name server."""
        with translated(f"reading hosted zone {hosted_zone_id}"):
            answer = self._client().get_hosted_zone(Id=hosted_zone_id)
        # A private zone has no delegation set.
        servers = answer.get("DelegationSet", {}).get("NameServers", ())
        names = sorted(name.rstrip(".") for name in servers)
        return [self._locate(name) for name in names]

    def records(self, hosted_zone_id: str, name: str) -> Sequence[RecordSet]:
        """ListResourceRecordSets from the name on. The failover pairs are on its first page."""
        with translated(f"reading the records of {name}"):
            answer = self._client().list_resource_record_sets(
                HostedZoneId=hosted_zone_id, StartRecordName=name, StartRecordType="A"
            )

        # The page goes on with other names and types.
        records: list[RecordSet] = []
        for item in answer["ResourceRecordSets"]:
            record = _record_set(item)
            if record.type in ADDRESS_TYPES and record.name == canonical(name):
                records.append(record)
        return records

    def _client(self) -> "Route53Client":
        return self._clients.get("route53", GLOBAL_REGION)


class Route53Zones:
    """The ZoneReader and ZoneRemover ports on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def get(self, zone_id: str) -> ZoneInfo:
        """GetHostedZone."""
        with translated(f"reading hosted zone {zone_id}"):
            answer = self._client().get_hosted_zone(Id=zone_id)
        name_servers = answer.get("DelegationSet", {}).get("NameServers", ())
        return _zone_info(answer["HostedZone"], name_servers)

    def find(self, name: str) -> Sequence[ZoneInfo]:
        """ListHostedZonesByName: the public zones of exactly this name."""
        with translated(f"looking for the hosted zone of {name}"):
            answer = self._client().list_hosted_zones_by_name(DNSName=name)

        zones: list[ZoneInfo] = []
        for zone in answer["HostedZones"]:
            # The list starts at the name, and zones of one name follow each other.
            if canonical(zone["Name"]) != canonical(name):
                break
            if not zone["Config"].get("PrivateZone"):
                zones.append(_zone_info(zone, ()))
        return zones

    def public(self) -> Iterator[ZoneInfo]:
        """ListHostedZones: yield the public zones of the account, a page of them at a time."""
        with translated("listing the hosted zones"):
            for page in self._client().get_paginator("list_hosted_zones").paginate():
                for item in page["HostedZones"]:
                    zone = _zone_info(item, ())
                    if not zone.private:
                        yield zone

    def find_enclosing(self, domain: str) -> ZoneInfo | None:
        """Return the public zone with the longest name that the domain is in.

        One ListHostedZonesByName for each ancestor of the domain below the top-level domain. Raises
        InputError when several zones have that name: only one of them is delegated to.
        """
        for ancestor in ancestors(domain):
            # Nobody hosts a zone of a top-level domain for an API: this saves two calls.
            if len(ancestor) < 2:
                return None
            name = ".".join(ancestor)
            zones = self.find(name)
            if len(zones) > 1:
                ids = ", ".join(zone.id for zone in zones)
                raise InputError(
                    f"{name} has {len(zones)} public hosted zones: {ids}",
                    hint="set the id of one of them",
                )
            if zones:
                return zones[0]
        return None

    def records(self, zone_id: str) -> Sequence[RecordSet]:
        """ListResourceRecordSets, every page."""
        paginator = self._client().get_paginator("list_resource_record_sets")
        record_sets: list[RecordSet] = []
        with translated(f"reading the records of hosted zone {zone_id}"):
            for page in paginator.paginate(HostedZoneId=zone_id):
                record_sets.extend(map(_record_set, page["ResourceRecordSets"]))
        return record_sets

    def named(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        """ListResourceRecordSets from the name on. One page has all types of a name.

        A page has up to 300 record sets, and a name at most some hundred weighted ones.
        """
        with translated(f"reading the records of {name}"):
            answer = self._client().list_resource_record_sets(
                HostedZoneId=zone_id, StartRecordName=canonical(name)
            )
        records = map(_record_set, answer["ResourceRecordSets"])
        return [record for record in records if record.name == canonical(name)]

    def remove(self, zone_id: str, records: Sequence[RecordSet]) -> None:
        """ChangeResourceRecordSets with DELETE, which fails unless each record set is the same.

        All changes of a batch are made, or none (API reference of ChangeResourceRecordSets). When it
        is refused because none of them is there, they are deleted: an answer was lost.
        """
        changes = [_deletion(record) for record in records]
        with translated(f"deleting records of hosted zone {zone_id}"):
            try:
                self._client().change_resource_record_sets(
                    HostedZoneId=zone_id, ChangeBatch={"Changes": changes}
                )
            except ClientError as error:
                if code_of(error) != "InvalidChangeBatch":
                    raise
                present = {(record.name, record.type) for record in self.records(zone_id)}
                if any((record.name, record.type) in present for record in records):
                    raise

    def disable_recovery(self, zone_id: str) -> None:
        """UpdateHostedZoneFeatures."""
        with translated(f"turning accelerated recovery of hosted zone {zone_id} off"):
            self._client().update_hosted_zone_features(
                HostedZoneId=zone_id, EnableAcceleratedRecovery=False
            )

    def delete(self, zone_id: str) -> None:
        """DeleteHostedZone, unless it is deleted already: by an attempt whose answer was lost."""
        with translated(f"deleting hosted zone {zone_id}"), ignored("NoSuchHostedZone"):
            self._client().delete_hosted_zone(Id=zone_id)

    def _client(self) -> "Route53Client":
        return self._clients.get("route53", GLOBAL_REGION)


def _record_set(record_set: "ResourceRecordSetOutputTypeDef") -> RecordSet:
    alias = None
    if "AliasTarget" in record_set:
        target = record_set["AliasTarget"]
        alias = AliasTarget(
            canonical(target["DNSName"]), target["HostedZoneId"], target["EvaluateTargetHealth"]
        )
    return RecordSet(
        name=canonical(record_set["Name"]),
        type=record_set["Type"],
        ttl=record_set.get("TTL"),
        values=tuple(record["Value"] for record in record_set.get("ResourceRecords", [])),
        alias=alias,
        set_identifier=record_set.get("SetIdentifier", ""),
        failover=record_set.get("Failover", ""),
        health_check_id=record_set.get("HealthCheckId", ""),
        weight=record_set.get("Weight"),
        region=record_set.get("Region", ""),
        location=_text_of(record_set.get("GeoLocation")),
        cidr=_text_of(record_set.get("CidrRoutingConfig")),
        multivalue=record_set.get("MultiValueAnswer", False),
    )


def _text_of(place: Mapping[str, object] | None) -> str:
    """Return where the clients of a record set are as text; equal places give equal texts."""
    return "/".join(f"{key}={value}" for key, value in sorted((place or {}).items()))


def _deletion(record: RecordSet) -> "ChangeTypeDef":
    record_set: ResourceRecordSetTypeDef = {
        "Name": record.name,
        "Type": cast("RRTypeType", record.type),  # it came from Route 53
        "ResourceRecords": [{"Value": value} for value in record.values],
    }
    if record.ttl is not None:
        record_set["TTL"] = record.ttl
    return {"Action": "DELETE", "ResourceRecordSet": record_set}


# Of a hosted zone in a list, the API does not give the name servers.
def _zone_info(zone: "HostedZoneTypeDef", name_servers: Sequence[str]) -> ZoneInfo:
    return ZoneInfo(
        id=zone["Id"].removeprefix("/hostedzone/"),
        name=canonical(zone["Name"]),
        name_servers=tuple(map(canonical, name_servers)),
        comment=zone.get("Config", {}).get("Comment", ""),
        recovery=zone.get("Features", {}).get("AcceleratedRecoveryStatus", ""),
        private=zone.get("Config", {}).get("PrivateZone", False),
    )


def health_check_of(health_check: "HealthCheckTypeDef") -> HealthCheck:
    """Return a health check from Route 53's description of it."""
    config = health_check["HealthCheckConfig"]
    return HealthCheck(
        id=health_check["Id"],
        version=health_check["HealthCheckVersion"],
        config=HealthCheckConfig(
            type=config["Type"],
            fqdn=config.get("FullyQualifiedDomainName", ""),
            ip_address=config.get("IPAddress", ""),
            port=config.get("Port", 443),
            resource_path=config.get("ResourcePath", "/"),
            search_string=config.get("SearchString", ""),
            request_interval=config.get("RequestInterval", 30),
            failure_threshold=config.get("FailureThreshold", 3),
            enable_sni=config.get("EnableSNI", False),
            inverted=config.get("Inverted", False),
            disabled=config.get("Disabled", False),
            regions=tuple(config.get("Regions", ())),
            health_threshold=config.get("HealthThreshold", 0),
            child_health_checks=tuple(config.get("ChildHealthChecks", ())),
            alarm_identifier=_alarm_identifier(config),
            insufficient_data_health_status=config.get(
                "InsufficientDataHealthStatus", LAST_KNOWN_STATUS
            ),
        ),
        alarm=_alarm_configuration(health_check),
    )


def _alarm_identifier(config: "HealthCheckConfigOutputTypeDef") -> AlarmIdentifier | None:
    identifier = config.get("AlarmIdentifier")
    if identifier is None:
        return None
    return AlarmIdentifier(identifier["Region"], identifier["Name"])


def _alarm_configuration(health_check: "HealthCheckTypeDef") -> AlarmConfiguration | None:
    alarm = health_check.get("CloudWatchAlarmConfiguration")
    if alarm is None:
        return None
    return AlarmConfiguration(
        namespace=alarm["Namespace"],
        metric_name=alarm["MetricName"],
        dimensions=tuple(
            (dimension["Name"], dimension["Value"]) for dimension in alarm.get("Dimensions", ())
        ),
        statistic=alarm["Statistic"],
        period=alarm["Period"],
        evaluation_periods=alarm["EvaluationPeriods"],
        threshold=alarm["Threshold"],
        comparison_operator=alarm["ComparisonOperator"],
    )


def _observation(observation: "HealthCheckObservationTypeDef") -> CheckerObservation:
    # A new health check has no report yet. The status begins with Success or Failure, and a text
    # for people follows.
    report = observation.get("StatusReport", {})
    status = report.get("Status", "")
    checked = report["CheckedTime"].isoformat() if "CheckedTime" in report else ""
    return CheckerObservation(
        observation["Region"],
        observation.get("IPAddress", ""),
        status.startswith("Success"),
        status,
        checked=checked,
    )
