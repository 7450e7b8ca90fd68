"""Checks a deployed service once: name servers, resolvers, its domain and each region's endpoint."""

from collections.abc import Sequence

from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import DnsAnswer, HttpAnswer, Nameserver
from deploytool.core.service.findings import Failure, Findings, problems
from deploytool.core.service.ports import Probes
from deploytool.core.service.service import Service

POLL_SECONDS = 5.0  # between two checks, in seconds of the target's clock


def check(probes: Probes, service: Service) -> Findings:
    """Send each probe once. A probe without an answer is a finding, not an error."""
    servers = probes.hosted_zones.name_servers(service.hosted_zone_id)
    name_servers = {server.name: _query(probes, server, service.domain) for server in servers}
    resolvers = {
        resolver.name: _query(probes, resolver, service.domain) for resolver in probes.resolvers
    }

    regions = {}
    for region, domain in service.regional_domains.items():
        addresses = _first_addresses([_query(probes, servers[0], domain)])
        regions[region] = _call(probes, service, domain, addresses)

    # The name servers come first: a resolver may still have an older answer
    addresses = _first_addresses([*name_servers.values(), *resolvers.values()])
    served = _call(probes, service, service.domain, addresses)
    return Findings(name_servers, resolvers, served, regions)


def wait_until_good(probes: Probes, service: Service, seconds: float) -> list[str]:
    """Check repeatedly until there is no problem or `seconds` of the target's clock have passed.

    Returns the problems of the last check.
    """
    deadline = probes.clock.now() + seconds
    while True:
        remaining = problems(check(probes, service), service)
        if not remaining or probes.clock.now() >= deadline:
            return remaining
        probes.clock.sleep(POLL_SECONDS)


def _first_addresses(answers: Sequence[DnsAnswer | Failure]) -> tuple[str, ...]:
    """Return the addresses of the first answer that has any."""
    for answer in answers:
        if isinstance(answer, DnsAnswer) and answer.addresses:
            return answer.addresses
    return ()


def _query(probes: Probes, server: Nameserver, name: str) -> DnsAnswer | Failure:
    try:
        return probes.dns.query(server, name)
    except ProbeFailed as error:
        return str(error)


def _call(
    probes: Probes, service: Service, domain: str, addresses: tuple[str, ...]
) -> HttpAnswer | Failure:
    if not addresses:
        return f"{domain} has no address"
    try:
        return probes.http.get(domain, addresses[0], service.path)
    except ProbeFailed as error:
        return str(error)
