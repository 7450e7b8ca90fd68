"""The parents of the hosted zones: which zones they delegate to which name servers.

One server on loopback is every parent (`com.` of example.com, `example.com.` of dev.example.com):
an authoritative name server that refers to the delegated zones and answers NXDOMAIN for the others
(RFC 1034 section 4.3.2). So dig can query it. A zone that lies within another hosted zone is also
delegated by that zone's NS records. All hosted zones have the same name servers here, on one
address; so their own answers at that address tell nothing about delegation, as at any server that
has both.
"""

from collections.abc import Callable, Mapping, Sequence

import dns.rcode
from dns.message import Message

from deploytool.core.errors import InputError
from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.names import domain_problem
from deploytool.core.route53.zone import HostedZone, RecordSet, canonical, find_zone, record_sets
from deploytool.localcloud.ports import ControlPlane
from deploytool.localcloud.settings import CONTROL_ADDRESS

# .internal is reserved for private use (ICANN resolution 2024.07.29.06).
PARENT_SERVER = "a.parent-servers.internal."

_DELEGATION_TTL = 172_800  # seconds, as in .com
# Automatic delegations change with every zone that is created, and the parent's own zone becomes a
# hosted zone when somebody creates one of that name. No real parent does that, so no resolver may
# keep them for long: with two days the zone of a third stage was never found.
_AUTOMATIC_TTL = 60
# Seconds that a resolver caches "no such domain". A guess; .com's is 900.
_NEGATIVE_TTL = 60
# MNAME, RNAME, SERIAL, REFRESH, RETRY, EXPIRE, MINIMUM: RFC 1035 section 3.3.13.
_SOA = f"{PARENT_SERVER} hostmaster.parent-servers.internal. 1 1800 900 604800 {_NEGATIVE_TTL}"


class Delegations:
    """The name servers to which the parents refer, for each domain.

    When `automatic`, every new zone is delegated to its own name servers at once. A domain that was
    delegated or undelegated by hand stays as it was set.
    """

    def __init__(self, zones: Callable[[], Sequence[HostedZone]], *, automatic: bool) -> None:
        self._zones = zones
        self._automatic = automatic
        # By canonical domain; without name servers the parent has no such domain.
        self._set_by_hand: dict[str, tuple[str, ...]] = {}

    @property
    def all_automatic(self) -> bool:
        """Whether every hosted zone is delegated to its own name servers."""
        return self._automatic and not self._set_by_hand

    def delegate(self, domain: str, servers: Sequence[str]) -> tuple[str, ...]:
        """Delegate a domain to these name servers and return their canonical names.

        Raises InputError for a name that is not a domain name.
        """
        name = _checked(domain)
        names = tuple(_checked(server) for server in servers)
        self._set_by_hand[name] = names
        return names

    def delegate_to_zone(self, domain: str) -> tuple[str, ...]:
        """Delegate a domain to the name servers of its hosted zone, and return them.

        Raises InputError when it has no hosted zone.
        """
        name = _checked(domain)
        # The newest of several zones of one name, as in `find_zone`.
        for zone in reversed(self._zones()):
            if zone.name == name and zone.name_servers:
                self._set_by_hand[name] = zone.name_servers
                return zone.name_servers
        raise InputError(f"{domain}: there is no such hosted zone; name the name servers to use")

    def undelegate(self, domain: str) -> None:
        """Make a domain's parent answer that there is no such domain."""
        self._set_by_hand[_checked(domain)] = ()

    def ttl(self, domain: str) -> int:
        """Return for how many seconds resolvers may keep the delegation of a domain."""
        changes_by_itself = self._automatic and domain not in self._set_by_hand
        return _AUTOMATIC_TTL if changes_by_itself else _DELEGATION_TTL

    def servers(self) -> Mapping[str, tuple[str, ...]]:
        """Return the name servers of every domain that is a hosted zone or was set by hand.

        A domain that is not delegated has none.
        """
        servers: dict[str, tuple[str, ...]] = {}
        for zone in self._zones():
            servers[zone.name] = zone.name_servers if self._automatic else ()
        return servers | self._set_by_hand


class ParentZones:
    """A control plane with the parents' zones, for a `NameServer` that answers for them."""

    def __init__(self, delegations: Delegations) -> None:
        self._delegations = delegations

    def hosted_zones(self) -> Sequence[HostedZone]:
        """Return zones that contain the parent of each domain; none lies within another."""
        servers = self._delegations.servers()
        parents = {_parent(domain) for domain in servers}
        return [self._zone(name, servers) for name in _outermost(parents)]

    def health_checks(self) -> Mapping[str, HealthCheck]:
        """Return none: a parent's records have none."""
        return {}

    def aws_names(self) -> Mapping[str, str]:
        """Return none: a parent has no aliases."""
        return {}

    def _zone(self, name: str, servers: Mapping[str, tuple[str, ...]]) -> HostedZone:
        records = [
            RecordSet(name, "SOA", _DELEGATION_TTL, (_SOA,)),
            RecordSet(name, "NS", self._delegations.ttl(name), (PARENT_SERVER,)),
        ]
        # A domain without name servers gets no record, so that the answer for it is NXDOMAIN.
        for domain, name_servers in servers.items():
            if name_servers and domain != name and is_within(domain, name):
                ttl = self._delegations.ttl(domain)
                records.append(RecordSet(domain, "NS", ttl, name_servers))
        return HostedZone(f"parent {name}", name, (PARENT_SERVER,), tuple(records))


class PublicView:
    """The control plane as the public sees it: only the hosted zones that resolvers can reach."""

    def __init__(self, control_plane: ControlPlane, delegations: Delegations) -> None:
        self._control_plane = control_plane
        self._delegations = delegations

    def hosted_zones(self) -> Sequence[HostedZone]:
        """Return the delegated zones."""
        zones = self._control_plane.hosted_zones()
        # The usual case, without work for each query.
        if self._delegations.all_automatic:
            return zones

        servers = self._delegations.servers()
        reachable: list[HostedZone] = []
        # Outer zones first: a zone within a reachable one is reachable by that zone's NS records.
        for zone in sorted(zones, key=lambda zone: zone.name.count(".")):
            delegated_to = {*servers.get(zone.name, ()), *_delegated_by_zone(reachable, zone.name)}
            if delegated_to.intersection(zone.name_servers):
                reachable.append(zone)
        return reachable

    def health_checks(self) -> Mapping[str, HealthCheck]:
        """Return all of them: Route 53 knows them without DNS."""
        return self._control_plane.health_checks()

    def aws_names(self) -> Mapping[str, str]:
        """Return AWS's own names, and the parents' server."""
        return {**self._control_plane.aws_names(), PARENT_SERVER: CONTROL_ADDRESS}


def public_authority(
    zones: Callable[[Message], Message],
    parents: Callable[[Message], Message],
    delegations: Delegations,
) -> Callable[[Message], Message]:
    """Return what answers a resolver that starts at the parents.

    `zones` answers for the public view. For other names `parents` answers, if they lie within a
    domain that the delegations name, or are the parent of one. No other names of the parents are
    known.
    """

    def respond(query: Message) -> Message:
        # Zones first: a resolver that follows the parents ends at them for these names.
        response = zones(query)
        if response.rcode() != dns.rcode.REFUSED or not query.question:
            return response
        name = canonical(query.question[0].name.to_text())
        for domain in delegations.servers():
            if is_within(name, domain) or name == _parent(domain):
                return parents(query)
        return response

    return respond


def is_within(name: str, ancestor: str) -> bool:
    """Whether a canonical name is `ancestor` or below it."""
    return ancestor in (".", name) or name.endswith(f".{ancestor}")


def _delegated_by_zone(zones: Sequence[HostedZone], name: str) -> set[str]:
    """Return the name servers that the zone around a domain names for it."""
    outer = find_zone(zones, name)
    if outer is None or outer.name == name:
        return set()
    servers: set[str] = set()
    for record in record_sets(outer, name, "NS"):
        servers.update(canonical(value) for value in record.values)
    return servers


def _outermost(names: set[str]) -> list[str]:
    """Return the names that lie within none of the others, sorted."""
    outermost = []
    for name in sorted(names):
        others = names - {name}
        if not any(is_within(name, other) for other in others):
            outermost.append(name)
    return outermost


def _parent(domain: str) -> str:
    return domain.partition(".")[2] or "."


def _checked(domain: str) -> str:
    """Return the canonical name of a domain. Raises InputError for any other text."""
    name = domain.lower().rstrip(".")
    problem = domain_problem(name)
    if problem is not None:
        raise InputError(problem)
    return canonical(name)
