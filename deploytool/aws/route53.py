"""Route 53 as a check and a drill see it: health checks with their optimistic lock, and a zone's
name servers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients
from deploytool.core.errors import InputError
from deploytool.core.ports import Nameserver
from deploytool.core.route53.health import CheckerObservation, HealthCheck, HealthCheckConfig
from deploytool.core.route53.zone import AliasTarget, RecordSet, canonical

REGION = "us-east-1"  # Route 53's control plane is there alone


class Route53HealthChecks:
    """The HealthChecks port on boto3."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def get(self, health_check_id: str) -> HealthCheck:
        """GetHealthCheck."""
        with translated(f"reading health check {health_check_id}"):
            return _health_check(
                self._client().get_health_check(HealthCheckId=health_check_id)["HealthCheck"]
            )

    def set_inverted(self, health_check_id: str, *, inverted: bool, version: int) -> HealthCheck:
        """UpdateHealthCheck with HealthCheckVersion: a compare-and-swap. Raises StaleVersion when
        it was lost.
        """
        with translated(f"changing health check {health_check_id}"):
            answer = self._client().update_health_check(
                HealthCheckId=health_check_id, HealthCheckVersion=version, Inverted=inverted
            )
            return _health_check(answer["HealthCheck"])

    def observations(self, health_check_id: str) -> Sequence[CheckerObservation]:
        """GetHealthCheckStatus: one observation a checker."""
        with translated(f"reading the status of health check {health_check_id}"):
            answer = self._client().get_health_check_status(HealthCheckId=health_check_id)
        return [_observation(each) for each in answer["HealthCheckObservations"]]

    def _client(self) -> Any:  # noqa: ANN401  # a boto3 client
        return self._clients.get("route53", REGION)


class Route53HostedZones:
    """The HostedZones port on boto3. `locate` gives a name server by its name."""

    def __init__(self, clients: Clients, locate: Callable[[str], Nameserver]) -> None:
        self._clients, self._locate = clients, locate

    def name_servers(self, hosted_zone_id: str) -> Sequence[Nameserver]:
        """GetHostedZone, and an address for each name server."""
        with translated(f"reading hosted zone {hosted_zone_id}"):
            answer = self._clients.get("route53", REGION).get_hosted_zone(Id=hosted_zone_id)
        names = sorted(name.rstrip(".") for name in answer["DelegationSet"]["NameServers"])
        return [self._locate(name) for name in names]

    def records(self, hosted_zone_id: str, name: str) -> Sequence[RecordSet]:
        """ListResourceRecordSets from the name on: a failover pair is on its first page."""
        with translated(f"reading the records of {name}"):
            answer = self._clients.get("route53", REGION).list_resource_record_sets(
                HostedZoneId=hosted_zone_id, StartRecordName=name, StartRecordType="A"
            )
        found = (record_set(each) for each in answer["ResourceRecordSets"] if each["Type"] == "A")
        return [each for each in found if each.name == canonical(name)]

    def find_hosted_zone(self, domain: str) -> str | None:
        """The id of the public hosted zone that holds a domain: the one with the longest name that
        the domain ends in.

        ListHostedZonesByName, a call for each name. Raises InputError when several zones have that
        name.
        """
        labels = domain.split(".")
        for name in (".".join(labels[start:]) for start in range(len(labels) - 1)):
            with translated(f"looking for the hosted zone of {name}"):
                answer = self._clients.get("route53", REGION).list_hosted_zones_by_name(
                    DNSName=name
                )
            ids = [
                zone["Id"].removeprefix("/hostedzone/")
                for zone in answer["HostedZones"]
                if zone["Name"].rstrip(".") == name and not zone["Config"]["PrivateZone"]
            ]
            if len(ids) > 1:
                raise InputError(
                    f"{name} has {len(ids)} public hosted zones: {', '.join(ids)}",
                    hint="say which by its id",
                )
            if ids:
                return str(ids[0])
        return None


def record_set(found: Mapping[str, Any]) -> RecordSet:
    """A ResourceRecordSet of the API as a value."""
    alias = found.get("AliasTarget")
    return RecordSet(
        name=canonical(found["Name"]),
        type=found["Type"],
        ttl=found.get("TTL"),
        values=tuple(each["Value"] for each in found.get("ResourceRecords", [])),
        alias=alias
        and AliasTarget(
            canonical(alias["DNSName"]), alias["HostedZoneId"], alias["EvaluateTargetHealth"]
        ),
        set_identifier=found.get("SetIdentifier", ""),
        failover=found.get("Failover", ""),
        health_check_id=found.get("HealthCheckId", ""),
    )


def _health_check(found: Mapping[str, Any]) -> HealthCheck:
    config = found["HealthCheckConfig"]
    return HealthCheck(
        id=found["Id"],
        version=found["HealthCheckVersion"],
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
        ),
    )


def _observation(found: Mapping[str, Any]) -> CheckerObservation:
    report = found.get("StatusReport", {})
    status = str(report.get("Status", ""))
    checked = report["CheckedTime"].isoformat() if "CheckedTime" in report else ""
    return CheckerObservation(
        found["Region"],
        found.get("IPAddress", ""),
        status.startswith("Success"),
        status,
        checked=checked,
    )
