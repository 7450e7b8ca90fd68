"""Whether a domain's parent delegates to its hosted zone, and whether CAA lets Amazon issue. Pure.

Sources: RFC 1034 section 4.2.1 (the parent's NS records lead to the zone); RFC 8659 (CAA: the
records of the nearest ancestor that has any count, an unknown critical tag forbids); ACM User
Guide, "(Optional) Configure a CAA record".
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from deploytool.core.route53.zone import canonical

# Any one of these in an issue record lets ACM issue (ACM User Guide, as above).
AMAZON = frozenset({"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"})
_CAA = re.compile(r'(?P<flags>\d+)\s+(?P<tag>[A-Za-z0-9]+)\s+"?(?P<value>[^"]*)"?')
_KNOWN_TAGS = {
    "issue",
    "issuewild",
    "iodef",
    "contactemail",
    "contactphone",
    "issuemail",
    "issuevmc",
}
_CRITICAL = 128


@dataclass(frozen=True)
class ParentAnswer:
    """The NS records that one name server of the parent has for a domain; empty when it has none."""

    server: str
    name_servers: tuple[str, ...]


@dataclass(frozen=True)
class Parent:
    """A domain's parent: its zone (with a final dot) and the answers of its servers.

    `silent` holds the reasons why other servers gave no answer.
    """

    zone: str
    answers: tuple[ParentAnswer, ...]
    silent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delegated:
    """Every server of the parent that answered names only servers of the zone."""


@dataclass(frozen=True)
class NotDelegated:
    """The parent has no NS records for the domain."""

    parent: str
    server: str


@dataclass(frozen=True)
class PointsElsewhere:
    """The parent names only servers that are not the zone's."""

    parent: str
    server: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class PartlyRight:
    """The parent names servers of the zone and `foreign` ones, or its own servers differ.

    Some resolvers then reach other servers.
    """

    parent: str
    server: str
    foreign: tuple[str, ...]


@dataclass(frozen=True)
class ParentUnreachable:
    """No server of the parent answered, so the delegation is unknown."""

    parent: str
    reason: str


Verdict = Delegated | NotDelegated | PointsElsewhere | PartlyRight | ParentUnreachable


def judge(parent: Parent, zone_servers: Sequence[str]) -> Verdict:
    """Compare the answers of the parent's servers with the hosted zone's name servers."""
    if not parent.answers:
        return ParentUnreachable(parent.zone, "; ".join(parent.silent) or "it has no name server")
    ours = {canonical(name) for name in zone_servers}
    told = {
        answer.server: {canonical(name) for name in answer.name_servers}
        for answer in parent.answers
    }
    foreign = sorted(set().union(*told.values()) - ours)
    lame = next((server for server, names in told.items() if names - ours or not names), None)
    if lame is None:
        return Delegated()
    if any(names & ours for names in told.values()):
        return PartlyRight(parent.zone, lame, tuple(foreign))
    if foreign:
        return PointsElsewhere(parent.zone, lame, tuple(foreign))
    return NotDelegated(parent.zone, lame)


def prevents_validation(verdict: Verdict) -> bool:
    """Return whether this verdict prevents the validation of every certificate of the domain.

    An unknown delegation does not count.
    """
    return isinstance(verdict, NotDelegated | PointsElsewhere)


def describe(verdict: Verdict, domain: str, zone_servers: Sequence[str]) -> str:
    """Return a verdict as one line of text."""
    expected = _listed(sorted(zone_servers)[:1]) + (" ..." if len(zone_servers) > 1 else "")
    match verdict:
        case Delegated():
            return f"the parent points {domain} to the hosted zone"
        case NotDelegated(parent, server):
            return f"the parent ({_at(parent, server)}) does not delegate {domain}: it has no NS records for it"
        case PointsElsewhere(parent, server, names):
            return f"the parent ({_at(parent, server)}) points {domain} to {_listed(names)}, not to {expected}"
        case PartlyRight(parent, server, foreign):
            also = f"also to {_listed(foreign)}" if foreign else "not on all of its servers"
            return f"the parent ({_at(parent, server)}) points {domain} {also}: validation may fail; it should point to {expected} only"
        case ParentUnreachable(parent, reason):
            return f"the parent ({parent}) did not answer a query for {domain}: {reason}"
        case _:
            assert_never(verdict)


@dataclass(frozen=True)
class CaaForbids:
    """CAA records that forbid ACM to issue: their owner, and the authorities that they allow."""

    name: str
    owner: str
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        authorities = ", ".join(self.allowed) or "no authority"
        return f"the CAA records of {self.owner.rstrip('.')} allow {authorities} to issue for {self.name}, not Amazon"


def caa_problem(name: str, lookup: Callable[[str], Sequence[str]]) -> CaaForbids | None:
    """Return why ACM may not issue for a name, or None.

    `lookup` gives the CAA records of one name as text, like `0 issue "amazon.com"`.

    A certificate authority climbs from the name towards the root until it finds a CAA record set
    (RFC 8659 section 3).
    """
    owner = canonical(name.removeprefix("*."))
    while owner != ".":
        if found := [match for text in lookup(owner) if (match := _CAA.fullmatch(text.strip()))]:
            return _judge_caa(name, owner, found)
        owner = owner.partition(".")[2] or "."
    return None


def _judge_caa(name: str, owner: str, found: Sequence[re.Match[str]]) -> CaaForbids | None:
    records = [(int(match["flags"]), match["tag"].lower(), match["value"]) for match in found]
    issue, wild = (
        [value for _, tag, value in records if tag == wanted] for wanted in ("issue", "issuewild")
    )
    relevant = wild if name.startswith("*.") and wild else issue
    allowed = {value.partition(";")[0].strip().lower() for value in relevant}
    unknown = any(flags & _CRITICAL and tag not in _KNOWN_TAGS for flags, tag, _ in records)
    if not unknown and (not relevant or allowed & AMAZON):
        return None
    return CaaForbids(name, owner, tuple(sorted(allowed - {""})))


def _at(parent: str, server: str) -> str:
    return f"{parent} at {server.rstrip('.')}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name.rstrip(".") for name in names)
