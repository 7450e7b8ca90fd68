"""The form of one record set: what Route 53 refuses whatever its zone holds. Pure.

Sources: API reference of ResourceRecordSet, ResourceRecord and AliasTarget; Developer Guide,
"Supported DNS record types" and "DNS domain name format". The texts are those that users of Route
53 report, with a source beside each; the others are our wording.
"""

import ipaddress
from collections.abc import Iterator

from deploytool.core.route53.zone import RecordSet, RoutingPolicy, canonical, labels

TYPES = frozenset(
    {
        "A",
        "AAAA",
        "CAA",
        "CNAME",
        "DS",
        "HTTPS",
        "MX",
        "NAPTR",
        "NS",
        "PTR",
        "SOA",
        "SPF",
        "SRV",
        "SSHFP",
        "SVCB",
        "TLSA",
        "TXT",
    }
)

# Seconds, characters, and values of a record set (API reference; Developer Guide, "Quotas").
LONGEST_TTL = 2_147_483_647
LONGEST_NAME = 255
LONGEST_LABEL = 63
LONGEST_VALUE = 4000
MOST_VALUES_OF_A_SET = 400

# Types of which a record set has one value (ResourceRecord), which no alias has (AliasTarget: "All
# values are supported except NS and SOA"), and which take simple routing only (ResourceRecordSet,
# Type).
_SINGLE = ("CNAME", "SOA")
_NO_ALIAS = ("NS", "SOA")
_SIMPLE_ONLY = ("DS", "NS", "SOA")


def form_problem(action: str, record: RecordSet) -> str | None:
    """Return why a change has the wrong form, or None. Route 53 calls it InvalidInput.

    Sources of the texts: ansible-collections/community.aws#545 (a record set is an alias or has a TTL
    and values), hashicorp/terraform-provider-aws#1668 (a set identifier needs a routing policy).
    """
    problem = next(_form_problems(record), None)
    if problem is None:
        return None
    identifier = record.set_identifier or "null"
    return (
        f"Invalid request: {problem} in Change with"
        f" [Action={action}, Name={record.name}, Type={record.type}, SetIdentifier={identifier}]"
    )


def _form_problems(record: RecordSet) -> Iterator[str]:
    if record.type not in TYPES:
        yield f"{record.type} is not a type of record"

    is_plain = record.ttl is not None and bool(record.values)
    has_part = record.ttl is not None or bool(record.values)
    if record.alias is None and not is_plain:
        yield f"{_EXPECTED_VALUES}, but found none"
    if record.alias is not None and has_part:
        yield f"{_EXPECTED_VALUES}, but found more than one"

    if record.set_identifier and not record.policies:
        yield f"{_EXPECTED_POLICY}, but found none"
    if len(record.policies) > 1:
        yield f"{_EXPECTED_POLICY}, but found more than one"
    if record.policies and not record.set_identifier:
        yield "Missing field 'SetIdentifier'"
    if record.ttl is not None and not 0 <= record.ttl <= LONGEST_TTL:
        yield f"TTL must be 0 to {LONGEST_TTL}"


_EXPECTED_VALUES = (
    "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords],"
    " or TrafficPolicyInstanceId]"
)
_EXPECTED_POLICY = (
    "Expected exactly one of [Weight, Region, Failover, GeoLocation,"
    " MultiValueAnswer, or CidrRoutingConfig]"
)


def record_problems(record: RecordSet) -> Iterator[str]:
    """Yield what is wrong with a record set in itself. Route 53 calls it InvalidChangeBatch."""
    yield from _name_problems(record.name)
    if record.name.startswith("*.") and record.type == "NS":
        yield f"NS record set {record.name}: a wildcard cannot have NS records"

    # Source: kubernetes-sigs/external-dns#2362.
    if record.failover == "PRIMARY" and record.alias is None and not record.health_check_id:
        yield "A non-alias primary ResourceRecordSet must have an associated health check."
    if record.policies and record.type in _SIMPLE_ONLY:
        yield f"RRSet with DNS name {record.name}, type {record.type} takes simple routing only"

    if record.alias is not None:
        if record.type in _NO_ALIAS:
            yield f"An alias of type {record.type} is not permitted: {record.name}"
        if record.policy is RoutingPolicy.MULTIVALUE:
            yield f"A multivalue answer alias is not permitted: {record.name}"
        return
    yield from _number_problems(record)
    for value in record.values:
        yield from _value_problems(record.type, value)


def _name_problems(name: str) -> Iterator[str]:
    """Yield the faults of a DNS name. The first text is from harmony-one/harmony-ops#491."""
    if canonical(name) == ".":
        yield f"FATAL problem: DomainNameEmpty (Domain name is empty) encountered with '{name}'"
    if len(name.rstrip(".")) > LONGEST_NAME:
        yield f"FATAL problem: DomainNameTooLong (Domain name is too long) encountered with '{name}'"
    if any(len(label) > LONGEST_LABEL for label in labels(name)):
        yield f"FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '{name}'"


def _number_problems(record: RecordSet) -> Iterator[str]:
    number = len(record.values)
    owner = f"RRSet with DNS name {record.name}, type {record.type}"
    if number > 1 and record.type in _SINGLE:
        yield f"{owner} can have only one value"
    if number > MOST_VALUES_OF_A_SET:
        yield f"{owner} has {number} values, {MOST_VALUES_OF_A_SET} are the most"

    # ResourceRecordSet, Weight and Region: "You can only specify one ResourceRecord".
    if number > 1 and record.policy in (RoutingPolicy.WEIGHTED, RoutingPolicy.LATENCY):
        yield f"{owner}, SetIdentifier {record.set_identifier} can have only one value"

    seen: set[str] = set()
    for value in record.values:
        if value in seen:
            yield f"Duplicate Resource Record: '{value}'"
        seen.add(value)


def _value_problems(type_: str, value: str) -> Iterator[str]:
    """Yield the faults of a value. Types whose values are not read here are not judged."""
    if len(value) > LONGEST_VALUE:
        yield f"Invalid Resource Record: a value has more than {LONGEST_VALUE} characters"
    match type_:
        case "A":
            if not _is_address(value, 4):
                yield _fatal("ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)", value)
        case "AAAA":
            if not _is_address(value, 6):
                yield _fatal(
                    "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)", value
                )
        case "TXT" | "SPF":
            if not (len(value) > 1 and value.startswith('"') and value.endswith('"')):
                yield _fatal(
                    "InvalidCharacterString (Value should be enclosed in quotation marks)", value
                )
        case "CNAME" | "NS" | "PTR":
            for problem in _name_problems(value):
                yield f"Invalid Resource Record: {problem}"
        case _:
            return


def _fatal(problem: str, value: str) -> str:
    return f"Invalid Resource Record: FATAL problem: {problem} encountered with '{value}'"


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
