"""Judge whether a parent delegates to a hosted zone, and whether CAA lets Amazon issue. Pure.

Sources: RFC 1034 section 4.2.1 (the parent's NS records lead to the zone); RFC 8659 (CAA: only the
records of the nearest ancestor that has any count, and an unknown critical tag forbids); ACM User
Guide, "(Optional) Configure a CAA record".
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from deploytool.core.route53.zone import canonical

# Any one of these in an issue record lets ACM issue (ACM User Guide, as above).
AMAZON = frozenset({"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"})

# The text of a record, like `0 issue "amazon.com"` (RFC 8659 section 4.1.1).
_CAA = re.compile(r'(?P<flags>\d+)\s+(?P<tag>[A-Za-z0-9]+)\s+"?(?P<value>[^"]*)"?')

# The name of a server of Route 53, like ns-2048.awsdns-64.com.
_ROUTE53_SERVER = re.compile(r"^ns-\d+\.awsdns-\d+\.(com|net|org|co\.uk)\.$")

# The registered property tags, in lower case.
_KNOWN_TAGS = {
    "issue",
    "issuewild",
    "iodef",
    "contactemail",
    "contactphone",
    "issuemail",
    "issuevmc",
}

# Bit 0 of the flags, the most significant one: an authority that does not know the tag must not
# issue (RFC 8659 section 4.1).
_CRITICAL = 128


@dataclass(frozen=True)
class ParentAnswer:
    """The NS records, perhaps none, that one name server of the parent has for a domain."""

    server: str
    name_servers: tuple[str, ...]


@dataclass(frozen=True)
class Parent:
    """A domain's parent: its zone (with a final dot) and the answers of its servers.

    `errors` holds the reasons why other servers gave no answer.
    """

    zone: str
    answers: tuple[ParentAnswer, ...]
    errors: tuple[str, ...] = ()


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
class PartlyDelegated:
    """The parent names servers of the zone and `foreign` ones, or its own servers differ.

    Some resolvers then reach the zone and others do not.
    """

    parent: str
    server: str
    foreign: tuple[str, ...]


@dataclass(frozen=True)
class ParentUnreachable:
    """No server of the parent answered, so the delegation is unknown."""

    parent: str
    reason: str


Verdict = Delegated | NotDelegated | PointsElsewhere | PartlyDelegated | ParentUnreachable


def judge(parent: Parent, zone_servers: Sequence[str]) -> Verdict:
    """Compare the answers of the parent's servers with the hosted zone's name servers.

    A parent that names only some servers of the zone delegates correctly. The verdict names the
    first server of the parent whose answer is wrong.
    """
    if not parent.answers:
        reason = "; ".join(parent.errors) or "it has no name server"
        return ParentUnreachable(parent.zone, reason)

    expected = set(map(canonical, zone_servers))
    foreign: set[str] = set()
    leads_to_zone = False
    wrong_server = None
    for answer in parent.answers:
        names = set(map(canonical, answer.name_servers))
        foreign |= names - expected
        leads_to_zone = leads_to_zone or bool(names & expected)

        is_right = names and names <= expected
        if not is_right and wrong_server is None:
            wrong_server = answer.server

    if wrong_server is None:
        return Delegated()
    if leads_to_zone:
        return PartlyDelegated(parent.zone, wrong_server, tuple(sorted(foreign)))
    if foreign:
        return PointsElsewhere(parent.zone, wrong_server, tuple(sorted(foreign)))
    return NotDelegated(parent.zone, wrong_server)


def white_label_names(
    parent: Parent,
    zone_servers: Sequence[str],
    addresses_of: Callable[[str], frozenset[str]],
) -> tuple[str, ...]:
    """Return the names in the parent's answers that are other names of the zone's own servers.

    A zone with a reusable delegation set may have name servers under a name of the owner, whose
    addresses are those of the set (Route 53 Developer Guide, "Configuring white-label name
    servers"). Names of Route 53 are compared as names: each is one server, whatever its address.
    """
    expected = set(map(canonical, zone_servers))
    foreign: set[str] = set()
    for answer in parent.answers:
        foreign |= set(map(canonical, answer.name_servers)) - expected
    candidates = sorted(name for name in foreign if not _ROUTE53_SERVER.search(name))
    if not candidates:
        return ()

    own_addresses: set[str] = set()
    for name in sorted(expected):
        own_addresses |= addresses_of(name)

    names: list[str] = []
    for name in candidates:
        addresses = addresses_of(name)
        if addresses and addresses <= own_addresses:
            names.append(name)
    return tuple(names)


def prevents_validation(verdict: Verdict) -> bool:
    """Return whether this verdict prevents the validation of every certificate of the domain.

    An unknown delegation does not count.
    """
    return isinstance(verdict, NotDelegated | PointsElsewhere)


def describe(verdict: Verdict, domain: str, zone_servers: Sequence[str]) -> str:
    """Return a verdict as one line of text."""
    # The first server stands for all of them: a hosted zone has four.
    expected = _join(sorted(zone_servers)[:1])
    if len(zone_servers) > 1:
        expected += " ..."

    match verdict:
        case Delegated():
            return f"the parent points {domain} to the hosted zone"
        case NotDelegated(parent, server):
            return (
                f"the parent ({_at(parent, server)}) does not delegate {domain}:"
                " it has no NS records for it"
            )
        case PointsElsewhere(parent, server, names):
            return (
                f"the parent ({_at(parent, server)}) points {domain} to {_join(names)},"
                f" not to {expected}"
            )
        case PartlyDelegated(parent, server, foreign):
            extent = "not on all of its servers"
            if foreign:
                extent = f"also to {_join(foreign)}"
            return (
                f"the parent ({_at(parent, server)}) points {domain} {extent}:"
                f" validation may fail; it should point to {expected} only"
            )
        case ParentUnreachable(parent, reason):
            return f"the parent ({parent}) did not answer a query for {domain}: {reason}"
        case _:
            assert_never(verdict)


def precaution(verdict: Verdict, domain: str) -> str:
    """Return what to do before the domain's name servers are changed, "" when nothing is known.

    Servers that answer for the domain now may have more than its address: from the change on, nobody
    asks them.
    """
    match verdict:
        case PointsElsewhere(_, _, servers) | PartlyDelegated(_, _, servers) if servers:
            return (
                f"{_join(servers)} answer for {domain} now and are not asked afterwards:"
                " first copy every other record of it (mail, web sites, delegations of"
                f" subdomains) to the hosted zone, or leave {domain} there with zone ="
                ' "external" or a stage at a name below it'
            )
        case _:
            return ""


@dataclass(frozen=True)
class CaaForbids:
    """CAA records that forbid ACM to issue: their owner, and the authorities that they allow."""

    name: str
    owner: str
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        owner = self.owner.rstrip(".")
        authorities = ", ".join(self.allowed) or "no authority"
        return (
            f"the CAA records of {owner} allow {authorities} to issue for {self.name}, not Amazon"
        )


@dataclass(frozen=True)
class _CaaRecord:
    """One CAA record. `tag` is in lower case, because tags match in any case."""

    flags: int
    tag: str
    value: str

    @property
    def forbids_all(self) -> bool:
        """Whether a critical property that nobody knows forbids every authority to issue."""
        return bool(self.flags & _CRITICAL) and self.tag not in _KNOWN_TAGS

    @property
    def authority(self) -> str:
        """The authority that an issue property allows, without parameters; empty for none."""
        return self.value.partition(";")[0].strip().lower()


def caa_problem(name: str, lookup: Callable[[str], Sequence[str]]) -> CaaForbids | None:
    """Return why ACM may not issue for a name, or None.

    `lookup` gives the CAA records of one name as text, like `0 issue "amazon.com"`. Text of another
    form is ignored.
    """
    # An authority climbs from the name towards the root, which is not queried, until it finds a CAA
    # record set (RFC 8659 section 3).
    owner = canonical(name.removeprefix("*."))
    while owner != ".":
        records = _parse_caa(lookup(owner))
        if records:
            return _judge_caa(name, owner, records)
        owner = owner.partition(".")[2] or "."
    return None


def _parse_caa(texts: Sequence[str]) -> list[_CaaRecord]:
    records = []
    for text in texts:
        match = _CAA.fullmatch(text.strip())
        if match:
            records.append(_CaaRecord(int(match["flags"]), match["tag"].lower(), match["value"]))
    return records


def _judge_caa(name: str, owner: str, records: Sequence[_CaaRecord]) -> CaaForbids | None:
    """Return why these records forbid ACM to issue for a name, or None."""
    relevant = _with_tag(records, "issue")
    if name.startswith("*."):
        # For a wildcard any issuewild property overrides every issue property (RFC 8659 4.3).
        relevant = _with_tag(records, "issuewild") or relevant

    allowed = {record.authority for record in relevant}
    # Records without a relevant property, like only iodef, allow every authority.
    is_allowed = not relevant or bool(allowed & AMAZON)
    if is_allowed and not any(record.forbids_all for record in records):
        return None
    return CaaForbids(name, owner, tuple(sorted(allowed - {""})))


def _with_tag(records: Sequence[_CaaRecord], tag: str) -> list[_CaaRecord]:
    return [record for record in records if record.tag == tag]


def _at(parent: str, server: str) -> str:
    return f"{parent} at {server.rstrip('.')}"


def _join(names: Sequence[str]) -> str:
    return ", ".join(name.rstrip(".") for name in names)
