"""Delegation: the parents' server, the public view, and certificates that wait for it."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
from dns.message import Message

from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.route53.zone import HostedZone, RecordSet
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.dns.delegation import PARENT_SERVER, Delegations, ParentZones, PublicView
from deploytool.localcloud.dns.nameserver import NameServer
from deploytool.localcloud.settings import Settings
from deploytool.localcloud.state import State

OURS = ("ns-1.awsdns-1.com.", "ns-2.awsdns-2.net.")
ACM = "AWS::CertificateManager::Certificate"


def zone(name: str, *records: RecordSet) -> HostedZone:
    return HostedZone(
        f"Z-{name}", name, OURS, (RecordSet(name, "SOA", 900, ("a. b. 1 2 3 4 5",)), *records)
    )


class World:
    """A control plane with these zones."""

    def __init__(self, *zones: HostedZone) -> None:
        self.zones = zones

    def hosted_zones(self) -> Sequence[HostedZone]:
        return self.zones

    def health_checks(self) -> dict[str, Any]:
        return {}

    def aws_names(self) -> dict[str, str]:
        return {}

    def is_healthy(self, health_check_id: str) -> bool:
        return True


def parent(world: World, delegations: Delegations, name: str, type_: str = "NS") -> Message:
    return NameServer(ParentZones(delegations), world).respond(dns.message.make_query(name, type_))


def referred(response: Message) -> set[str]:
    return {str(rdata) for rrset in response.authority for rdata in rrset}


def test_new_zones_are_delegated_by_default() -> None:
    """The parent refers to a new zone's name servers at once, without authority for it."""
    world = World(zone("dev.example.com."))
    response = parent(
        world, Delegations(world.hosted_zones, automatic=True), "x.dev.example.com.", "A"
    )
    assert (referred(response), bool(response.flags & dns.flags.AA)) == (set(OURS), False)


def test_undelegated_is_no_such_domain() -> None:
    """Without delegation the parent answers NXDOMAIN; delegated, it refers to the name servers."""
    world = World(zone("dev.example.com."))
    delegations = Delegations(world.hosted_zones, automatic=False)
    response = parent(world, delegations, "dev.example.com.")
    assert (response.rcode(), bool(response.flags & dns.flags.AA)) == (dns.rcode.NXDOMAIN, True)
    delegations.delegate_to_zone("dev.example.com")
    assert referred(parent(world, delegations, "dev.example.com.")) == set(OURS)
    delegations.delegate("dev.example.com", ["NS1.other.net"])
    assert referred(parent(world, delegations, "dev.example.com.")) == {"ns1.other.net."}
    delegations.undelegate("dev.example.com.")
    assert parent(world, delegations, "dev.example.com.").rcode() == dns.rcode.NXDOMAIN


def test_a_resolver_keeps_no_automatic_delegation_for_long() -> None:
    """The parent's own zone may become a hosted zone, whose servers then know the next stage.

    A delegation that somebody made by hand has the TTL of .com, two days.
    """
    world = World(zone("dev.example.com."))
    delegations = Delegations(world.hosted_zones, automatic=True)
    referral = parent(world, delegations, "dev.example.com.")
    apex = parent(world, delegations, "example.com.")
    assert [rrset.ttl for rrset in (*referral.authority, *apex.answer)] == [60, 60]

    delegations.delegate_to_zone("dev.example.com")
    by_hand = parent(world, delegations, "dev.example.com.")
    assert [rrset.ttl for rrset in by_hand.authority] == [172_800]


def test_parent_names_itself() -> None:
    """The parent's own NS records name its server, so that clients can find it."""
    world = World(zone("example.com."))
    response = parent(world, Delegations(world.hosted_zones, automatic=False), "com.")
    assert [str(rdata) for rrset in response.answer for rdata in rrset] == [PARENT_SERVER]


def test_delegate_needs_a_zone_or_names() -> None:
    """A domain without hosted zone needs name servers, and every name must be a domain name."""
    delegations = Delegations(lambda: (), automatic=False)
    with pytest.raises(InputError, match="no such hosted zone"):
        delegations.delegate_to_zone("example.com")
    with pytest.raises(InputError, match="'nonsense'"):
        delegations.delegate("nonsense", ("ns1.other.net",))
    with pytest.raises(InputError, match="'bad name'"):
        delegations.delegate("example.com", ("bad name",))


@pytest.mark.parametrize(
    ("inner", "reachable"),
    [
        pytest.param(
            OURS, {"example.com.", "dev.example.com."}, id="its NS records are in the outer zone"
        ),
        pytest.param(("ns1.other.net.",), {"example.com."}, id="they point elsewhere"),
        pytest.param((), {"example.com."}, id="there are none"),
    ],
)
def test_zone_within_a_zone(inner: tuple[str, ...], reachable: set[str]) -> None:
    """A zone within another hosted zone is reachable by the outer one's NS records."""
    cut = (RecordSet("dev.example.com.", "NS", 300, inner),) if inner else ()
    world = World(zone("dev.example.com."), zone("example.com.", *cut))
    delegations = Delegations(world.hosted_zones, automatic=False)
    assert list(PublicView(world, delegations).hosted_zones()) == []
    delegations.delegate_to_zone("example.com")
    zones = PublicView(world, delegations).hosted_zones()
    assert {zone.name for zone in zones} == reachable


@pytest.fixture(scope="module")
def undelegated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A cloud that delegates no zone by itself."""
    settings = Settings(
        tmp_path_factory.mktemp("cloud"), ("us-east-1", "us-west-2"), 20.0, delegate=False
    )
    with lifecycle.private(settings) as state:
        yield state


def ask(state: State, server: str, name: str, type_: str) -> Message:
    at = getattr(state, server)
    return dns.query.udp(dns.message.make_query(name, type_), at.address, 5, at.port)


def certificate_stack(domain: str, zone_id: str) -> dict[str, Any]:
    options = [{"DomainName": domain, "HostedZoneId": zone_id}]
    properties = {
        "DomainName": domain,
        "ValidationMethod": "DNS",
        "DomainValidationOptions": options,
    }
    return {"Resources": {"Certificate": {"Type": ACM, "Properties": properties}}}


def make_zone(aws: Any, domain: str) -> str:
    route53 = aws.client("route53")
    created = route53.create_hosted_zone(Name=domain, CallerReference=domain)
    return str(created["HostedZone"]["Id"].removeprefix("/hostedzone/"))


def certificate(aws: Any, domain: str) -> dict[str, Any]:
    """The newest certificate of a domain, once there is one."""
    acm = aws.client("acm")
    while True:
        summaries = [
            summary
            for summary in acm.list_certificates()["CertificateSummaryList"]
            if summary["DomainName"] == domain
        ]
        if summaries:
            return dict(
                acm.describe_certificate(CertificateArn=summaries[-1]["CertificateArn"])[
                    "Certificate"
                ]
            )


class TestCertificates:
    """ACM against the local cloud's delegation."""

    @pytest.fixture
    def aws(self, undelegated: State, aws: Any) -> Any:
        """Clients of this module's cloud."""
        return dataclasses.replace(aws, state=undelegated)

    def test_waits_for_the_delegation(self, undelegated: State, aws: Any) -> None:
        """A stack with a certificate stays CREATE_IN_PROGRESS until its domain is delegated.

        The certificate is PENDING_VALIDATION and shows the record meanwhile.
        """
        zone_id, cloudformation = make_zone(aws, "api.example"), aws.client("cloudformation")
        cloudformation.create_stack(
            StackName="pends", TemplateBody=json.dumps(certificate_stack("api.example", zone_id))
        )
        pending = certificate(aws, "api.example")
        record = pending["DomainValidationOptions"][0]["ResourceRecord"]
        assert (pending["Status"], record["Type"]) == ("PENDING_VALIDATION", "CNAME")
        assert ask(undelegated, "dns", record["Name"], "CNAME").answer, "the zone itself has it"
        assert ask(undelegated, "resolver", record["Name"], "CNAME").rcode() == dns.rcode.NXDOMAIN
        assert ask(undelegated, "parent", "api.example", "NS").rcode() == dns.rcode.NXDOMAIN
        assert (
            cloudformation.describe_stacks(StackName="pends")["Stacks"][0]["StackStatus"]
            == "CREATE_IN_PROGRESS"
        )
        ControlClient(undelegated).delegate("api.example", ["ns1.other.net"])
        assert (
            ask(undelegated, "resolver", f"x.{record['Name']}", "CNAME").rcode()
            == dns.rcode.SERVFAIL
        ), "nobody is there"
        assert certificate(aws, "api.example")["Status"] == "PENDING_VALIDATION"
        name_servers = ControlClient(undelegated).delegate("api.example", None)
        assert referred(ask(undelegated, "parent", "api.example", "NS")) == set(name_servers)
        while (stack := cloudformation.describe_stacks(StackName="pends")["Stacks"][0])[
            "StackStatus"
        ] == "CREATE_IN_PROGRESS":
            pass
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        assert certificate(aws, "api.example")["Status"] == "ISSUED"

    def test_caa_keeps_amazon_out(self, undelegated: State, aws: Any) -> None:
        """With CAA records for another authority only, a certificate fails with CAA_ERROR."""
        zone_id, route53, acm = (
            make_zone(aws, "caa.example"),
            aws.client("route53"),
            aws.client("acm"),
        )
        arn = acm.request_certificate(DomainName="www.caa.example", ValidationMethod="DNS")[
            "CertificateArn"
        ]
        validation = acm.describe_certificate(CertificateArn=arn)["Certificate"][
            "DomainValidationOptions"
        ][0]["ResourceRecord"]
        sets = [
            ("caa.example", "CAA", '0 issue "letsencrypt.org"'),
            (validation["Name"], "CNAME", validation["Value"]),
        ]
        changes = [
            {
                "Action": "CREATE",
                "ResourceRecordSet": {
                    "Name": n,
                    "Type": t,
                    "TTL": 60,
                    "ResourceRecords": [{"Value": v}],
                },
            }
            for n, t, v in sets
        ]
        route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
        ControlClient(undelegated).delegate("caa.example", None)
        failed = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        assert (failed["Status"], failed["FailureReason"]) == ("FAILED", "CAA_ERROR")
        summary = next(
            e
            for e in acm.list_certificates(CertificateStatuses=["FAILED"])["CertificateSummaryList"]
        )
        assert summary["SubjectAlternativeNameSummaries"] == ["www.caa.example"]

    def test_control_refuses_nonsense(self, undelegated: State) -> None:
        """The control API tells what a delegation must be like."""
        for body in ({}, {"name_servers": "ns1"}, {"name_servers": [1]}):
            with pytest.raises(DeploytoolError, match="name_servers"):
                ControlClient(undelegated).call("POST", "delegations/api.example", body)
