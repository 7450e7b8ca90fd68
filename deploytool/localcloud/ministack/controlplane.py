"""MiniStack's current state, in frozen types, for the name server, the edges and the checkers.

It is read in the process and not through the API, which keeps a DNS query at microseconds.
MiniStack's writers replace the list of a zone's record sets with a new one for every change and
never change a list. The same list therefore means the same records, which makes the cache exact.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from deploytool.core.route53.alarms import AlarmIdentifier
from deploytool.core.route53.health import HealthCheck, HealthCheckConfig
from deploytool.core.route53.zone import AliasTarget, HostedZone, RecordSet, canonical
from deploytool.localcloud.edges.gateway import BasePathMapping, CustomDomain, RestApi, covers
from deploytool.localcloud.ministack.emulator import ACCOUNT, MiniStack
from deploytool.localcloud.settings import CONTROL_ADDRESS

# The fields of `HealthCheckConfig` by their names in the API
_CONFIG_FIELDS = {
    "FullyQualifiedDomainName": "fqdn",
    "IPAddress": "ip_address",
    "Port": "port",
    "ResourcePath": "resource_path",
    "SearchString": "search_string",
    "RequestInterval": "request_interval",
    "FailureThreshold": "failure_threshold",
    "EnableSNI": "enable_sni",
    "Inverted": "inverted",
    "Disabled": "disabled",
    "HealthThreshold": "health_threshold",
    "InsufficientDataHealthStatus": "insufficient_data_health_status",
}


def to_health_check_config(settings: Mapping[str, Any]) -> HealthCheckConfig:
    """Return the settings of a health check, which have the API's names, as a value."""
    fields = {field: settings[name] for name, field in _CONFIG_FIELDS.items() if name in settings}
    alarm = settings.get("AlarmIdentifier")
    return HealthCheckConfig(
        type=settings["Type"],
        regions=tuple(settings.get("Regions") or ()),
        child_health_checks=tuple(settings.get("ChildHealthChecks") or ()),
        alarm_identifier=AlarmIdentifier(alarm["Region"], alarm["Name"]) if alarm else None,
        **fields,
    )


class MiniStackState:
    """The state of Route 53, ACM and API Gateway, of all accounts and regions.

    `edges` maps each region to the address of its edge.
    """

    def __init__(self, ministack: MiniStack, edges: Mapping[str, str]) -> None:
        self._route53 = ministack.route53
        self._acm = ministack.acm
        self._apigateway = ministack.apigateway_v1
        self._edges = edges
        # By zone id: MiniStack's list of record sets, and the zone that was made of it
        self._zones: dict[str, tuple[list[Any], HostedZone]] = {}

    def hosted_zones(self) -> Sequence[HostedZone]:
        """Return every public hosted zone with its record sets, in the order of creation."""
        records = self._route53._records.to_dict()
        # A new dictionary each time, because threads that provision resources read zones too.
        entries = {}
        for key, zone in self._route53._zones.to_dict().items():
            if not zone.get("private") and key in records:
                entries[zone["id"]] = self._entry(zone, records[key])
        self._zones = entries
        return [zone for _, zone in entries.values()]

    def zone(self, zone_id: str) -> HostedZone:
        """Return one zone, public or private. Raises KeyError when there is none."""
        stored = self._route53._zones[zone_id]
        return self._entry(stored, self._route53._records[zone_id])[1]

    def api_targets(self) -> Mapping[str, str]:
        """Return the DNS names of regional custom domains, with the id of their hosted zone."""
        return {
            canonical(domain["regionalDomainName"]): domain["regionalHostedZoneId"]
            for _, domain in self._apigateway._domain_names.all_items()
        }

    def health_checks(self) -> Mapping[str, HealthCheck]:
        """Return every health check by id."""
        health_checks = {}
        for stored in self._route53._health_checks.to_dict().values():
            config = to_health_check_config(stored["config"])
            health_checks[stored["id"]] = HealthCheck(
                stored["id"], stored["version"], config, stored["alarm"]
            )
        return health_checks

    def aws_names(self) -> Mapping[str, str]:
        """Return the addresses of the names that AWS itself answers for.

        These are the zones' name servers, the targets of custom domains and the names of REST APIs.
        """
        names: dict[str, str] = {}
        for zone in self.hosted_zones():
            names.update(dict.fromkeys(zone.name_servers, CONTROL_ADDRESS))
        for (_, region, _), domain in self._apigateway._domain_names.all_items():
            if region in self._edges:
                names[canonical(domain["regionalDomainName"])] = self._edges[region]
        for (_, region, api_id), _ in self._apigateway._rest_apis.all_items():
            if region in self._edges:
                names[f"{api_id}.execute-api.{region}.amazonaws.com."] = self._edges[region]
        return names

    def custom_domain(self, region: str, name: str) -> CustomDomain | None:
        """Return the region's custom domain of that name (lower case, no final dot).

        Clients do not sign their requests, so only the default account's domains are read.
        """
        domain = self._apigateway._domain_names.get_scoped(ACCOUNT, region, name)
        if domain is None:
            return None

        arn = domain.get("regionalCertificateArn", "")
        mappings = self._apigateway._base_path_mappings.get_scoped(ACCOUNT, region, name, {})
        return CustomDomain(
            name=name,
            target=domain["regionalDomainName"],
            certificate=self._certificate_names(region, arn, name),
            mappings=tuple(_mapping(path, mapping) for path, mapping in mappings.items()),
        )

    def rest_api(self, region: str, api_id: str) -> RestApi | None:
        """Return the region's REST API of that id."""
        api = self._apigateway._rest_apis.get_scoped(ACCOUNT, region, api_id)
        if api is None:
            return None

        # A template gives a boolean as text.
        disabled = str(api.get("disableExecuteApiEndpoint", False)).lower() == "true"
        return RestApi(api_id, not disabled)

    def _certificate_names(self, region: str, arn: str, name: str) -> tuple[str, ...]:
        """Return the names of an issued certificate that covers `name`; else none."""
        certificate = self._acm._certificates.get_scoped(ACCOUNT, region, arn)
        if certificate is None or certificate["Status"] != "ISSUED":
            return ()

        all_names = (certificate["DomainName"], *certificate["SubjectAlternativeNames"])
        names = tuple(dict.fromkeys(all_names))
        return names if covers(names, name) else ()

    def _entry(self, zone: Mapping[str, Any], records: list[Any]) -> tuple[list[Any], HostedZone]:
        known = self._zones.get(zone["id"])
        if known is not None and known[0] is records:
            return known

        name = canonical(zone["name"])
        record_sets = tuple(to_record_set(record) for record in records)
        servers: list[str] = []
        for record in record_sets:
            if record.type == "NS" and record.name == name:
                servers += [canonical(value) for value in record.values]
        return records, HostedZone(zone["id"], name, tuple(servers), record_sets)


def _mapping(base_path: str, mapping: Mapping[str, Any]) -> BasePathMapping:
    path = "" if base_path == "(none)" else base_path.strip("/")
    return BasePathMapping(path, mapping["restApiId"], mapping["stage"])


def to_record_set(record: Mapping[str, Any]) -> RecordSet:
    """Return a record set as MiniStack stores it as a value."""
    ttl = record.get("TTL")
    alias = None
    if record.get("AliasTarget"):
        target = record["AliasTarget"]
        alias = AliasTarget(
            canonical(target["DNSName"]), target["HostedZoneId"], target["EvaluateTargetHealth"]
        )
    return RecordSet(
        name=canonical(record["Name"]),
        type=record["Type"],
        ttl=None if ttl is None else int(ttl),
        values=tuple(record.get("ResourceRecords", ())),
        alias=alias,
        set_identifier=record.get("SetIdentifier", ""),
        failover=record.get("Failover", ""),
        health_check_id=record.get("HealthCheckId", ""),
        weight=record.get("Weight"),
        region=record.get("Region", ""),
        location=_text_of(record.get("GeoLocation")),
        cidr=_text_of(record.get("CidrRoutingConfig")),
        multivalue=bool(record.get("MultiValueAnswer")),
    )


def _text_of(place: Mapping[str, str] | None) -> str:
    """Return where the clients of a record set are as text; equal places give equal texts."""
    return "/".join(f"{key}={value}" for key, value in sorted((place or {}).items()))
