"""What the parents of the hosted zones say: which zones are delegated to whom, and what the public
therefore sees of them.

One server on loopback stands for every parent (`com.` of example.com, `example.com.` of
dev.example.com): an authoritative name server that refers to the delegated zones and says NXDOMAIN
of the others (RFC 1034 section 4.3.2), so that dig can look at it. A zone that lies within another
hosted zone is also delegated by that zone's NS records. All hosted zones have the same name servers
here, on one address; so their own answers at that address say nothing of delegation, as at any
server that holds both.
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

# .internal is reserved for private use (ICANN resolution 2024.07.29.06)
PARENT_SERVER = "a.parent-servers.internal."

_DELEGATION_TTL = 172_800  # seconds: as in .com
_NEGATIVE_TTL = 60  # seconds that a resolver keeps "no such domain"; a guess, .com's is 900
_SOA = f"{PARENT_SERVER} hostmaster.parent-servers.internal. 1 1800 900 604800 {_NEGATIVE_TTL}"


class Delegations:
    """Which name servers the parents point each domain at. When `automatic` every new zone is
    delegated to its own at once.
    """

    def __init__(self, zones: Callable[[], Sequence[HostedZone]], *, automatic: bool) -> None:
        self._zones = zones
        self._automatic = automatic
        self._said: dict[str, tuple[str, ...]] = {}

    @property
    def is_plain(self) -> bool:
        """Whether every hosted zone is delegated as it should be."""
        return self._automatic and not self._said

    def delegate(self, domain: str, servers: Sequence[str]) -> tuple[str, ...]:
        """Point a domain at these name servers, at its hosted zone's when none are named. Raises
        InputError for no such zone.
        """
        name = _checked(domain)
        chosen = tuple(_checked(server) for server in servers) or next(
            (zone.name_servers for zone in reversed(self._zones()) if zone.name == name), ()
        )
        if not chosen:
            raise InputError(
                f"{domain}: there is no such hosted zone: name the name servers to point it at"
            )
        self._said[name] = chosen
        return chosen

    def undelegate(self, domain: str) -> None:
        """Let a domain's parent say that there is no such domain."""
        self._said[_checked(domain)] = ()

    def servers(self) -> Mapping[str, tuple[str, ...]]:
        """Every domain that is a hosted zone or was delegated by hand, with the name servers that
        its parent names.
        """
        own = {zone.name: zone.name_servers if self._automatic else () for zone in self._zones()}
        return own | self._said


class ParentZones:
    """A control plane that holds the parents' zones, for a `NameServer` to answer for them."""

    def __init__(self, delegations: Delegations) -> None:
        self._delegations = delegations

    def hosted_zones(self) -> Sequence[HostedZone]:
        """One zone for each domain's parent, none within another."""
        servers = self._delegations.servers()
        parents = {_parent(domain) for domain in servers}
        outermost = {
            name
            for name in parents
            if not any(other != name and is_within(name, other) for other in parents)
        }
        return [self._zone(name, servers) for name in sorted(outermost)]

    def health_checks(self) -> Mapping[str, HealthCheck]:
        """None: a parent's records have none."""
        return {}

    def aws_names(self) -> Mapping[str, str]:
        """None: a parent has no aliases."""
        return {}

    def _zone(self, name: str, servers: Mapping[str, tuple[str, ...]]) -> HostedZone:
        apex = (
            RecordSet(name, "SOA", _DELEGATION_TTL, (_SOA,)),
            RecordSet(name, "NS", _DELEGATION_TTL, (PARENT_SERVER,)),
        )
        cuts = [
            RecordSet(domain, "NS", _DELEGATION_TTL, chosen)
            for domain, chosen in servers.items()
            if chosen and domain != name and is_within(domain, name)
        ]
        return HostedZone(f"parent {name}", name, (PARENT_SERVER,), (*apex, *cuts))


class PublicView:
    """The control plane as the public sees it: only the hosted zones that a resolver is led to."""

    def __init__(self, control_plane: ControlPlane, delegations: Delegations) -> None:
        self._control_plane = control_plane
        self._delegations = delegations

    def hosted_zones(self) -> Sequence[HostedZone]:
        """The delegated ones."""
        zones = self._control_plane.hosted_zones()
        if self._delegations.is_plain:
            return zones
        servers = self._delegations.servers()
        seen: list[HostedZone] = []
        for zone in sorted(zones, key=lambda each: each.name.count(".")):
            around = find_zone(seen, zone.name)
            inner = (
                record_sets(around, zone.name, "NS") if around and around.name != zone.name else ()
            )
            told = {canonical(value) for record in inner for value in record.values} | set(
                servers.get(zone.name, ())
            )
            if told.intersection(zone.name_servers):
                seen.append(zone)
        return seen

    def health_checks(self) -> Mapping[str, HealthCheck]:
        """All of them: Route 53 knows them without DNS."""
        return self._control_plane.health_checks()

    def aws_names(self) -> Mapping[str, str]:
        """AWS's own names, and the parents' server."""
        return {**self._control_plane.aws_names(), PARENT_SERVER: CONTROL_ADDRESS}


def public_authority(
    zones: Callable[[Message], Message],
    parents: Callable[[Message], Message],
    delegations: Delegations,
) -> Callable[[Message], Message]:
    """What answers a resolver that goes from the parents down: the delegated zones, then the
    parents for what is theirs.

    `zones` answers for the public view, `parents` for the parents' zones. Of a parent's other names
    nothing is known here: its zone has an apex and the domains below which the cloud's zones lie.
    """

    def respond(query: Message) -> Message:
        response = zones(query)
        if response.rcode() != dns.rcode.REFUSED or not query.question:
            return response
        name = canonical(query.question[0].name.to_text())
        known = delegations.servers()
        if any(is_within(name, domain) or name == _parent(domain) for domain in known):
            return parents(query)
        return response

    return respond


def is_within(name: str, ancestor: str) -> bool:
    """Whether a canonical name is `ancestor` or below it."""
    return ancestor in (".", name) or name.endswith(f".{ancestor}")


def _parent(domain: str) -> str:
    return domain.partition(".")[2] or "."


def _checked(domain: str) -> str:
    name = domain.lower().rstrip(".")
    if (fault := domain_problem(name)) is not None:
        raise InputError(fault)
    return canonical(name)
