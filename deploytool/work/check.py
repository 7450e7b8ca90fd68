"""One look at a deployed service from everywhere: its name servers, resolvers, its domain, each
region's own endpoint.
"""

from collections.abc import Sequence

from deploytool.core.drill.ports import Environment
from deploytool.core.errors import ProbeFailed
from deploytool.core.ports import DnsAnswer, HttpAnswer, Nameserver
from deploytool.core.service.findings import Failure, Findings, problems
from deploytool.core.service.service import Service

LOOK_EVERY = 5.0  # seconds between two looks


def check(environment: Environment, service: Service) -> Findings:
    """Ask everyone once. Whoever does not answer is a finding, not an error."""
    servers = environment.hosted_zones.name_servers(service.hosted_zone_id)
    name_servers = {each.name: _ask(environment, each, service.domain) for each in servers}
    resolvers = {
        each.name: _ask(environment, each, service.domain) for each in environment.resolvers
    }
    regions = {
        region: _call(environment, service, name, _addresses([_ask(environment, servers[0], name)]))
        for region, name in service.regional_domains.items()
    }
    served = _call(
        environment,
        service,
        service.domain,
        _addresses([*name_servers.values(), *resolvers.values()]),
    )
    return Findings(name_servers, resolvers, served, regions)


def wait_until_good(environment: Environment, service: Service, seconds: float) -> list[str]:
    """Look again until nothing is wrong or `seconds` of the target's clock have passed; what is
    still wrong then.
    """
    deadline = environment.clock.now() + seconds
    while wrong := problems(check(environment, service), service):
        if environment.clock.now() >= deadline:
            break
        environment.clock.sleep(LOOK_EVERY)
    return wrong


def _addresses(answers: Sequence[DnsAnswer | Failure]) -> tuple[str, ...]:
    """The addresses of the first answer that has some."""
    return next(
        (each.addresses for each in answers if isinstance(each, DnsAnswer) and each.addresses), ()
    )


def _ask(environment: Environment, server: Nameserver, name: str) -> DnsAnswer | Failure:
    try:
        return environment.dns.query(server, name)
    except ProbeFailed as error:
        return str(error)


def _call(
    environment: Environment, service: Service, domain: str, addresses: tuple[str, ...]
) -> HttpAnswer | Failure:
    if not addresses:
        return f"{domain} has no address"
    try:
        return environment.http.get(domain, addresses[0], service.path)
    except ProbeFailed as error:
        return str(error)
