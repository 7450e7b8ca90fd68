"""Probes of a failover pair that deploytool did not deploy: they tell its regions apart.

Such an answer need not name its region. It is then told by a header that the user names, or by the
address that was called: one to which the name of one region leads, and that of the other does not.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from deploytool.core.ports import Connection, Dns, DnsAnswer, Http, HttpAnswer, Nameserver
from deploytool.core.route53.calculated import CALCULATED
from deploytool.core.route53.health import CheckerObservation, HealthCheck
from deploytool.core.route53.verdicts import ENDPOINT_TYPES
from deploytool.core.route53.zone import canonical
from deploytool.core.service.ports import HealthChecks

FIXED_TTL = 60  # seconds; an address that is written down does not change during a drill


@dataclass
class Regions:
    """What is known of a pair's regions: the name to which each leads, and the addresses seen there.

    `header` is the one that tells the region, in lower case, "" for none. `values` has the region
    of each of its values, as the regions' own endpoints answer.
    """

    names: Mapping[str, str]
    header: str = ""
    addresses: dict[str, set[str]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    def learn(self, name: str, addresses: tuple[str, ...]) -> None:
        """Note the addresses of a name."""
        for region, target in self.names.items():
            if canonical(target) == canonical(name):
                self.addresses.setdefault(region, set()).update(addresses)

    def of_address(self, address: str) -> str | None:
        """Return the only region that has an address."""
        regions = [region for region, known in self.addresses.items() if address in known]
        return regions[0] if len(regions) == 1 else None

    def of_answer(self, answer: HttpAnswer, address: str) -> str | None:
        """Return the region that sent an answer, None when nothing tells."""
        by_address = self.of_address(address)
        value = answer.headers.get(self.header) if self.header else answer.region
        if value is None:
            return by_address
        if value in self.names:
            return value
        # What a region calls itself may be something else than its name here, like `blue`
        if by_address is not None:
            self.values.setdefault(value, by_address)
        return self.values.get(value, by_address)


class PairDns:
    """The Dns port for a pair: follows a CNAME to another zone, and takes an address for a name."""

    def __init__(self, dns: Dns, resolver: Nameserver, regions: Regions) -> None:
        self._dns = dns
        self._resolver = resolver
        self._regions = regions

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:
        """Ask a server. A name server of the zone leaves the rest of a chain to its clients."""
        if _is_address(name):
            answer = DnsAnswer("NOERROR", (name,), FIXED_TTL)
        else:
            is_target = any(
                canonical(name) == canonical(each) for each in self._regions.names.values()
            )
            # The zone's servers know nothing of a name in another zone
            answer = self._dns.query(self._resolver if is_target else server, name, tcp=tcp)
        if answer.cname and not answer.addresses:
            rest = self._dns.query(self._resolver, answer.cname)
            self._regions.learn(answer.cname, rest.addresses)
            answer = replace(answer, addresses=rest.addresses)
        self._regions.learn(name, answer.addresses)
        return answer


class PairHttp:
    """The Http port for a pair: each answer has the region that sent it."""

    def __init__(self, http: Http, regions: Regions) -> None:
        self._http = http
        self._regions = regions

    def get(self, domain: str, address: str, path: str) -> HttpAnswer:
        """Send one request."""
        answer = self._http.get(domain, address, path)
        return replace(answer, region=self._regions.of_answer(answer, address))

    def connect(self, domain: str, address: str) -> Connection:
        """Return a connection to keep."""
        return _PairConnection(self._http.connect(domain, address), address, self._regions)


@dataclass(frozen=True)
class _PairConnection:
    connection: Connection
    address: str
    regions: Regions

    def get(self, path: str) -> HttpAnswer:
        answer = self.connection.get(path)
        return replace(answer, region=self.regions.of_answer(answer, self.address))

    def close(self) -> None:
        self.connection.close()


@dataclass(frozen=True)
class PairHealthChecks:
    """The HealthChecks port for a pair: a calculated health check is observed by its children.

    Route 53 tells no checkers of a calculated one (API reference of GetHealthCheckStatus).
    """

    checks: HealthChecks

    def get(self, health_check_id: str) -> HealthCheck:
        return self.checks.get(health_check_id)

    def set_inverted(self, health_check_id: str, *, inverted: bool, version: int) -> HealthCheck:
        return self.checks.set_inverted(health_check_id, inverted=inverted, version=version)

    def observations(self, health_check_id: str) -> Sequence[CheckerObservation]:
        config = self.checks.get(health_check_id).config
        if config.type != CALCULATED:
            return self.checks.observations(health_check_id)
        found: list[CheckerObservation] = []
        for child in config.child_health_checks:
            if self.checks.get(child).config.type in ENDPOINT_TYPES:
                found += self.checks.observations(child)
        return found


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
