"""Changes of a zone's record sets, made all or none, as ChangeResourceRecordSets makes them. Pure.

Sources: API reference of ChangeResourceRecordSets, Change and AliasTarget; Developer Guide,
"Quotas". The rules for one record set are in `record_form`, those between record sets in
`conflicts`, those of the guardrails in `guardrails`. A fault in the form is InvalidInput. Faults
that the zone decides are InvalidChangeBatch, whose message lists all of them. Our wording is marked.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from deploytool.core.errors import DeploytoolError
from deploytool.core.route53.conflicts import conflicts, is_within
from deploytool.core.route53.guardrails import guardrail_problems, protection_problem
from deploytool.core.route53.record_form import form_problem, record_problems
from deploytool.core.route53.zone import HostedZone, RecordSet, canonical, labels

INVALID_INPUT = "InvalidInput"
INVALID_CHANGE_BATCH = "InvalidChangeBatch"
NO_SUCH_HEALTH_CHECK = "NoSuchHealthCheck"

# Developer Guide, "Quotas". Those of an UPSERT count twice in both.
MOST_VALUES = 1000
MOST_CHARACTERS = 32_000

# The domains of AWS's services. Names within them are known to AWS alone, except those of API
# Gateway, which the caller knows.
_API_GATEWAY = ".execute-api."
_SERVICES = (
    ".amazonaws.com.",
    ".amazonaws.com.cn.",
    ".awsglobalaccelerator.com.",
    ".cloudfront.net.",
    ".elasticbeanstalk.com.",
    ".vpce.amazonaws.com.",
)


class Action(StrEnum):
    """What a change does with a record set (API reference of Change)."""

    CREATE = "CREATE"
    DELETE = "DELETE"
    UPSERT = "UPSERT"


@dataclass(frozen=True)
class Change:
    """One change of a batch."""

    action: Action
    record: RecordSet


@dataclass(frozen=True)
class Account:
    """What the account has that the record sets of a zone may refer to.

    - `health_checks`: their ids
    - `zones`: the public hosted zones
    - `targets`: the DNS names of API Gateway's regional domain names, with the id of the hosted zone
      of their region
    - `protections`: the names (lower case, final dot) and types that are protected in the zone
    """

    health_checks: Collection[str] = ()
    zones: Sequence[HostedZone] = ()
    targets: Mapping[str, str] = field(default_factory=dict)
    protections: Collection[tuple[str, str]] = ()


class ChangeRefused(DeploytoolError):
    """Route 53 refuses the batch and changes nothing. `code` is that of the API's error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def changed(zone: HostedZone, changes: Sequence[Change], account: Account) -> tuple[RecordSet, ...]:
    """Return the record sets of a zone after a batch of changes. Raises ChangeRefused.

    The changes are made one after the other: a name can be freed by a DELETE and taken by a CREATE
    that follows (kubernetes-sigs/external-dns#1411).
    """
    _check_form(changes)
    _check_quotas(changes)
    _check_health_checks(changes, account)

    problems = list(_repeated(changes))
    records = list(zone.records)
    for change in changes:
        problems.extend(_problems(zone, change, records, account))
        records = _apply(change, records)
    problems.extend(_apex_problems(zone, records))
    if problems:
        distinct = dict.fromkeys(problems)
        raise ChangeRefused(INVALID_CHANGE_BATCH, f"[{', '.join(distinct)}]")
    return tuple(records)


def _check_form(changes: Sequence[Change]) -> None:
    if not changes:
        raise ChangeRefused(INVALID_INPUT, "Invalid request: Changes must have at least one Change")
    for change in changes:
        problem = form_problem(change.action, change.record)
        if problem:
            raise ChangeRefused(INVALID_INPUT, problem)


def _check_quotas(changes: Sequence[Change]) -> None:
    """Check the size of a batch. The first text is from getmoto/moto#4674, the other one is ours."""
    values = 0
    characters = 0
    for change in changes:
        times = 2 if change.action is Action.UPSERT else 1
        values += times * len(change.record.values)
        characters += times * sum(map(len, change.record.values))

    if values > MOST_VALUES:
        message = f"[Number of records limit of {MOST_VALUES} exceeded.]"
        raise ChangeRefused(INVALID_CHANGE_BATCH, message)
    if characters > MOST_CHARACTERS:
        message = f"[Number of characters limit of {MOST_CHARACTERS} exceeded.]"
        raise ChangeRefused(INVALID_CHANGE_BATCH, message)


def _check_health_checks(changes: Sequence[Change], account: Account) -> None:
    for change in changes:
        health_check_id = change.record.health_check_id
        is_set = change.action is not Action.DELETE and bool(health_check_id)
        if is_set and health_check_id not in account.health_checks:
            message = f"No health check exists with the specified ID {health_check_id}."
            raise ChangeRefused(NO_SUCH_HEALTH_CHECK, message)


def _repeated(changes: Sequence[Change]) -> Iterator[str]:
    """Yield the record sets that a batch changes twice. Text: kubernetes-sigs/external-dns#4241.

    A DELETE and one CREATE or UPSERT of the same record set are valid.
    """
    counts = Counter((change.action is Action.DELETE, change.record.key) for change in changes)
    for (_, (name, type_, _)), count in counts.items():
        if count > 1:
            yield (
                "The request contains an invalid set of changes for a resource record set"
                f" '{type_} {name}'"
            )


def _problems(
    zone: HostedZone, change: Change, records: Sequence[RecordSet], account: Account
) -> Iterator[str]:
    """Yield why a change cannot be made in a zone that holds these record sets by now."""
    record = change.record
    protection = protection_problem(record, account.protections)
    if protection:
        yield protection

    existing = _find(record, records)
    if change.action is Action.DELETE:
        yield from _deletion_problems(record, existing)
        return
    if change.action is Action.CREATE and existing is not None:
        yield f"Tried to create resource record set {_described(record)} but it already exists"
        return
    yield from record_problems(record)
    yield from conflicts(zone, record, records)
    yield from guardrail_problems(zone, record, account.zones)
    yield from _alias_problems(zone, record, records, account)


def _deletion_problems(record: RecordSet, existing: RecordSet | None) -> Iterator[str]:
    """A DELETE must give the values that the record set has, in any order."""
    doing = f"Tried to delete resource record set {_described(record)}"
    if existing is None:
        yield f"{doing} but it was not found"
    elif _comparable(existing) != _comparable(record):
        yield f"{doing} but the values provided do not match the current values"


def _alias_problems(
    zone: HostedZone, record: RecordSet, records: Sequence[RecordSet], account: Account
) -> Iterator[str]:
    """Yield why the target of an alias does not exist. Texts: harmony-one/harmony-ops#491."""
    alias = record.alias
    if alias is None:
        return
    target = canonical(alias.dns_name)
    doing = (
        f"Tried to create an alias that targets {target}, type {record.type}"
        f" in zone {alias.hosted_zone_id}"
    )

    if alias.hosted_zone_id == zone.id:
        if not is_within(zone, target):
            yield f"{doing}, but the alias target name does not lie within the target zone"
        if not _has_target(target, record, records):
            yield f"{doing}, but that target was not found"
        return

    own_zones = {other.id for other in account.zones}
    is_service = target.endswith(_SERVICES) and alias.hosted_zone_id not in own_zones
    if is_service and _API_GATEWAY in target and ".vpce." not in target:
        is_service = account.targets.get(target) == alias.hosted_zone_id
    if not is_service:
        yield f"{doing}, but the alias target name does not lie within the target zone"
        yield f"{doing}, but that target was not found"


def _has_target(target: str, record: RecordSet, records: Sequence[RecordSet]) -> bool:
    """Return whether a zone has record sets of an alias's target and type, other than the alias."""
    return any(
        canonical(other.name) == target and other.type == record.type and other.key != record.key
        for other in records
    )


def _apex_problems(zone: HostedZone, records: Sequence[RecordSet]) -> Iterator[str]:
    """Yield which record set of its own the zone would lose. Texts: our wording."""
    apex = labels(zone.name)
    types = {record.type for record in records if labels(record.name) == apex}
    had = {record.type for record in zone.records if labels(record.name) == apex}
    if "SOA" in had - types:
        yield "A HostedZone must contain exactly one SOA record."
    if "NS" in had - types:
        yield "A HostedZone must contain at least one NS record for the zone itself."


def _apply(change: Change, records: Sequence[RecordSet]) -> list[RecordSet]:
    """Return the record sets after one change; an existing one keeps its place."""
    record = change.record
    if change.action is Action.DELETE:
        return [other for other in records if other.key != record.key]
    if _find(record, records) is None:
        return [*records, record]
    return [record if other.key == record.key else other for other in records]


def _find(record: RecordSet, records: Sequence[RecordSet]) -> RecordSet | None:
    return next((other for other in records if other.key == record.key), None)


def _comparable(record: RecordSet) -> RecordSet:
    alias = record.alias
    if alias is not None:
        alias = replace(alias, dns_name=canonical(alias.dns_name))
    values = tuple(sorted(record.values))
    return replace(record, name=canonical(record.name), values=values, alias=alias)


def _described(record: RecordSet) -> str:
    identifier = f", set-identifier='{record.set_identifier}'" if record.set_identifier else ""
    return f"[name='{canonical(record.name)}', type='{record.type}'{identifier}]"
