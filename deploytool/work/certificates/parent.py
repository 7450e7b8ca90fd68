"""Queries a domain's parent for its delegation, and name servers for CAA records."""

from collections.abc import Callable, Sequence
from functools import cache

from deploytool.core.certificates.ports import CertificatePorts, DnsReply, ZoneInfo
from deploytool.core.errors import DeploytoolError, ProbeFailed
from deploytool.core.route53.delegation import Parent, ParentAnswer
from deploytool.core.route53.zone import canonical

_ENOUGH = 2  # servers of the parent that answered; they are copies of one another
_MOST = 4  # servers of the parent that are tried
# Referrals that are followed from the parent that the resolver knows to the nearest one
_DEEPEST = 6


def query_parent(ports: CertificatePorts, domain: str) -> Parent:
    """Return what the name servers of a domain's parent answer for the domain.

    They are queried directly, so that no cache gives an older answer.
    """
    name = canonical(domain)
    try:
        zone, servers = _enclosing(ports, name)
    except ProbeFailed as error:
        return Parent(_above(name), (), (str(error),))
    for _ in range(_DEEPEST):
        parent, closer = _ask(ports, name, zone, servers)
        if closer is None:
            break
        zone, servers = closer
    return parent


def caa_lookup(ports: CertificatePorts, zone: ZoneInfo | None) -> Callable[[str], Sequence[str]]:
    """Return a function that gives the CAA records of a name, empty where no server answers.

    Names in the hosted zone are queried at its own name server: while the zone is not delegated, a
    resolver would cache that the name does not exist.
    """

    @cache  # several names share their ancestors
    def look(owner: str) -> Sequence[str]:
        ours = zone is not None and f".{owner}".endswith(f".{zone.name}")
        try:
            server = ports.locate(zone.name_servers[0]) if zone and ours else ports.resolver
            reply = ports.dns.ask(server, owner, "CAA", recurse=not ours)
        except DeploytoolError:
            return ()  # no answer forbids nothing: ACM's own query decides
        return [record.value for record in reply.answer if record.type == "CAA"]

    return look


def _enclosing(ports: CertificatePorts, name: str) -> tuple[str, list[str]]:
    """Return the nearest zone above a name that the resolver knows, and its name servers."""
    zone = name
    while zone != ".":
        zone = _above(zone)
        if servers := _name_servers(ports.dns.ask(ports.resolver, zone, "NS", recurse=True), zone):
            return zone, servers
    return ".", []


def _ask(
    ports: CertificatePorts, name: str, zone: str, servers: Sequence[str]
) -> tuple[Parent, tuple[str, list[str]] | None]:
    """Return what a zone's servers answer for a name, and the closer zone that they refer to."""
    answers: list[ParentAnswer] = []
    silent: list[str] = []
    for server in servers[:_MOST]:
        try:
            reply = ports.dns.ask(ports.locate(server), name, "NS", recurse=False)
        except DeploytoolError as error:
            silent.append(str(error))
            continue
        if reply.rcode not in ("NOERROR", "NXDOMAIN"):
            silent.append(f"{server} answers {reply.rcode}")
            continue
        between = {
            r.name
            for r in reply.authority
            if r.type == "NS" and r.name not in (name, zone) and name.endswith(f".{r.name}")
        }
        if between:
            cut = max(between, key=len)
            return Parent(zone, ()), (cut, _name_servers(reply, cut))
        answers.append(ParentAnswer(server, tuple(_name_servers(reply, name))))
        if len(answers) == _ENOUGH:
            break
    return Parent(zone, tuple(answers), tuple(silent)), None


def _name_servers(reply: DnsReply, owner: str) -> list[str]:
    """Return the NS records of a name in an answer or in a referral."""
    records = (*reply.answer, *reply.authority)
    return [
        canonical(record.value)
        for record in records
        if record.name == owner and record.type == "NS"
    ]


def _above(name: str) -> str:
    return name.partition(".")[2] or "."
