"""The findings of a check, and the problems in them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from deploytool.core.ports import DnsAnswer, HttpAnswer, Nameserver
from deploytool.core.service.service import Service

Failure = str


@dataclass(frozen=True)
class ZoneServers:
    """The name servers of the zone that holds a domain.

    `zone` is the name of the zone, "" when none was found. `failures` tell why a name server cannot
    be asked; without a zone, they tell what each resolver answered.
    """

    zone: str = ""
    servers: tuple[Nameserver, ...] = ()
    failures: Mapping[str, Failure] = field(default_factory=dict)


@dataclass(frozen=True)
class Findings:
    """The answers of one check. A Failure tells why there was no answer.

    `name_servers` and `resolvers` are by name, `regions` holds each region's own endpoint. `served`
    is the answer of `https://<domain><path>` at the address that the name servers give.
    `regional_addresses` are those of each region's own endpoint. `through_resolvers` has, for each
    resolver with other addresses than the name servers, the answer at the first of these. `no_zone`
    says why no name server was found; it is empty when one was, and when none is asked.
    """

    name_servers: Mapping[str, DnsAnswer | Failure]
    resolvers: Mapping[str, DnsAnswer | Failure]
    served: HttpAnswer | Failure
    regions: Mapping[str, HttpAnswer | Failure]
    regional_addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    no_zone: str = ""
    through_resolvers: Mapping[str, HttpAnswer | Failure] = field(default_factory=dict)

    @property
    def served_by(self) -> str | None:
        """The region in the header of the answer; None when there was no answer or no header."""
        return self.served.region if isinstance(self.served, HttpAnswer) else None

    @property
    def version(self) -> str | None:
        """The version of the function that served."""
        return self.served.version if isinstance(self.served, HttpAnswer) else None

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of the domain, of the first server that has any; () when it has none."""
        # The name servers come first: a resolver may still have an older answer.
        return first_addresses([*self.name_servers.values(), *self.resolvers.values()])

    @property
    def directed_to(self) -> str | None:
        """The region to which DNS sends clients, None when the addresses do not tell.

        API Gateway has more addresses than one answer has, so a region's own endpoint may answer
        with others than the domain does.
        """
        addresses = set(self.addresses)
        regions = [
            region
            for region, regional in self.regional_addresses.items()
            if not addresses.isdisjoint(regional)
        ]
        return regions[0] if len(regions) == 1 else None


def first_addresses(answers: Iterable[DnsAnswer | Failure]) -> tuple[str, ...]:
    """Return the addresses of the first answer that has any."""
    for answer in answers:
        if isinstance(answer, DnsAnswer) and answer.addresses:
            return answer.addresses
    return ()


def has_no_address(findings: Findings) -> bool:
    """Return whether a server answered for the domain, and none knows an address of it."""
    answers = [*findings.name_servers.values(), *findings.resolvers.values()]
    answered = any(isinstance(answer, DnsAnswer) for answer in answers)
    return answered and not findings.addresses


def problems(findings: Findings, service: Service) -> list[str]:
    """Return the problems as text; empty when there are none."""
    return [
        *_dns_failures(findings, service),
        *_http_problems(findings, service),
        *_failed_over(findings, service),
        *_stale_resolvers(findings),
    ]


def _dns_failures(findings: Findings, service: Service) -> list[str]:
    problems: list[str] = []
    if findings.no_zone:
        problems.append(f"no name server of {service.domain} was found: {findings.no_zone}")
    for name, answer in {**findings.name_servers, **findings.resolvers}.items():
        if isinstance(answer, Failure):
            problems.append(f"{name}: {answer}")
        elif not answer.addresses:
            problems.append(f"{name} has no address for {service.domain} ({answer.rcode})")
    return problems


def _http_problems(findings: Findings, service: Service) -> list[str]:
    problems: list[str] = []
    # Any region may serve the domain itself.
    url = f"https://{service.domain}{service.path}"
    problems += _http_problem(findings.served, url, region=None)

    for region, answer in findings.regions.items():
        url = f"https://{service.regional_domains[region]}{service.path}"
        problems += _http_problem(answer, url, region)
    return problems


def _http_problem(answer: HttpAnswer | Failure, url: str, region: str | None) -> list[str]:
    """Return the problem of an answer that `region` must serve; None: any region may."""
    if isinstance(answer, Failure):
        return [f"{url}: {answer}"]
    if not 200 <= answer.status < 300:
        return [f"{url} answers {answer.status}"]
    if answer.region is None:
        return [
            f"{url} does not say which region served: its answer has no x-served-by-region header"
        ]
    if region is not None and answer.region != region:
        return [f"{url} is served by {answer.region}"]
    return []


def _failed_over(findings: Findings, service: Service) -> list[str]:
    region = findings.served_by
    if region is None or region == service.primary:
        return []
    return [f"{region} serves instead of the primary, {service.primary}: the service failed over"]


def _stale_resolvers(findings: Findings) -> list[str]:
    """Return the resolvers whose answer leads elsewhere than that of the name servers.

    Other addresses alone tell nothing: API Gateway has more than one answer holds. So the region
    that answers there decides.
    """
    problems: list[str] = []
    for name, reached in findings.through_resolvers.items():
        if isinstance(reached, HttpAnswer) and reached.region == findings.served_by:
            continue
        answer = findings.resolvers[name]
        if isinstance(answer, DnsAnswer):
            problems.append(f"{name} still has an older answer, for up to {answer.ttl} s")
    return problems


def differing_addresses(
    name_servers: Mapping[str, DnsAnswer | Failure], resolvers: Mapping[str, DnsAnswer | Failure]
) -> dict[str, str]:
    """Return the first address of each resolver that has none of the name servers' addresses.

    Without an answer of a name server, no resolver's answer can be called different.
    """
    current: set[str] = set()
    for answer in name_servers.values():
        if isinstance(answer, DnsAnswer):
            current.update(answer.addresses)
    if not current:
        return {}

    first: dict[str, str] = {}
    for name, answer in resolvers.items():
        addresses = answer.addresses if isinstance(answer, DnsAnswer) else ()
        if addresses and current.isdisjoint(addresses):
            first[name] = addresses[0]
    return first
