"""Certificates as values: what a template asks ACM for, what a pending one lacks, and what one
leaves behind. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deploytool.core.project.expressions import Evaluator, known_parts
from deploytool.core.route53.zone import DnsRecord, RecordSet, canonical

CERTIFICATE_TYPE = "AWS::CertificateManager::Certificate"
HOSTED_ZONE_TYPE = "AWS::Route53::HostedZone"
# What ACM's CNAME values end in (ACM User Guide, "DNS validation")
VALIDATION_TARGET = ".acm-validations.aws."
RECORD_TTL = 300  # seconds, for the records that are created by hand; ACM does not say


class CertificateStatus(StrEnum):
    """Every status of a certificate (API reference of CertificateDetail)."""

    PENDING_VALIDATION = "PENDING_VALIDATION"
    ISSUED = "ISSUED"
    INACTIVE = "INACTIVE"
    EXPIRED = "EXPIRED"
    VALIDATION_TIMED_OUT = "VALIDATION_TIMED_OUT"
    REVOKED = "REVOKED"
    FAILED = "FAILED"

    @property
    def is_failed(self) -> bool:
        """It will never be issued: it has to be deleted and asked for anew."""
        return self in (CertificateStatus.FAILED, CertificateStatus.VALIDATION_TIMED_OUT)


@dataclass(frozen=True)
class ValidationRecord:
    """The CNAME that proves control of a domain; `proven` once ACM has found it."""

    domain: str
    name: str
    value: str
    proven: bool


@dataclass(frozen=True)
class Certificate:
    """A certificate as ACM has it. `reason` is ACM's code of a failure; `records` is empty in its
    first seconds.
    """

    arn: str
    status: CertificateStatus
    names: tuple[str, ...]
    records: tuple[ValidationRecord, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class CertificateRequest:
    """What a template asks for: the names, and by name the hosted zone in which CloudFormation
    writes the record itself.
    """

    names: tuple[str, ...]
    zones: Mapping[str, str]


def certificate_requests(
    document: Mapping[str, Any], parameters: Mapping[str, str]
) -> tuple[CertificateRequest, ...]:
    """Return the certificates with DNS validation that a template asks for, given its parameters.

    A certificate whose condition is unknown counts as asked for: a check too many costs a query, and
    a check too few lets a deployment wait for 72 hours. Names and zones that are unknown are left out.
    """
    evaluator = Evaluator(document, parameters)
    requests = []
    for spec in document["Resources"].values():
        if spec.get("Type") != CERTIFICATE_TYPE or evaluator.has_resource(spec) is False:
            continue
        properties = known_parts(evaluator.value(spec.get("Properties", {}))) or {}
        requests.append(_request(properties))
    return tuple(requests)


def _request(properties: Mapping[str, Any]) -> CertificateRequest:
    """Return the request that a certificate's properties make."""
    names = [properties.get("DomainName"), *(properties.get("SubjectAlternativeNames") or ())]
    distinct_names = dict.fromkeys(str(name) for name in names if name)

    zones = {}
    for option in properties.get("DomainValidationOptions") or ():
        if isinstance(option, Mapping) and option.get("DomainName") and option.get("HostedZoneId"):
            zones[str(option["DomainName"])] = option["HostedZoneId"]
    return CertificateRequest(tuple(distinct_names), zones)


def hosted_zone_in(document: Mapping[str, Any], parameters: Mapping[str, str]) -> str | None:
    """Return the name of the hosted zone that a template creates, or None.

    A zone whose condition is unknown counts as created. A zone whose name is unknown does not: there
    is no name to look for.
    """
    evaluator = Evaluator(document, parameters)
    for spec in document["Resources"].values():
        if spec.get("Type") != HOSTED_ZONE_TYPE or evaluator.has_resource(spec) is False:
            continue
        properties = known_parts(evaluator.value(spec.get("Properties", {}))) or {}
        name = properties.get("Name")
        return canonical(name) if name else None
    return None


def newest(certificates: Sequence[Certificate], request: CertificateRequest) -> Certificate | None:
    """The last of the certificates (oldest first) that has the names asked for."""
    return next(
        (each for each in reversed(certificates) if set(each.names) == set(request.names)), None
    )


def found_in_words(
    record: ValidationRecord,
    in_zone: Sequence[str] | None,
    resolved: Sequence[str] | str,
    parent: str,
) -> str:
    """What has been found of a pending certificate's record, in a line.

    `in_zone` holds the CNAME values at the zone's own name servers, None where the zone is not
    ours; `resolved` those that the resolver gives, or why it gave no answer; `parent` what is wrong
    with the delegation, empty when nothing is known to be.
    """
    wanted = canonical(record.value)
    if in_zone is not None and wanted not in map(canonical, in_zone):
        return (
            f"the hosted zone has another value: {', '.join(in_zone)}"
            if in_zone
            else "it is not in the hosted zone yet"
        )
    if isinstance(resolved, str):
        return parent or (
            resolved
            if in_zone is not None
            else f"{resolved}; create it where the domain's DNS is hosted"
        )
    if wanted in map(canonical, resolved):
        return "it resolves: ACM has not looked yet"
    if resolved:
        return f"it resolves to another value: {', '.join(resolved)}"
    if in_zone is None:
        return "it does not resolve yet: create it where the domain's DNS is hosted"
    return f"it is in the hosted zone and does not resolve: {parent or 'the resolver may keep an older answer for some minutes'}"


def records_needed(certificate: Certificate, request: CertificateRequest) -> tuple[DnsRecord, ...]:
    """The records that somebody has to create by hand: those of names whose hosted zone is not
    given.
    """
    return tuple(
        dict.fromkeys(
            DnsRecord(canonical(record.name), "CNAME", canonical(record.value))
            for record in certificate.records
            if record.domain not in request.zones
        )
    )


def failover_targets(
    mappings: Sequence[tuple[Mapping[str, str], Mapping[str, str]]],
) -> tuple[DnsRecord, ...]:
    """Where the names of a service hosted elsewhere must point, from each region's mapping: its
    parameters and its outputs.

    The friendly name comes once a region, the two targets of a failover pair; each region's own
    name comes once.
    """
    pairs = (("DomainName", "TargetDomainName"), ("RegionalDomainName", "RegionalTargetDomainName"))
    return tuple(
        DnsRecord(canonical(parameters[name]), "CNAME", canonical(given[target]))
        for name, target in pairs
        for parameters, given in mappings
        if name in parameters and target in given
    )


def zone_file_line(record: DnsRecord) -> str:
    """A record as a line of a zone file (RFC 1035 section 5.1), to copy."""
    return f"{record.name} {RECORD_TTL} IN {record.type} {record.value}"


def leftovers(
    records: Iterable[RecordSet], ours: Iterable[str], alive: Iterable[str]
) -> tuple[RecordSet, ...]:
    """The validation CNAMEs that certificates of ours left in a zone, and that no certificate uses
    any more.

    `ours` are the names that our certificates had, `alive` those of the certificates that exist.
    All certificates of an account for a name share its record, a wildcard with its base too, and an
    issued one needs it for its renewal.
    """
    gone = {_base(name) for name in ours} - {_base(name) for name in alive}
    return tuple(
        record
        for record in records
        if is_validation_record(record) and record.name.partition(".")[2] in gone
    )


def is_validation_record(record: RecordSet) -> bool:
    """Whether a record set is one that ACM asks for."""
    return (
        record.type == "CNAME"
        and record.name.startswith("_")
        and len(record.values) == 1
        and canonical(record.values[0]).endswith(VALIDATION_TARGET)
    )


def foreign_records(records: Iterable[RecordSet], zone: str) -> tuple[RecordSet, ...]:
    """What keeps a zone from being deleted: everything but the SOA and NS record sets at its
    apex.
    """
    return tuple(
        record
        for record in records
        if record.type not in ("SOA", "NS") or canonical(record.name) != canonical(zone)
    )


def _base(name: str) -> str:
    return canonical(name).removeprefix("*.")
