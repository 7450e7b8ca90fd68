"""Changes of record sets: contract tests with boto3 on a running cloud.

The rules have tables of their own in tests/core/route53/test_changes.py. These tests show that each
way to a record set obeys them: the API, AWS::Route53::RecordSet, AWS::Route53::RecordSetGroup, and
the validation record of a certificate. Source, where a test has no other: Route 53 API reference,
ChangeResourceRecordSets and ResourceRecordSet.
"""

import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploytool.localcloud.state import State

ADDRESS = "127.0.0.9"


@pytest.fixture(scope="module")
def route53(aws: Any) -> Any:
    return aws.client("route53")


@pytest.fixture
def domain() -> str:
    """The domain of a zone that only this test uses."""
    return f"{uuid.uuid4().hex[:8]}.example"


@pytest.fixture
def zone(route53: Any, domain: str) -> Any:
    """The id of an empty hosted zone of the domain."""
    reference = str(uuid.uuid4())
    created = route53.create_hosted_zone(Name=domain, CallerReference=reference)
    return created["HostedZone"]["Id"].removeprefix("/hostedzone/")


def record(name: str, type_: str = "A", value: str = ADDRESS, **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": type_,
        "TTL": 60,
        "ResourceRecords": [{"Value": value}],
        **more,
    }


def change(route53: Any, zone: str, *records: dict[str, Any], action: str = "CREATE") -> None:
    changes = [{"Action": action, "ResourceRecordSet": each} for each in records]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def names(route53: Any, zone: str) -> set[tuple[str, str]]:
    """The names and types of a zone, without its SOA and its own NS record set."""
    listed = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {(each["Name"], each["Type"]) for each in listed if each["Type"] not in ("SOA", "NS")}


def stack_of(zone: str, *records: dict[str, Any], group: bool = False) -> dict[str, Any]:
    """A template with these record sets, one resource each or all in one group."""
    written = []
    for each in records:
        values = [value["Value"] for value in each.get("ResourceRecords", ())]
        written.append({**each, "ResourceRecords": values} if values else each)
    if group:
        properties = {"HostedZoneId": zone, "RecordSets": written}
        return {
            "Resources": {
                "Group": {"Type": "AWS::Route53::RecordSetGroup", "Properties": properties}
            }
        }
    resources = {
        f"Record{number}": {
            "Type": "AWS::Route53::RecordSet",
            "Properties": {**each, "HostedZoneId": zone},
        }
        for number, each in enumerate(written)
    }
    return {"Resources": resources}


def standby(domain: str) -> dict[str, Any]:
    """The half of a failover pair that needs no health check."""
    return record(f"dev.{domain}", SetIdentifier="second", Failover="SECONDARY")


class TestApi:
    """ChangeResourceRecordSets."""

    @pytest.mark.parametrize(
        ("there", "text"),
        [
            (record("dev"), "as a non-failover set exists with the same name and type"),
            (record("dev", "CNAME", "old.example.net"), "conflicting RRSet of type CNAME"),
            (record("dev", SetIdentifier="x", Weight=1), "as a non-failover set exists"),
        ],
        ids=["simple", "CNAME", "weighted"],
    )
    def test_a_failover_record_beside_another(
        self, route53: Any, zone: str, domain: str, there: Any, text: str
    ) -> None:
        """Beside a record set of another policy, or a CNAME, a failover record is refused."""
        change(route53, zone, {**there, "Name": f"dev.{domain}"})
        before = names(route53, zone)
        with pytest.raises(ClientError, match=text) as caught:
            change(route53, zone, record(f"other.{domain}"), standby(domain))
        assert caught.value.response["Error"]["Code"] == "InvalidChangeBatch"
        assert names(route53, zone) == before

    def test_outside_the_zone(self, route53: Any, zone: str) -> None:
        """A record set outside of the zone's domain is refused (getmoto/moto#916)."""
        with pytest.raises(ClientError, match=r"www\.example\.org\. is not permitted in zone"):
            change(route53, zone, record("www.example.org"))

    def test_form(self, route53: Any, zone: str, domain: str) -> None:
        """An alias with a TTL has the wrong form (aws/aws-cli#2508)."""
        alias = {"HostedZoneId": zone, "DNSName": f"b.{domain}", "EvaluateTargetHealth": False}
        wrong = {"Name": f"a.{domain}", "Type": "A", "TTL": 60, "AliasTarget": alias}
        with pytest.raises(ClientError, match="found more than one") as caught:
            change(route53, zone, wrong)
        assert caught.value.response["Error"]["Code"] == "InvalidInput"
        del wrong["TTL"]
        with pytest.raises(ClientError, match="that target was not found"):
            change(route53, zone, wrong)
        change(route53, zone, record(f"b.{domain}"), wrong)

    def test_alias_to_an_api(self, route53: Any, service: Any, zone: str, domain: str) -> None:
        """An alias to a regional API needs the hosted zone id of its region (AliasTarget)."""
        east, west = (service.regions[region] for region in ("us-east-1", "us-west-2"))
        alias = {
            "DNSName": east["RegionalRegionalDomainName"],
            "HostedZoneId": west["RegionalRegionalHostedZoneId"],
            "EvaluateTargetHealth": False,
        }
        wanted = {"Name": f"a.{domain}", "Type": "A", "AliasTarget": alias}
        with pytest.raises(ClientError, match="does not lie within the target zone"):
            change(route53, zone, wanted)
        alias["HostedZoneId"] = east["RegionalRegionalHostedZoneId"]
        change(route53, zone, wanted)

    def test_unknown_health_check(self, route53: Any, zone: str, domain: str) -> None:
        """A health check that does not exist is NoSuchHealthCheck."""
        half = record(
            f"a.{domain}",
            SetIdentifier="x",
            Failover="PRIMARY",
            HealthCheckId=str(uuid.uuid4()),
        )
        with pytest.raises(ClientError) as caught:
            change(route53, zone, half)
        assert caught.value.response["Error"]["Code"] == "NoSuchHealthCheck"

    def test_name_servers_without_the_zone(self, route53: Any, zone: str, domain: str) -> None:
        """Guardrails: a delegation to Route 53's servers needs the zone there.

        Source: Developer Guide, "Change Guardrails for hosted zones" (NS_DELEGATION_AUTHORITY_CHECK
        and NS_FORMAT_CHECK, always on since 2026-11-20).
        """
        servers = route53.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
        child = f"child.{domain}"
        delegation = record(child, "NS", servers[0])
        with pytest.raises(ClientError, match="NS_DELEGATION_AUTHORITY_CHECK"):
            change(route53, zone, record(f"a.{domain}"), delegation)
        assert names(route53, zone) == set()
        with pytest.raises(ClientError, match="NS_FORMAT_CHECK"):
            change(route53, zone, record(child, "NS", f"{servers[0]}.{domain}"))

        route53.create_hosted_zone(Name=child, CallerReference=str(uuid.uuid4()))
        change(route53, zone, delegation)

    def test_unknown_zone(self, route53: Any) -> None:
        """A zone that does not exist is NoSuchHostedZone."""
        with pytest.raises(ClientError) as caught:
            change(route53, "Z00000000000000000000", record("a.example"))
        assert caught.value.response["Error"]["Code"] == "NoSuchHostedZone"


class TestTemplates:
    """Record sets in CloudFormation, which creates them with CREATE."""

    @pytest.mark.parametrize("group", [False, True])
    def test_what_exists_already(
        self, aws: Any, route53: Any, zone: str, domain: str, group: bool
    ) -> None:
        """A record set that is there already is not taken, and its stack leaves it alone."""
        change(route53, zone, record(f"a.{domain}", value="127.0.0.8"))
        template = stack_of(zone, record(f"a.{domain}"), group=group)
        with pytest.raises(AssertionError, match=r"but it already exists.*InvalidChangeBatch"):
            aws.create_stack(f"exists-{zone}-{group}".lower(), template)
        listed = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        assert {"Value": "127.0.0.8"} in [
            value for each in listed for value in each["ResourceRecords"]
        ]

    @pytest.mark.parametrize("group", [False, True])
    def test_conflict_and_outside(
        self, aws: Any, route53: Any, zone: str, domain: str, group: bool
    ) -> None:
        """A failover record beside a CNAME, and a name outside the zone, fail their stack."""
        change(route53, zone, record(f"dev.{domain}", "CNAME", "old.example.net"))
        with pytest.raises(AssertionError, match="conflicting RRSet of type CNAME"):
            aws.create_stack(f"beside-{zone}-{group}", stack_of(zone, standby(domain), group=group))
        outside = stack_of(zone, record("www.example.org"), group=group)
        with pytest.raises(AssertionError, match="is not permitted in zone"):
            aws.create_stack(f"outside-{zone}-{group}", outside)

    def test_life(self, aws: Any, route53: Any, zone: str, domain: str) -> None:
        """A stack's own record sets are changed in place, and deleted as they are by then."""
        name = f"life-{zone}"
        aws.create_stack(name, stack_of(zone, standby(domain)))
        changed = standby(domain) | {"TTL": 30}
        aws.update_stack(name, stack_of(zone, changed))
        change(route53, zone, changed | {"TTL": 20}, action="UPSERT")
        assert aws.delete_stack(name) == "DELETE_COMPLETE"
        assert names(route53, zone) == set()

    def test_certificate(self, aws: Any, zone: str) -> None:
        """The validation record of a certificate must be in the zone's domain too."""
        options = [{"DomainName": "dev.example.org", "HostedZoneId": zone}]
        properties = {
            "DomainName": "dev.example.org",
            "ValidationMethod": "DNS",
            "DomainValidationOptions": options,
        }
        type_ = "AWS::CertificateManager::Certificate"
        template = {"Resources": {"Certificate": {"Type": type_, "Properties": properties}}}
        with pytest.raises(AssertionError, match="is not permitted in zone"):
            aws.create_stack(f"certificate-{zone}", template)


def protect(cloud: State, zone: str, name: str, *, rest: str = "") -> int:
    """Create the protection of a name's A records, or delete it; the status of the answer.

    The installed botocore does not know the calls.
    """
    action = "Delete" if rest else "Create"
    root = f"{action}ResourceRecordSetProtectionsRequest"
    key = f"<RecordName>{name}</RecordName><RecordType>A</RecordType>"
    protections = f"<Protections><ResourceRecordSetProtection>{key}</ResourceRecordSetProtection>"
    body = (
        f'<{root} xmlns="https://route53.amazonaws.com/doc/2013-04-01/">'
        f"{protections}</Protections></{root}>"
    )
    scope = "local/20261125/us-east-1/route53/aws4_request"
    request = urllib.request.Request(
        f"{cloud.endpoint_url}/2013-04-01/hostedzone/{zone}/rrsetprotection{rest}",
        body.encode(),
        {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"},
        method="POST",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_protected_records(cloud: State, aws: Any, route53: Any, zone: str, domain: str) -> None:
    """What has a record set protection is neither created, changed nor deleted, nor is its zone.

    Source: Developer Guide, "Protecting records from changes" (since 2026-11-12).
    """
    name = f"a.{domain}"
    stack = f"protected-{zone}"
    aws.create_stack(stack, stack_of(zone, record(name)))
    assert protect(cloud, zone, name) == 200
    assert protect(cloud, zone, name) == 400

    with pytest.raises(ClientError, match="record set protection"):
        change(route53, zone, record(name, value="127.0.0.8"), action="UPSERT")
    assert aws.delete_stack(stack) == "DELETE_FAILED"
    assert names(route53, zone) == {(f"{name}.", "A")}
    with pytest.raises(ClientError, match="protections"):
        route53.delete_hosted_zone(Id=zone)

    assert protect(cloud, zone, name, rest="/delete") == 200
    assert aws.delete_stack(stack) == "DELETE_COMPLETE"
    route53.delete_hosted_zone(Id=zone)


@pytest.mark.difference
@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"HostedZoneConfig": {"HostedZoneTier": "ADVANCED"}}, "tier STANDARD only"),
        (
            {"ChangeGuardrails": [{"Name": "NS_OCCLUSION_CHECK", "Status": "ENABLED"}]},
            "Validation failed",
        ),
    ],
)
def test_advanced_zones_are_refused(
    aws: Any, domain: str, properties: dict[str, Any], reason: str
) -> None:
    """Zones of the advanced tier, and guardrails that are not always on, are refused here.

    The schema of cfn-lint does not have the guardrails yet, so validation refuses them. AWS has them (Developer Guide, "Hosted zone tiers"; AWS::Route53::HostedZone ChangeGuardrail).
    """
    zone = {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": domain, **properties}}
    with pytest.raises(AssertionError, match=reason):
        aws.create_stack(f"advanced-{domain.partition('.')[0]}", {"Resources": {"Zone": zone}})
