"""What the data plane reads of MiniStack: its state in our frozen types. Each call answers what
holds now.

Reading it in-process, not through the API, keeps a DNS query at microseconds. MiniStack's writers
put a new list of record sets in place for every change (never change one), so that the same list
means the same records: that is what makes the cache exact.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from deploytool.core.route53.health import HealthCheck, HealthCheckConfig
from deploytool.core.route53.zone import AliasTarget, HostedZone, RecordSet, canonical
from deploytool.localcloud.edges.gateway import BasePathMapping, CustomDomain, RestApi, covers
from deploytool.localcloud.ministack.emulator import ACCOUNT, MiniStack
from deploytool.localcloud.settings import CONTROL_ADDRESS

# A health check's settings that `HealthCheckConfig` has, by their names in the API.
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
}


def to_health_check_config(settings: Mapping[str, Any]) -> HealthCheckConfig:
    """The settings of a health check by their names in the API, as a value."""
    return HealthCheckConfig(
        type=settings["Type"],
        **{field: settings[name] for name, field in _CONFIG_FIELDS.items() if name in settings},
    )


class MiniStackState:
    """The control plane and API Gateway as MiniStack holds them, all accounts and regions. `edges`
    maps regions to addresses.
    """

    def __init__(self, ministack: MiniStack, edges: Mapping[str, str]) -> None:
        self._route53 = ministack.route53
        self._acm = ministack.acm
        self._apigateway = ministack.apigateway_v1
        self._edges = edges
        self._zones: dict[str, tuple[list[Any], HostedZone]] = {}

    def hosted_zones(self) -> Sequence[HostedZone]:
        """Every public hosted zone with its record sets, in the order of creation."""
        records = self._route53._records.to_dict()
        # A new dict each time: threads that provision resources read zones too.
        entries = {
            zone["id"]: self._entry(zone, records[key])
            for key, zone in self._route53._zones.to_dict().items()
            if not zone.get("private") and key in records
        }
        self._zones = entries
        return [zone for _, zone in entries.values()]

    def health_checks(self) -> Mapping[str, HealthCheck]:
        """Every health check by id."""
        return {
            found["id"]: HealthCheck(
                found["id"], found["version"], to_health_check_config(found["config"])
            )
            for found in self._route53._health_checks.to_dict().values()
        }

    def aws_names(self) -> Mapping[str, str]:
        """API Gateway's regional names (custom domains' targets, REST APIs' own) and the zones'
        name servers, with addresses.
        """
        names = {
            server: CONTROL_ADDRESS for zone in self.hosted_zones() for server in zone.name_servers
        }
        for (_, region, _), domain in self._apigateway._domain_names.all_items():
            if region in self._edges:
                names[canonical(domain["regionalDomainName"])] = self._edges[region]
        for (_, region, api_id), _ in self._apigateway._rest_apis.all_items():
            if region in self._edges:
                names[f"{api_id}.execute-api.{region}.amazonaws.com."] = self._edges[region]
        return names

    def custom_domain(self, region: str, name: str) -> CustomDomain | None:
        """The region's custom domain of that name (lower case, no final dot). Unsigned requests
        mean the default account.
        """
        found = self._apigateway._domain_names.get_scoped(ACCOUNT, region, name)
        if found is None:
            return None
        mappings = self._apigateway._base_path_mappings.get_scoped(ACCOUNT, region, name, {})
        return CustomDomain(
            name=name,
            target=found["regionalDomainName"],
            certificate=self._certificate_names(
                region, found.get("regionalCertificateArn", ""), name
            ),
            mappings=tuple(
                BasePathMapping(
                    "" if base_path == "(none)" else base_path.strip("/"),
                    mapping["restApiId"],
                    mapping["stage"],
                )
                for base_path, mapping in mappings.items()
            ),
        )

    def rest_api(self, region: str, api_id: str) -> RestApi | None:
        """The region's REST API of that id."""
        found = self._apigateway._rest_apis.get_scoped(ACCOUNT, region, api_id)
        if found is None:
            return None
        return RestApi(api_id, str(found.get("disableExecuteApiEndpoint", False)).lower() != "true")

    def _certificate_names(self, region: str, arn: str, name: str) -> tuple[str, ...]:
        certificate = self._acm._certificates.get_scoped(ACCOUNT, region, arn)
        if certificate is None or certificate["Status"] != "ISSUED":
            return ()
        names = tuple(
            dict.fromkeys((certificate["DomainName"], *certificate["SubjectAlternativeNames"]))
        )
        return names if covers(names, name) else ()

    def _entry(self, zone: Mapping[str, Any], records: list[Any]) -> tuple[list[Any], HostedZone]:
        known = self._zones.get(zone["id"])
        if known is not None and known[0] is records:
            return known
        name = canonical(zone["name"])
        sets = tuple(_record_set(record) for record in records)
        servers = [
            value
            for record in sets
            if record.type == "NS" and record.name == name
            for value in record.values
        ]
        return records, HostedZone(zone["id"], name, tuple(map(canonical, servers)), sets)


def _record_set(record: Mapping[str, Any]) -> RecordSet:
    alias = record.get("AliasTarget")
    return RecordSet(
        name=canonical(record["Name"]),
        type=record["Type"],
        ttl=int(record["TTL"]) if record.get("TTL") is not None else None,
        values=tuple(record.get("ResourceRecords", ())),
        alias=AliasTarget(
            canonical(alias["DNSName"]), alias["HostedZoneId"], alias["EvaluateTargetHealth"]
        )
        if alias
        else None,
        set_identifier=record.get("SetIdentifier", ""),
        failover=record.get("Failover", ""),
        health_check_id=record.get("HealthCheckId", ""),
    )
