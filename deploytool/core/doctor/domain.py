"""Judge the domain of a stage: its hosted zone, delegation, CAA and what a resolver sees. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploytool.core.certificates.ports import DnsReply, ZoneInfo
from deploytool.core.doctor.finding import Finding, Topic
from deploytool.core.errors import DeploytoolError
from deploytool.core.route53.delegation import (
    CaaForbids,
    Delegated,
    NotDelegated,
    Parent,
    ParentUnreachable,
    PartlyDelegated,
    PointsElsewhere,
    Verdict,
    judge,
    precaution,
)
from deploytool.core.route53.zone import canonical

DOMAIN_PAGE = "docs/how-to/domain.md"


@dataclass(frozen=True)
class StageZone:
    """The hosted zone of a stage: the one that exists, or the name of the one to create.

    Both are empty for a domain that is hosted elsewhere.
    """

    existing: ZoneInfo | None = None
    planned: str = ""


def judge_zone(stage: str, domain: str, zone: StageZone) -> Finding:
    """Judge the hosted zone of a stage that Route 53 takes."""
    topic = Topic(f"zone.{stage}", f"zone of {stage}")
    if zone.existing is not None:
        return topic.ok(f"{zone.existing.name.rstrip('.')} is {zone.existing.id}")
    if zone.planned:
        return topic.ok(f"{zone.planned.rstrip('.')} is free: deploy creates it")
    return topic.ok(f"{domain} is hosted elsewhere: nothing to look at")


def judge_delegation(
    stage: str, domain: str, verdict: Verdict, description: str, servers: Sequence[str]
) -> Finding:
    """Judge what the parent says of a zone that exists. `servers` are the zone's own."""
    topic = Topic(f"delegation.{stage}", f"delegation of {stage}")
    names = ", ".join(name.rstrip(".") for name in servers)
    change = f"at the registrar or in the parent zone, set the NS records of {domain} to {names}"
    match verdict:
        case Delegated():
            return topic.ok(description)
        case ParentUnreachable():
            error = DeploytoolError(description)
            return topic.unanswered(error, f"try: dig {domain} NS +trace")
        case PartlyDelegated():
            return topic.warning(description, _first(precaution(verdict, domain), change))
        case NotDelegated() | PointsElsewhere():
            return topic.problem(description, _first(precaution(verdict, domain), change))


def judge_parent(stage: str, domain: str, parent: Parent) -> Finding:
    """Judge what the parent says of a domain whose zone does not exist yet."""
    topic = Topic(f"delegation.{stage}", f"delegation of {stage}")
    verdict = judge(parent, ())
    match verdict:
        case ParentUnreachable(zone, reason):
            error = DeploytoolError(f"the parent ({zone}) did not answer: {reason}")
            return topic.unanswered(error, f"try: dig {domain} NS +trace")
        case PointsElsewhere(zone, _, names):
            servers = ", ".join(name.rstrip(".") for name in names)
            return topic.warning(
                f"{zone} points {domain} to {servers} today; the zone will have other servers",
                f"read {DOMAIN_PAGE} before you change them",
            )
        case _:
            return topic.ok(f"{parent.zone} answers; deploy creates the zone and names its servers")


def judge_caa(
    stage: str, names: Sequence[str], forbidden: Sequence[CaaForbids], doubts: Sequence[str]
) -> Finding:
    """Judge whether CAA records let Amazon issue the certificates of a stage for these names."""
    topic = Topic(f"caa.{stage}", f"CAA of {stage}")
    if not names:
        return topic.ok("no certificate is requested")
    if forbidden:
        owners = ", ".join(dict.fromkeys(each.owner.rstrip(".") for each in forbidden))
        return topic.problem(
            str(forbidden[0]), f'add the CAA record 0 issue "amazon.com" to {owners}'
        )
    if doubts:
        return topic.warning(
            doubts[0], f"look at the name servers and DNSSEC: dig {names[0]} CAA +trace"
        )
    return topic.ok("Amazon may issue the certificates")


def judge_soa(stage: str, domain: str, reply: DnsReply, zone: StageZone) -> Finding:
    """Judge what this machine's resolver answers for the SOA record of a domain."""
    topic = Topic(f"soa.{stage}", f"SOA of {stage}")
    trace = f"see where it ends: dig {domain} SOA +trace"
    if reply.rcode not in ("NOERROR", "NXDOMAIN"):
        return topic.problem(
            f"{reply.rcode} for {domain}: the servers that the parent names do not answer for it,"
            " or DNSSEC fails",
            trace,
        )

    owners = [
        canonical(record.name)
        for record in (*reply.answer, *reply.authority)
        if record.type == "SOA"
    ]
    if not owners:
        return topic.warning(f"{reply.rcode} without an SOA record for {domain}", trace)
    owner = owners[-1]
    if zone.existing is not None and owner != canonical(zone.existing.name):
        return topic.warning(
            f"does not see zone {zone.existing.name.rstrip('.')} yet: {owner} answers for {domain}",
            f"delegate the zone, or wait until caches forget the old answer; {trace}",
        )
    if owner.count(".") < 2:
        return topic.problem(
            f"nobody answers for {domain}: the name above it is not registered below {owner}",
            "register the domain, or set another one in deploytool.toml (domain)",
        )
    if owner == canonical(domain):
        return topic.ok(f"this machine's resolver sees the zone {domain}")
    return topic.ok(f"{owner.rstrip('.')} answers for {domain}")


def _first(precaution_text: str, change: str) -> str:
    """Return the change, after what must be done before it."""
    if not precaution_text:
        return change
    return f"{change}. Before that: {precaution_text}"
