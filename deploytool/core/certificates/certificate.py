"""Certificates: requests in templates, validation records, and what remains afterwards. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploytool.core.open_enum import OpenStrEnum
from deploytool.core.project.expressions import Evaluator, known_parts
from deploytool.core.route53.zone import DnsRecord, RecordSet, canonical
from deploytool.core.transforms import declared_resources

CERTIFICATE_TYPE = "AWS::CertificateManager::Certificate"
HOSTED_ZONE_TYPE = "AWS::Route53::HostedZone"
# What ACM's CNAME values end in (ACM User Guide, "DNS validation").
VALIDATION_TARGET = ".acm-validations.aws."
RECORD_TTL = 300  # seconds, for the records that are created by hand; ACM does not say


class CertificateStatus(OpenStrEnum):
    """Every status of a certificate (API reference of CertificateDetail). AWS may add others."""

    PENDING_VALIDATION = "PENDING_VALIDATION"
    ISSUED = "ISSUED"
    INACTIVE = "INACTIVE"
    EXPIRED = "EXPIRED"
    VALIDATION_TIMED_OUT = "VALIDATION_TIMED_OUT"
    REVOKED = "REVOKED"
    FAILED = "FAILED"

    @property
    def is_failed(self) -> bool:
        """Whether ACM will never issue it. It must be deleted and requested again."""
        return self in (CertificateStatus.FAILED, CertificateStatus.VALIDATION_TIMED_OUT)


@dataclass(frozen=True)
class ValidationRecord:
    """The CNAME that proves control of a domain. `proven` is true once ACM has found it."""

    domain: str
    name: str
    value: str
    proven: bool


@dataclass(frozen=True)
class Certificate:
    """A certificate in ACM.

    `reason` is ACM's code of a failure. `records` is empty in the first seconds of a certificate.
    """

    arn: str
    status: CertificateStatus
    names: tuple[str, ...]
    records: tuple[ValidationRecord, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class CertificateRequest:
    """A certificate that a template requests.

    `zones` gives for a name the hosted zone in which CloudFormation writes the record itself.
    """

    names: tuple[str, ...]
    zones: Mapping[str, str]


def certificate_requests(
    document: Mapping[str, Any], parameters: Mapping[str, str | None]
) -> tuple[CertificateRequest, ...]:
    """Return the certificates with DNS validation that a template requests, given its parameters.

    A certificate whose condition is unknown counts as requested. Names and zones that are unknown
    are left out.
    """
    # An unknown condition counts, because a check too many costs a query, and a check too few lets
    # a deployment wait for 36 hours.
    return tuple(
        _request(properties)
        for properties in known_properties(document, parameters, CERTIFICATE_TYPE)
    )


def known_properties(
    document: Mapping[str, Any],
    parameters: Mapping[str, str | None],
    type_: str,
    *,
    certain: bool = False,
) -> Iterator[Mapping[str, Any]]:
    """Yield what is known of the properties of each resource of a type.

    Resources whose condition is false are left out. With `certain` so are those whose condition is
    unknown.
    """
    evaluator = Evaluator(document, parameters)
    for resource in declared_resources(document).values():
        if resource.get("Type") != type_:
            continue
        exists = evaluator.has_resource(resource)
        if exists is False or (exists is None and certain):
            continue
        yield known_parts(evaluator.value(resource.get("Properties", {}))) or {}


def _request(properties: Mapping[str, Any]) -> CertificateRequest:
    """Return the request that a certificate's properties make."""
    # ACM ignores a name that is listed twice.
    names = [properties.get("DomainName"), *(properties.get("SubjectAlternativeNames") or ())]
    distinct_names = dict.fromkeys(str(name) for name in names if name)

    # A name without an option is validated by a record that is created by hand.
    zones = {}
    for option in properties.get("DomainValidationOptions") or ():
        if isinstance(option, Mapping) and option.get("DomainName") and option.get("HostedZoneId"):
            zones[str(option["DomainName"])] = option["HostedZoneId"]
    return CertificateRequest(tuple(distinct_names), zones)


def hosted_zone_in(
    document: Mapping[str, Any], parameters: Mapping[str, str | None], *, certain: bool = False
) -> str | None:
    """Return the name of the hosted zone that a template creates, or None.

    Only the first zone counts. A zone whose condition is unknown counts as created, unless it must
    be `certain`. A zone whose name is unknown gives None, because there is no name to search for.
    """
    for properties in known_properties(document, parameters, HOSTED_ZONE_TYPE, certain=certain):
        name = properties.get("Name")
        if not name:
            return None
        return canonical(name)
    return None


def newest(certificates: Sequence[Certificate], request: CertificateRequest) -> Certificate | None:
    """Return the last of the certificates (oldest first) that has exactly the requested names."""
    # ACM may list the names in another order than the template.
    for certificate in reversed(certificates):
        if set(certificate.names) == set(request.names):
            return certificate
    return None


def describe_record(  # noqa: PLR0911  # one return a state
    record: ValidationRecord,
    in_zone: Sequence[str] | None,
    resolved: Sequence[str] | str,
    parent: str,
) -> str:
    """Describe the state of a pending certificate's record in one line.

    `in_zone` holds the CNAME values at the zone's own name servers, None where the hosted zone is
    not known. `resolved` holds the values that the resolver gives, or the reason why it gives no
    answer. `parent` is the problem of the delegation, empty when none is known.
    """
    expected = canonical(record.value)

    # The zone is the first place where the record may be missing. ACM looks there in the end.
    if in_zone is not None and expected not in map(canonical, in_zone):
        if in_zone:
            return f"the hosted zone has another value: {', '.join(in_zone)}"
        return "it is not in the hosted zone yet"

    # The delegation explains a resolver that gives no answer, so its problem comes first.
    if isinstance(resolved, str):
        if parent:
            return parent
        if in_zone is None:
            return f"{resolved}; create it where the domain's DNS is hosted"
        return resolved

    if expected in map(canonical, resolved):
        return "it resolves: ACM has not checked it yet"
    if resolved:
        return f"it resolves to another value: {', '.join(resolved)}"
    if in_zone is None:
        return "it does not resolve yet: create it where the domain's DNS is hosted"
    # The record is in the zone, and the public does not see it.
    reason = parent or "the resolver may keep an older answer for some minutes"
    return f"it is in the hosted zone and does not resolve: {reason}"


def records_needed(certificate: Certificate, request: CertificateRequest) -> tuple[DnsRecord, ...]:
    """Return the records to create by hand: those of the names that have no hosted zone."""
    records = []
    for record in certificate.records:
        if record.domain not in request.zones:
            name = canonical(record.name)
            records.append(DnsRecord(name, "CNAME", canonical(record.value)))

    # A wildcard and its base share one record.
    return tuple(dict.fromkeys(records))


def failover_targets(
    mappings: Sequence[tuple[Mapping[str, str], Mapping[str, str]]],
) -> tuple[DnsRecord, ...]:
    """Return where the names of a service whose DNS is hosted elsewhere must point.

    `mappings` are the parameters and the outputs of each region's mapping. The result has the
    friendly name once for each region, which are the two targets of a failover pair, and then the
    own name of each region.
    """
    # The parameter with a name, and the output with its target (infra/api-mapping.yaml).
    pairs = (("DomainName", "TargetDomainName"), ("RegionalDomainName", "RegionalTargetDomainName"))
    records = []
    for parameter, output in pairs:
        for parameters, outputs in mappings:
            if parameter in parameters and output in outputs:
                name = canonical(parameters[parameter])
                records.append(DnsRecord(name, "CNAME", canonical(outputs[output])))
    return tuple(records)


def zone_file_line(record: DnsRecord) -> str:
    """Return a record as a line of a zone file (RFC 1035 section 5.1)."""
    return f"{record.name} {RECORD_TTL} IN {record.type} {record.value}"


def unused_validation_records(
    records: Iterable[RecordSet], names: Iterable[str], in_use: Iterable[str]
) -> tuple[RecordSet, ...]:
    """Return the validation CNAMEs that certificates left in a zone and that none uses now.

    `names` are those of the certificates of the stage, which may be deleted. `in_use` are the names
    of the certificates that exist.
    """
    # All certificates of an account for a name share its record, as do a wildcard and its base. An
    # issued certificate needs the record for its renewal.
    unused_names = set(map(_without_wildcard, names)) - set(map(_without_wildcard, in_use))

    unused = []
    for record in records:
        # The owner of a validation record is one label below the name: _a79.api.example.com.
        validated_name = record.name.partition(".")[2]
        if is_validation_record(record) and validated_name in unused_names:
            unused.append(record)
    return tuple(unused)


def is_validation_record(record: RecordSet) -> bool:
    """Return whether a record set has the form that ACM uses for DNS validation."""
    return (
        record.type == "CNAME"
        and record.name.startswith("_")
        and len(record.values) == 1
        and canonical(record.values[0]).endswith(VALIDATION_TARGET)
    )


def foreign_records(records: Iterable[RecordSet], zone: str) -> tuple[RecordSet, ...]:
    """Return the records that prevent a zone's deletion: all but the SOA and NS at its apex."""
    apex = canonical(zone)
    return tuple(
        record
        for record in records
        if record.type not in ("SOA", "NS") or canonical(record.name) != apex
    )


def _without_wildcard(name: str) -> str:
    return canonical(name).removeprefix("*.")
