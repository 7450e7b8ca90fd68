"""One look at a deployed service from everywhere: its name servers, resolvers, its domain, each
region's own endpoint.
"""

from collections.abc import Sequence

from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import DnsAnswer, HttpAnswer, Nameserver
from deploytool.core.service.findings import Failure, Findings, problems
from deploytool.core.service.ports import Probes
from deploytool.core.service.service import Service

LOOK_EVERY = 5.0  # seconds between two looks


def check(probes: Probes, service: Service) -> Findings:
    """Ask everyone once. Whoever does not answer is a finding, not an error."""
    servers = probes.hosted_zones.name_servers(service.hosted_zone_id)
    name_servers = {each.name: _ask(probes, each, service.domain) for each in servers}
    resolvers = {each.name: _ask(probes, each, service.domain) for each in probes.resolvers}
    regions = {
        region: _call(probes, service, name, _addresses([_ask(probes, servers[0], name)]))
        for region, name in service.regional_domains.items()
    }
    served = _call(
        probes,
        service,
        service.domain,
        _addresses([*name_servers.values(), *resolvers.values()]),
    )
    return Findings(name_servers, resolvers, served, regions)


def wait_until_good(probes: Probes, service: Service, seconds: float) -> list[str]:
    """Look again until nothing is wrong or `seconds` of the target's clock have passed; what is
    still wrong then.
    """
    deadline = probes.clock.now() + seconds
    while wrong := problems(check(probes, service), service):
        if probes.clock.now() >= deadline:
            break
        probes.clock.sleep(LOOK_EVERY)
    return wrong


def _addresses(answers: Sequence[DnsAnswer | Failure]) -> tuple[str, ...]:
    """The addresses of the first answer that has some."""
    return next(
        (each.addresses for each in answers if isinstance(each, DnsAnswer) and each.addresses), ()
    )


def _ask(probes: Probes, server: Nameserver, name: str) -> DnsAnswer | Failure:
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
