"""The requests in templates, the validation records, and what certificates leave behind."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.certificates.certificate import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    ValidationRecord,
    certificate_requests,
    describe_record,
    failover_targets,
    foreign_records,
    hosted_zone_in,
    newest,
    records_needed,
    unused_validation_records,
    zone_file_line,
)
from deploytool.core.project.template import load_yaml, parse_template
from deploytool.core.route53.zone import DnsRecord, RecordSet

TEMPLATE = Path(__file__).parents[3] / "infra" / "certificate.yaml"
GIVEN = {
    "DomainName": "api.example.com",
    "RegionalDomainName": "us-east-1.api.example.com",
    "HostedZoneId": "Z1",
}
NAMES = ("api.example.com", "us-east-1.api.example.com")
VALUE = "_b.acm-validations.aws."
RECORD = ValidationRecord("api.example.com", "_a.api.example.com.", VALUE, proven=False)

ELSEWHERE = """
Parameters:
  Zone: {Type: String, Default: ""}
  Name: {Type: String, Default: a.example.com}
Conditions:
  HasZone: !Not [!Equals [!Ref Zone, ""]]
  Never: !And [!Condition HasZone, !Equals [a, b]]
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties:
      DomainName: !Ref Name
      SubjectAlternativeNames: [!Sub "*.${Name}", !ImportValue x]
      DomainValidationOptions: !If [HasZone, [{DomainName: !Ref Name, HostedZoneId: !Ref Zone}], !Ref "AWS::NoValue"]
  Other:
    Type: AWS::CertificateManager::Certificate
    Condition: Never
    Properties: {DomainName: b.example.com}
"""


def test_our_template() -> None:
    """The project's own template requests both names, both in the hosted zone."""
    document = parse_template(TEMPLATE.read_text(encoding="utf-8"), "certificate.yaml").document
    (request,) = certificate_requests(document, GIVEN)
    assert request == CertificateRequest(NAMES, dict.fromkeys(NAMES, "Z1"))


@pytest.mark.parametrize(
    ("parameters", "zones"), [({}, {}), ({"Zone": "Z2"}, {"a.example.com": "Z2"})]
)
def test_conditions(parameters: dict[str, str], zones: dict[str, str]) -> None:
    """Defaults, Sub and If are evaluated; a certificate with a false condition is left out."""
    document: Any = load_yaml(ELSEWHERE, "x")
    assert certificate_requests(document, parameters) == (
        CertificateRequest(("a.example.com", "*.a.example.com"), zones),
    )


UNKNOWN = """
Parameters:
  Zone: {Type: String}
Conditions:
  Here: !Equals [!Ref AWS::Region, us-east-1]
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Condition: Here
    Properties:
      DomainName: a.example.com
      SubjectAlternativeNames: [!Select [0, [b.example.com]], !Sub "${AWS::Region}.example.com"]
      DomainValidationOptions:
        - {DomainName: a.example.com, HostedZoneId: !ImportValue zone}
  Zone: {Type: AWS::Route53::HostedZone, Condition: Here, Properties: {Name: example.com}}
"""


def test_a_certificate_with_an_unknown_condition_counts_as_requested() -> None:
    """A certificate with an unknown condition is requested, without its unknown names and zones."""
    document: Any = load_yaml(UNKNOWN, "x")
    assert certificate_requests(document, {}) == (CertificateRequest(("a.example.com",), {}),)


def test_a_hosted_zone_with_an_unknown_condition_counts_as_created() -> None:
    """A zone with an unknown condition counts as created, and one with an unknown name does not."""
    assert hosted_zone_in(load_yaml(UNKNOWN, "x"), {}) == "example.com."
    unnamed = UNKNOWN.replace("Name: example.com", "Name: !Ref Zone")
    assert hosted_zone_in(load_yaml(unnamed, "x"), {}) is None


def test_newest() -> None:
    """The last certificate with exactly the requested names is returned, in any order of names."""
    old, new, other = (
        Certificate(arn, CertificateStatus.ISSUED, names)
        for arn, names in (("1", NAMES), ("2", NAMES[::-1]), ("3", NAMES[:1]))
    )
    request = CertificateRequest(NAMES, {})
    assert newest([old, new, other], request) is new
    assert newest([other], request) is None


@pytest.mark.parametrize(
    ("in_zone", "resolved", "parent", "state"),
    [
        pytest.param([], [], "", "not in the hosted zone yet", id="not written"),
        pytest.param(["_z.acm-validations.aws."], [], "", "another value: _z", id="another value"),
        pytest.param(
            [VALUE.upper()],
            [],
            "the parent points elsewhere",
            "does not resolve: the parent points",
            id="delegation",
        ),
        pytest.param([VALUE], [], "", "may keep an older answer", id="cached"),
        pytest.param([VALUE], [VALUE], "", "ACM has not checked it yet", id="resolves"),
        pytest.param(
            [VALUE],
            "it does not resolve (SERVFAIL)",
            "the parent is wrong",
            "the parent is wrong",
            id="lame",
        ),
        pytest.param(
            None, "no answer", "", "no answer; create it where", id="elsewhere, resolver down"
        ),
        pytest.param([VALUE], "no answer", "", "no answer", id="resolver down"),
        pytest.param(None, [], "", "create it where", id="elsewhere"),
        pytest.param(None, ["_z."], "", "resolves to another value: _z.", id="elsewhere, wrong"),
    ],
)
def test_describe_record(in_zone: list[str] | None, resolved: Any, parent: str, state: str) -> None:
    """The description names what is missing and where."""
    assert state in describe_record(RECORD, in_zone, resolved, parent)


def test_records_needed() -> None:
    """Each name without a hosted zone needs a record, and a wildcard shares that of its base."""
    wild = ValidationRecord("*.api.example.com", RECORD.name, VALUE, proven=False)
    zoned = ValidationRecord("b.example.com", "_c.b.example.com.", VALUE, proven=False)
    certificate = Certificate(
        "arn", CertificateStatus.PENDING_VALIDATION, (), (RECORD, wild, zoned)
    )
    needed = records_needed(certificate, CertificateRequest((), {"b.example.com": "Z"}))
    assert needed == (DnsRecord(RECORD.name, "CNAME", VALUE),)
    assert zone_file_line(needed[0]) == f"_a.api.example.com. 300 IN CNAME {VALUE}"


def test_failover_targets() -> None:
    """The friendly name has one target for each region, and each regional name has its own."""
    mappings = [
        (
            {"DomainName": "a.b", "RegionalDomainName": f"{region}.a.b"},
            {"TargetDomainName": f"t{region}", "RegionalTargetDomainName": f"u{region}"},
        )
        for region in ("1", "2")
    ]
    records = failover_targets([*mappings, ({"DomainName": "a.b"}, {})])
    assert [(record.name, record.value) for record in records] == [
        ("a.b.", "t1."),
        ("a.b.", "t2."),
        ("1.a.b.", "u1."),
        ("2.a.b.", "u2."),
    ]


def cname(name: str, value: str = VALUE) -> RecordSet:
    return RecordSet(name, "CNAME", 300, (value,))


@pytest.mark.parametrize(
    ("record", "in_use", "unused"),
    [
        pytest.param(cname("_a.api.example.com."), (), True, id="its certificate is deleted"),
        pytest.param(
            cname("_a.api.example.com."),
            ("api.example.com",),
            False,
            id="another certificate has the name",
        ),
        pytest.param(
            cname("_a.api.example.com."),
            ("*.api.example.com",),
            False,
            id="a wildcard shares its base's record",
        ),
        pytest.param(
            cname("_a.other.example.com."), (), False, id="not a name of the certificates"
        ),
        pytest.param(
            cname("_dmarc.api.example.com.", "dmarc.example.net."), (), False, id="not ACM's"
        ),
        pytest.param(cname("www.api.example.com."), (), False, id="not a validation's name"),
        pytest.param(
            RecordSet("_a.api.example.com.", "TXT", 300, (VALUE,)), (), False, id="not a CNAME"
        ),
    ],
)
def test_unused_validation_records(
    record: RecordSet, in_use: tuple[str, ...], unused: bool
) -> None:
    """Only validation records of the given names that no certificate shares are unused."""
    names = ["*.api.example.com", "api.example.com"]
    expected = (record,) if unused else ()
    assert unused_validation_records([record], names, in_use) == expected


@given(
    st.lists(st.sampled_from(["a.b", "*.a.b", "c.b"])),
    st.lists(st.sampled_from(["a.b", "*.a.b", "c.b"])),
)
def test_a_record_in_use_is_never_removed(ours: list[str], in_use: list[str]) -> None:
    """The record of a name that a certificate has is never unused."""
    records = [cname("_x.a.b."), cname("_x.c.b.")]
    unused = {record.name for record in unused_validation_records(records, ours, in_use)}
    assert unused.isdisjoint(f"_x.{name.removeprefix('*.')}." for name in in_use)


def test_foreign_records() -> None:
    """Every record but the SOA and NS at the apex is foreign."""
    records = [
        RecordSet("a.b.", "SOA"),
        RecordSet("a.b.", "NS"),
        RecordSet("c.a.b.", "NS"),
        RecordSet("a.b.", "A"),
    ]
    assert foreign_records(records, "A.b") == tuple(records[2:])
