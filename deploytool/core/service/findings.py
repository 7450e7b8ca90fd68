"""What a check found, and what is wrong with it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploytool.core.ports import DnsAnswer, HttpAnswer
from deploytool.core.service.service import Service

Failure = str


@dataclass(frozen=True)
class Findings:
    """One look at a service from everywhere: an answer, or why there was none. Name servers and
    resolvers by name.

    `served` is what `https://<domain>/v1` answered at the address that the name servers give;
    `regions` each region's own endpoint.
    """

    name_servers: Mapping[str, DnsAnswer | Failure]
    resolvers: Mapping[str, DnsAnswer | Failure]
    served: HttpAnswer | Failure
    regions: Mapping[str, HttpAnswer | Failure]

    @property
    def served_by(self) -> str | None:
        """The region that says it served, None when none did."""
        return self.served.region if isinstance(self.served, HttpAnswer) else None

    @property
    def version(self) -> str | None:
        """The version of the function that served."""
        return self.served.version if isinstance(self.served, HttpAnswer) else None


def problems(findings: Findings, service: Service) -> list[str]:
    """What is wrong, in words; empty when all is well."""
    found = []
    answers = {**findings.name_servers, **findings.resolvers}
    found += [
        f"{name}: {answer}" for name, answer in answers.items() if isinstance(answer, Failure)
    ]
    found += [
        f"{name} has no address for {service.domain} ({answer.rcode})"
        for name, answer in answers.items()
        if isinstance(answer, DnsAnswer) and not answer.addresses
    ]
    found += _served(findings.served, f"https://{service.domain}{service.path}", None)
    for region, answer in findings.regions.items():
        found += _served(
            answer, f"https://{service.regional_domains[region]}{service.path}", region
        )
    if findings.served_by not in (None, service.primary):
        found.append(
            f"{findings.served_by} serves, and not the primary, {service.primary}: the service has failed over"
        )
    return found + _stale(findings)


def _served(answer: HttpAnswer | Failure, url: str, region: str | None) -> list[str]:
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


def _stale(findings: Findings) -> list[str]:
    """Resolvers that hold an answer which no name server gives any more."""
    current = {
        each
        for answer in findings.name_servers.values()
        if isinstance(answer, DnsAnswer)
        for each in answer.addresses
    }
    return [
        f"{name} still holds an older answer, for up to {answer.ttl} s"
        for name, answer in findings.resolvers.items()
        if isinstance(answer, DnsAnswer)
        and answer.addresses
        and current
        and not current.intersection(answer.addresses)
    ]
