"""Simulated ACM, Route 53 and DNS servers, and a graph with a certificate."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from deploytool.core.certificates.certificate import Certificate, ValidationRecord
from deploytool.core.certificates.ports import DnsReply, ZoneInfo
from deploytool.core.errors import CloudRefused, ProbeFailed
from deploytool.core.ports import Nameserver
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.template import parse_template
from deploytool.core.route53.zone import DnsRecord, RecordSet

DOMAIN = "dev.example.com"
ZONE = """
Parameters: {Name: {Type: String}}
Resources: {Zone: {Type: 'AWS::Route53::HostedZone', Properties: {Name: !Ref Name}}}
Outputs: {Id: {Value: !Ref Zone}}
"""
CERTIFICATE = """
Parameters: {Name: {Type: String}, Zone: {Type: String, Default: ''}}
Conditions: {HasZone: !Not [!Equals [!Ref Zone, '']]}
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties:
      DomainName: !Ref Name
      DomainValidationOptions: !If [HasZone, [{DomainName: !Ref Name, HostedZoneId: !Ref Zone}], !Ref 'AWS::NoValue']
Outputs: {Arn: {Value: !Ref Certificate}}
"""
GRAPH = """
stacks:
  zone: {template: zone.yaml, scope: global, parameters: {Name: {setting: domain}}}
  certificate:
    template: certificate.yaml
    scope: global
    parameters: {Name: {setting: domain}, Zone: {output: zone.Id}}
"""
CERT = NodeId("certificate", "us-east-1")
OURS, OTHER = "ns-1.awsdns-1.com.", "ns1.other.net."
ZONE_ID = "hello-dev-zone.Id(dev.example.com)"  # what the simulated CloudFormation gives as output
ARN, VALUE = "arn:c", "_b.acm-validations.aws."
RECORD = ValidationRecord(DOMAIN, f"_a.{DOMAIN}.", VALUE, proven=False)


def graph_of(*, zone: bool = True, zone_id: str = "") -> Graph:
    """Return a graph of a hosted zone and a certificate, which is in that zone or in none.

    With `zone_id` the certificate is in that zone instead.
    """
    config = parse_config(
        'project = "hello"\ndomain = "example.com"\nregions = ["us-east-1", "us-west-2"]\n[stages.dev]\n',
        "deploytool.toml",
    )
    text = GRAPH if zone else GRAPH.replace(", Zone: {output: zone.Id}", "")
    if zone_id:
        text = GRAPH.replace("{output: zone.Id}", zone_id)
        text = "\n".join(line for line in text.splitlines() if not line.startswith("  zone:"))
    templates = {
        name: parse_template(body, name)
        for name, body in (("zone.yaml", ZONE), ("certificate.yaml", CERTIFICATE))
    }
    return build_graph(
        config, config.stage("dev"), parse_graph_file(text, "stacks.yaml"), templates, {}
    )


@dataclass
class World:
    """ACM, Route 53 and every DNS server at once.

    `delegated` gives the parent's NS records at a second of the clock, `caa` its CAA records.
    """

    clock: Any
    delegated: Callable[[float], tuple[str, ...]] = lambda _: (OURS,)
    caa: dict[str, str] = field(default_factory=dict)
    parent_down: bool = False
    caa_failing: str = ""  # the name whose CAA records cannot be read
    # The addresses of name servers
    addresses: dict[str, str] = field(default_factory=dict)
    certificates: list[Certificate] = field(default_factory=list)
    record_sets: list[RecordSet] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    lists: int = 0
    # The region of all certificates, and the regions whose ACM refuses to answer
    region: str = "us-east-1"
    refusing: tuple[str, ...] = ()
    comment: str = "Created by CloudFormation stack hello-dev-zone and kept"
    # The statuses of accelerated recovery that the next reads give; the last one stays.
    recovery: list[str] = field(default_factory=lambda: [""])
    disabled: list[str] = field(default_factory=list)

    # ACM
    def list(self, region: str) -> Sequence[Certificate]:
        self.lists += 1
        if region in self.refusing:
            raise CloudRefused(f"listing the certificates of {region}: AccessDenied")
        return self.certificates if region == self.region else []

    def enabled_regions(self, region: str) -> Sequence[str]:
        return ("ap-southeast-2", "eu-central-1", "us-east-1", "us-west-2")

    def get_certificate(self, region: str, arn: str) -> Certificate | None:
        return next((held for held in self.certificates if held.arn == arn), None)

    # Route 53
    def get(self, zone_id: str) -> ZoneInfo:
        recovery = self.recovery.pop(0) if len(self.recovery) > 1 else self.recovery[0]
        return ZoneInfo(zone_id, f"{DOMAIN}.", (OURS,), recovery=recovery)

    def find(self, name: str) -> Sequence[ZoneInfo]:
        comments = {ZONE_ID: self.comment, "Z2": "stack hello-dev-zone2"}
        return [
            ZoneInfo(zone_id, name, (), comment)
            for zone_id, comment in comments.items()
            if zone_id not in self.deleted
        ]

    def records(self, zone_id: str) -> Sequence[RecordSet]:
        return [RecordSet(f"{DOMAIN}.", "SOA"), RecordSet(f"{DOMAIN}.", "NS"), *self.record_sets]

    def remove(self, zone_id: str, records: Sequence[RecordSet]) -> None:
        self.record_sets = [kept for kept in self.record_sets if kept not in records]

    def disable_recovery(self, zone_id: str) -> None:
        self.disabled.append(zone_id)

    def delete(self, zone_id: str) -> None:
        self.deleted.append(zone_id)

    # DNS
    def ask(self, server: Nameserver, name: str, type_: str, *, recurse: bool) -> DnsReply:  # noqa: C901, PLR0911  # a server a line
        def ns(owner: str, *values: str) -> tuple[DnsRecord, ...]:
            return tuple(DnsRecord(owner, "NS", value) for value in values)

        match server.name, name.rstrip("."), type_:
            case "resolver", "com", "NS":
                return DnsReply("NOERROR", ns("com.", "a.gtld."))
            case "a.gtld", _, "NS":
                # A zone nearer than the resolver knew
                return DnsReply("NOERROR", authority=ns("example.com.", "ns.example."))
            case "ns.example", _, "NS":
                if self.parent_down:
                    raise ProbeFailed("timeout", "ns.example did not answer")
                return DnsReply(
                    "NOERROR", authority=ns(f"{DOMAIN}.", *self.delegated(self.clock.now()))
                )
            case _, owner, "A" if owner in self.addresses:
                return DnsReply("NOERROR", (DnsRecord(f"{owner}.", "A", self.addresses[owner]),))
            case _, owner, "CAA" if owner == self.caa_failing:
                return DnsReply("SERVFAIL")
            case _, owner, "CAA" if owner in self.caa:
                return DnsReply("NOERROR", (DnsRecord(f"{owner}.", "CAA", self.caa[owner]),))
            case "ns-1.awsdns-1.com", _, "CNAME":
                return DnsReply(
                    "NOERROR",
                    tuple(DnsRecord(r.name, "CNAME", r.values[0]) for r in self.record_sets),
                )
            case "resolver", _, "CNAME" if OURS in self.delegated(self.clock.now()):
                return DnsReply(
                    "NOERROR",
                    tuple(DnsRecord(r.name, "CNAME", r.values[0]) for r in self.record_sets),
                )
        return DnsReply("NXDOMAIN")


class Acm:
    """The Certificates port of a world. Its `get` has another name there."""

    def __init__(self, world: World) -> None:
        self.list, self.get = world.list, world.get_certificate
        self.enabled_regions = world.enabled_regions


class Queue:
    """An executor that keeps the calls without running them: these tests poll themselves."""

    def __init__(self) -> None:
        self.tasks: list[Callable[[], None]] = []

    def start(self, task: Callable[[], None]) -> None:
        self.tasks.append(task)

    def submit(self, call: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(call())
        except Exception as error:  # noqa: BLE001  # as an executor passes it on
            future.set_exception(error)
        return future
