"""Queries a domain's parent for its delegation, and name servers for CAA records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from deploytool.core.certificates.ports import CertificatePorts, DnsReply, ZoneInfo
from deploytool.core.errors import DeploytoolError, ProbeFailed
from deploytool.core.route53.delegation import (
    Parent,
    ParentAnswer,
    PartlyDelegated,
    PointsElsewhere,
    Verdict,
    describe,
    judge,
    white_label_names,
)
from deploytool.core.route53.zone import canonical

_ANSWERS_NEEDED = 2  # servers of the parent that must answer; they are copies of one another
_MAX_TRIED = 4  # servers of the parent that are tried
# Referrals that are followed from the parent that the resolver knows to the nearest one.
_MAX_REFERRALS = 6


@dataclass(frozen=True)
class _Zone:
    """A zone above a domain, by its name, and its name servers."""

    name: str
    servers: list[str]


def judge_delegation(ports: CertificatePorts, zone: ZoneInfo) -> tuple[Verdict, str]:
    """Return the verdict on a hosted zone's delegation, and its description in one line."""
    parent = query_parent(ports, zone.name)
    verdict = judge(parent, zone.name_servers)
    if isinstance(verdict, PointsElsewhere | PartlyDelegated):
        addresses_of = partial(_addresses, ports, zone)
        names = white_label_names(parent, zone.name_servers, addresses_of)
        if names:
            verdict = judge(parent, (*zone.name_servers, *names))
    return verdict, describe(verdict, zone.name.rstrip("."), zone.name_servers)


def query_parent(ports: CertificatePorts, domain: str) -> Parent:
    """Return what the name servers of a domain's parent answer for the domain.

    They are queried directly, so that no cache gives an older answer.
    """
    # The resolver is used only to find a zone above the domain. It may not know a zone between,
    # to which the servers of the zone above then refer.
    name = canonical(domain)
    try:
        zone = _enclosing_zone(ports, name)
    except ProbeFailed as error:
        return Parent(_above(name), (), (str(error),))

    for _ in range(_MAX_REFERRALS):
        result = _query_zone(ports, name, zone)
        if isinstance(result, Parent):
            return result
        zone = result
    # Servers that refer to each other lead nowhere.
    return Parent(zone.name, (), (f"more than {_MAX_REFERRALS} referrals",))


def caa_lookup(
    ports: CertificatePorts, zone: ZoneInfo | None, doubt: Callable[[str], None]
) -> Callable[[str], Sequence[str]]:
    """Return a function that gives the CAA records of a name, empty where no server answers.

    Names in the hosted zone are queried at its own name server: while the zone is not delegated, a
    resolver would cache that the name does not exist. `doubt` is told of a lookup that fails: an
    authority may not issue then (RFC 8659 section 3; ACM User Guide, "Troubleshoot Certification
    Authority Authorization problems").
    """

    @cache  # several names share their ancestors
    def query(owner: str) -> Sequence[str]:
        try:
            if zone and zone.name_servers and f".{owner}".endswith(f".{zone.name}"):
                server = ports.locate(zone.name_servers[0])
                reply = ports.dns.ask(server, owner, "CAA", recurse=False)
            else:
                reply = ports.dns.ask(ports.resolver, owner, "CAA", recurse=True)
        except DeploytoolError:
            # A missing answer forbids nothing: ACM's own query decides.
            return ()
        if reply.rcode == "SERVFAIL":
            doubt(
                f"the CAA records of {owner.rstrip('.')} cannot be read (SERVFAIL):"
                " ACM may not issue the certificate"
            )
        return [record.value for record in reply.answer if record.type == "CAA"]

    return query


def _addresses(ports: CertificatePorts, zone: ZoneInfo, name: str) -> frozenset[str]:
    """Return the IPv4 addresses of a name server; none when nobody knows them.

    A name in the zone itself is asked of the zone's own server: the resolver may not reach it yet.
    """
    try:
        if f".{name}".endswith(f".{zone.name}"):
            server = ports.locate(zone.name_servers[0])
            reply = ports.dns.ask(server, name, "A", recurse=False)
        else:
            reply = ports.dns.ask(ports.resolver, name, "A", recurse=True)
    except DeploytoolError:
        # Without an address the name counts as another server's.
        return frozenset()
    return frozenset(record.value for record in reply.answer if record.type == "A")


def _enclosing_zone(ports: CertificatePorts, name: str) -> _Zone:
    """Return the nearest zone above a name that the resolver knows.

    Without any it is the root, with no servers. Raises ProbeFailed when the resolver does not
    reply.
    """
    zone = name
    while zone != ".":
        zone = _above(zone)
        reply = ports.dns.ask(ports.resolver, zone, "NS", recurse=True)
        servers = _name_servers(reply, zone)
        if servers:
            return _Zone(zone, servers)
    return _Zone(".", [])


def _query_zone(ports: CertificatePorts, name: str, zone: _Zone) -> Parent | _Zone:
    """Return the answers of a zone's servers for a name, or the closer zone that they refer to."""
    answers: list[ParentAnswer] = []
    errors: list[str] = []
    for server in zone.servers[:_MAX_TRIED]:
        try:
            reply = ports.dns.ask(ports.locate(server), name, "NS", recurse=False)
        except DeploytoolError as error:
            errors.append(str(error))
            continue
        if reply.rcode not in ("NOERROR", "NXDOMAIN"):
            # Like SERVFAIL or REFUSED, which tell nothing about the name.
            errors.append(f"{server} answers {reply.rcode}")
            continue

        closer = _closer_zone(reply, name, zone)
        if closer:
            return closer
        answers.append(ParentAnswer(server, tuple(_name_servers(reply, name))))
        if len(answers) == _ANSWERS_NEEDED:
            break
    return Parent(zone.name, tuple(answers), tuple(errors))


def _closer_zone(reply: DnsReply, name: str, zone: _Zone) -> _Zone | None:
    """Return the zone between a zone and a name that a reply refers to, or None."""
    # A referral to the name itself is the delegation that is looked for, and not between.
    between = set()
    for record in reply.authority:
        is_above = name.endswith(f".{record.name}")
        if record.type == "NS" and is_above and record.name != zone.name:
            between.add(record.name)
    if not between:
        return None

    closest = max(between, key=len)
    return _Zone(closest, _name_servers(reply, closest))


def _name_servers(reply: DnsReply, owner: str) -> list[str]:
    """Return the NS records of a name in an answer or in a referral."""
    servers = []
    # A server that is authoritative for both zones gives the records as an answer.
    for record in (*reply.answer, *reply.authority):
        if record.name == owner and record.type == "NS":
            servers.append(canonical(record.value))
    return servers


def _above(name: str) -> str:
    return name.partition(".")[2] or "."
