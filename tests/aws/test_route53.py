"""Route 53's adapter against botocore's own model of the service: which hosted zone contains a
domain.
"""

from typing import Any

import pytest
from botocore.stub import Stubber

from deploytool.aws.route53 import Route53HealthChecks, Route53Zones
from deploytool.aws.sessions import Clients
from deploytool.core.errors import DeploytoolError, InputError, NoSuchZone, StaleVersion
from deploytool.core.route53.alarms import AlarmConfiguration, AlarmIdentifier
from deploytool.core.route53.health import HealthCheck, HealthCheckConfig
from deploytool.core.route53.zone import RecordSet, RoutingPolicy, canonical


@pytest.fixture
def service() -> str:
    return "route53"


@pytest.fixture
def find(stub: Stubber, clients: Clients) -> Any:
    """Find the id of a domain's zone.

    For each name, in the order in which they are asked, Route 53 answers with these zones: (id,
    name, private).
    """

    def find(domain: str, answers: dict[str, list[tuple[str, str, bool]]]) -> str | None:
        for name, zones in answers.items():
            listed = [
                {
                    "Id": f"/hostedzone/{id_}",
                    "Name": f"{zone_name}.",
                    "CallerReference": id_,
                    "Config": {"PrivateZone": private},
                }
                for id_, zone_name, private in zones
            ]
            stub.add_response(
                "list_hosted_zones_by_name",
                {"HostedZones": listed, "IsTruncated": False, "MaxItems": "100"},
                {"DNSName": name},
            )
        zone = Route53Zones(clients).find_enclosing(domain)
        stub.assert_no_pending_responses()
        return zone.id if zone else None

    return find


def test_the_zone_with_the_longest_name_that_fits_contains_the_domain(find: Any) -> None:
    """From the domain itself up to its second label. Route 53 answers with the zones at or after
    the name.
    """
    answers = {
        "api.dev.example.com": [("Z9", "www.example.com", False)],
        "dev.example.com": [("Z1", "dev.example.com", False)],
    }
    assert find("api.dev.example.com", answers) == "Z1"
    answers = {"example.com": [("Z2", "example.com", False), ("Z1", "dev.example.com", False)]}
    assert find("example.com", answers) == "Z2"


def test_a_private_zone_contains_nothing_that_clients_see(find: Any) -> None:
    """It is skipped, and no zone of the top-level domain is asked for."""
    answers = {"dev.example.com": [("Z1", "dev.example.com", True)], "example.com": []}
    assert find("dev.example.com", answers) is None


def test_two_public_zones_of_one_name_are_an_error(find: Any) -> None:
    """Only one of them is delegated to, and the API does not tell which."""
    answers = {"example.com": [("Z1", "example.com", False), ("Z2", "example.com", False)]}
    with pytest.raises(InputError, match="Z1, Z2"):
        find("example.com", answers)


def read_health_check(
    stub: Stubber, clients: Clients, config: dict[str, Any], **more: Any
) -> HealthCheck:
    """Return what the adapter reads of a health check that the API answers with."""
    health_check = {
        "Id": "check",
        "CallerReference": "reference",
        "HealthCheckConfig": config,
        "HealthCheckVersion": 7,
        **more,
    }
    stub.add_response("get_health_check", {"HealthCheck": health_check}, {"HealthCheckId": "check"})
    return Route53HealthChecks(clients).get("check")


def test_a_calculated_health_check(stub: Stubber, clients: Clients) -> None:
    """Its threshold and its children are read; settings of endpoints have their defaults."""
    config = {
        "Type": "CALCULATED",
        "Inverted": False,
        "HealthThreshold": 2,
        "ChildHealthChecks": ["endpoint", "switch"],
    }
    check = read_health_check(stub, clients, config)
    assert check.config == HealthCheckConfig(
        "CALCULATED",
        enable_sni=False,
        health_threshold=2,
        child_health_checks=("endpoint", "switch"),
    )


def test_a_health_check_on_an_alarm(stub: Stubber, clients: Clients) -> None:
    """The alarm's name and region are read, and what Route 53 read of the alarm."""
    config = {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Region": "us-west-2", "Name": "switch"},
        "InsufficientDataHealthStatus": "Unhealthy",
    }
    alarm = {
        "Namespace": "deploytool",
        "MetricName": "FailoverSwitch",
        "Dimensions": [{"Name": "Project", "Value": "shop"}],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }
    check = read_health_check(stub, clients, config, CloudWatchAlarmConfiguration=alarm)
    assert check.config.alarm_identifier == AlarmIdentifier("us-west-2", "switch")
    assert check.config.insufficient_data_health_status == "Unhealthy"
    assert check.alarm == AlarmConfiguration(
        "deploytool",
        "FailoverSwitch",
        (("Project", "shop"),),
        "Maximum",
        60,
        1,
        1.0,
        "GreaterThanOrEqualToThreshold",
    )


def test_the_regions_of_the_checkers(stub: Stubber, clients: Clients) -> None:
    """A health check that names the regions of its checkers keeps their order."""
    regions = ["us-west-1", "eu-west-1", "sa-east-1"]
    check = read_health_check(stub, clients, {"Type": "HTTPS", "Regions": regions})
    assert check.config.regions == tuple(regions)
    assert check.alarm is None


def test_the_accelerated_recovery_of_a_zone(stub: Stubber, clients: Clients) -> None:
    """Its status is among the zone's features, and one call turns it off."""
    zone = {
        "Id": "/hostedzone/Z1",
        "Name": "example.com.",
        "CallerReference": "1",
        "Features": {"AcceleratedRecoveryStatus": "ENABLING_HOSTED_ZONE_LOCKED"},
    }
    stub.add_response("get_hosted_zone", {"HostedZone": zone}, {"Id": "Z1"})
    stub.add_response(
        "update_hosted_zone_features",
        {},
        {"HostedZoneId": "Z1", "EnableAcceleratedRecovery": False},
    )
    zones = Route53Zones(clients)
    assert zones.get("Z1").is_changing
    zones.disable_recovery("Z1")
    stub.assert_no_pending_responses()


def test_a_zone_that_does_not_exist(stub: Stubber, clients: Clients) -> None:
    """NoSuchHostedZone is an error of its own, so that its reader can name the setting."""
    stub.add_client_error("get_hosted_zone", "NoSuchHostedZone", "No hosted zone found", 404)
    with pytest.raises(NoSuchZone, match="reading hosted zone Z1"):
        Route53Zones(clients).get("Z1")


def test_a_private_zone(stub: Stubber, clients: Clients) -> None:
    """A private zone is told apart, and has no name servers."""
    zone = {
        "Id": "/hostedzone/Z1",
        "Name": "example.com.",
        "CallerReference": "a",
        "Config": {"PrivateZone": True},
    }
    vpcs = [{"VPCRegion": "us-east-1", "VPCId": "vpc-1"}]
    stub.add_response("get_hosted_zone", {"HostedZone": zone, "VPCs": vpcs}, {"Id": "Z1"})
    found = Route53Zones(clients).get("Z1")
    assert (found.private, found.name_servers) == (True, ())


def test_the_records_of_a_name(stub: Stubber, clients: Clients) -> None:
    """All types of exactly the name are read, each with its routing policy."""
    values = {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    listed = [
        {"Name": "dev.example.com.", "Type": "A", "SetIdentifier": "x", "Weight": 1, **values},
        {"Name": "dev.example.com.", "Type": "TXT", **values},
        {"Name": "www.dev.example.com.", "Type": "A", **values},
    ]
    stub.add_response(
        "list_resource_record_sets",
        {"ResourceRecordSets": listed, "IsTruncated": False, "MaxItems": "300"},
        {"HostedZoneId": "Z1", "StartRecordName": "dev.example.com."},
    )
    weighted, text = Route53Zones(clients).named("Z1", "Dev.example.com")
    assert weighted.policy is RoutingPolicy.WEIGHTED
    assert text == RecordSet("dev.example.com.", "TXT", 60, ("192.0.2.1",))


@pytest.mark.parametrize(
    ("version", "inverted", "is_done"),
    [(8, True, True), (8, False, False), (9, True, False)],
)
def test_an_inversion_whose_answer_was_lost_is_done(
    stub: Stubber, clients: Clients, version: int, inverted: bool, is_done: bool
) -> None:
    """Botocore repeats it with the old version. Only the next version can be that of this change."""
    stub.add_client_error("update_health_check", "HealthCheckVersionMismatch")
    health_check = {
        "Id": "check",
        "CallerReference": "check",
        "HealthCheckConfig": {"Type": "HTTPS", "Inverted": inverted},
        "HealthCheckVersion": version,
    }
    stub.add_response("get_health_check", {"HealthCheck": health_check})
    adapter = Route53HealthChecks(clients)
    if is_done:
        assert adapter.set_inverted("check", inverted=True, version=7).version == version
        return
    with pytest.raises(StaleVersion):
        adapter.set_inverted("check", inverted=True, version=7)


@pytest.mark.parametrize("is_present", [True, False])
def test_records_whose_deletion_was_not_answered_are_deleted(
    stub: Stubber, clients: Clients, is_present: bool
) -> None:
    """Route 53 refuses to delete them again. While one is there, the refusal is an error."""
    record = RecordSet(canonical("_x.example.com"), "CNAME", 300, ("y.example.com",))
    listed = {
        "Name": "_x.example.com.",
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": "y.example.com"}],
    }
    stub.add_client_error("change_resource_record_sets", "InvalidChangeBatch", "not found")
    records = [listed] if is_present else []
    answer = {"ResourceRecordSets": records, "IsTruncated": False, "MaxItems": "300"}
    stub.add_response("list_resource_record_sets", answer)
    if not is_present:
        Route53Zones(clients).remove("Z1", [record])
        return
    with pytest.raises(DeploytoolError, match="not found"):
        Route53Zones(clients).remove("Z1", [record])


def test_a_zone_whose_deletion_was_not_answered_is_deleted(stub: Stubber, clients: Clients) -> None:
    """Route 53 does not know it any more."""
    stub.add_client_error("delete_hosted_zone", "NoSuchHostedZone")
    Route53Zones(clients).delete("Z1")
