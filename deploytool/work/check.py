"""Checks a deployed service once: name servers, resolvers, its domain and each region's endpoint.

It needs DNS and HTTPS only, and no API of AWS. All queries are sent at the same time, and then all
requests, so that what does not answer delays nothing but itself.
"""

from functools import partial

from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import DnsAnswer, Executor, HttpAnswer, Nameserver
from deploytool.core.service.findings import (
    Failure,
    Findings,
    ZoneServers,
    differing_addresses,
    first_addresses,
    problems,
)
from deploytool.core.service.ports import Probes
from deploytool.core.service.service import Service
from deploytool.work.tasks import for_each

POLL_SECONDS = 5.0  # between two checks, in seconds of the target's clock

Question = tuple[Nameserver, str]  # a server, and the name that it is asked for
Target = tuple[str, str]  # a name, and the address at which it is called


def servers_of_zone(probes: Probes, service: Service) -> ZoneServers:
    """Return the name servers of the service's hosted zone, as Route 53's API gives them."""
    servers = probes.hosted_zones.name_servers(service.hosted_zone_id)
    return ZoneServers(service.hosted_zone_id, tuple(servers))


def check(probes: Probes, executor: Executor, service: Service, zone: ZoneServers) -> Findings:
    """Send each probe once. A probe without an answer is a finding, not an error."""
    names = (service.domain, *service.regional_domains.values())
    servers = (*zone.servers, *probes.resolvers)
    questions = [(server, name) for server in servers for name in names]
    answers = for_each(executor, partial(_query, probes), questions)

    name_servers: dict[str, DnsAnswer | Failure] = {}
    if zone.zone:
        name_servers.update(zone.failures)
    for server in zone.servers:
        name_servers[server.name] = answers[server, service.domain]
    resolvers = {server.name: answers[server, service.domain] for server in probes.resolvers}

    # The name servers come first: a resolver may still have an older answer
    addresses: dict[str, tuple[str, ...]] = {}
    for name in names:
        addresses[name] = first_addresses(answers[server, name] for server in servers)
    hosts = {
        service.regional_domains[region]: service.host_of(region)
        for region in service.regional_domains
    }
    targets = {name: (hosts.get(name, name), _first(addresses[name])) for name in names}
    differing = differing_addresses(name_servers, resolvers)
    through = {name: (service.domain, address) for name, address in differing.items()}
    calls = tuple(dict.fromkeys((*targets.values(), *through.values())))
    answered = for_each(executor, partial(_call, probes, service), calls)

    served = {name: answered[target] for name, target in targets.items()}
    domains = service.regional_domains.items()
    return Findings(
        name_servers,
        resolvers,
        served[service.domain],
        regions={region: served[domain] for region, domain in domains},
        regional_addresses={region: addresses[domain] for region, domain in domains},
        no_zone=_no_zone(zone),
        through_resolvers={name: answered[target] for name, target in through.items()},
    )


def wait_until_good(
    probes: Probes, executor: Executor, service: Service, seconds: float
) -> list[str]:
    """Check repeatedly until there is no problem or `seconds` of the target's clock have passed.

    Returns the problems of the last check.
    """
    deadline = probes.clock.now() + seconds
    while True:
        zone = servers_of_zone(probes, service)
        remaining = problems(check(probes, executor, service, zone), service)
        if not remaining or probes.clock.now() >= deadline:
            return remaining
        probes.clock.sleep(POLL_SECONDS)


def _no_zone(zone: ZoneServers) -> str:
    """Return why no name server was found, "" when one was, or when none is asked."""
    if zone.zone:
        return ""
    return "; ".join(f"{name} answers {failure}" for name, failure in zone.failures.items())


def _query(probes: Probes, question: Question) -> DnsAnswer | Failure:
    server, name = question
    try:
        return probes.dns.query(server, name)
    except ProbeFailed as error:
        return str(error)


def _first(addresses: tuple[str, ...]) -> str:
    return addresses[0] if addresses else ""


def _call(probes: Probes, service: Service, target: Target) -> HttpAnswer | Failure:
    domain, address = target
    if not address:
        return f"{domain} has no address"
    try:
        return probes.http.get(domain, address, service.path)
    except ProbeFailed as error:
        return str(error)
