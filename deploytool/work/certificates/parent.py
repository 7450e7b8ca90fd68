"""Asks a domain's parent where it leads to, and which CAA records hold for a name."""

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


def look_at_parent(ports: CertificatePorts, domain: str) -> Parent:
    """What the name servers of a domain's parent say of it, asked directly: no cache keeps an older
    answer.
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


def look_for_caa(ports: CertificatePorts, zone: ZoneInfo | None) -> Callable[[str], Sequence[str]]:
    """A function that gives the CAA records of a name, empty where nobody answers.

    Names of our own zone are asked at its own name server: while the zone is not delegated a
    resolver would learn, and keep, that there is no such name.
    """

    @cache  # several names share their ancestors
    def look(owner: str) -> Sequence[str]:
        ours = zone is not None and f".{owner}".endswith(f".{zone.name}")
        try:
            server = ports.locate(zone.name_servers[0]) if zone and ours else ports.resolver
            reply = ports.dns.ask(server, owner, "CAA", recurse=not ours)
        except DeploytoolError:
            return ()  # what cannot be asked forbids nothing: ACM's own look decides
        return [record.value for record in reply.answer if record.type == "CAA"]

    return look


def _enclosing(ports: CertificatePorts, name: str) -> tuple[str, list[str]]:
    """The nearest zone above a name that the resolver knows, and its name servers."""
    zone = name
    while zone != ".":
        zone = _above(zone)
        if servers := _name_servers(ports.dns.ask(ports.resolver, zone, "NS", recurse=True), zone):
            return zone, servers
    return ".", []


def _ask(
    ports: CertificatePorts, name: str, zone: str, servers: Sequence[str]
) -> tuple[Parent, tuple[str, list[str]] | None]:
    """What a zone's servers say of a name, and the zone between the two that they refer to, if they
    do.
    """
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
    """The NS records of a name in an answer or in a referral."""
    return [
        canonical(each.value)
        for each in (*reply.answer, *reply.authority)
        if (each.name, each.type) == (owner, "NS")
    ]


def _above(name: str) -> str:
    return name.partition(".")[2] or "."
