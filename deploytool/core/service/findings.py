"""The findings of a check, and the problems in them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploytool.core.ports import DnsAnswer, HttpAnswer
from deploytool.core.service.service import Service

Failure = str


@dataclass(frozen=True)
class Findings:
    """The answers of one check. A Failure tells why there was no answer.

    `name_servers` and `resolvers` are by name, `regions` holds each region's own endpoint. `served`
    is the answer of `https://<domain><path>` at the address that the name servers give.
    """

    name_servers: Mapping[str, DnsAnswer | Failure]
    resolvers: Mapping[str, DnsAnswer | Failure]
    served: HttpAnswer | Failure
    regions: Mapping[str, HttpAnswer | Failure]

    @property
    def served_by(self) -> str | None:
        """The region in the header of the answer; None when there was no answer or no header."""
        return self.served.region if isinstance(self.served, HttpAnswer) else None

    @property
    def version(self) -> str | None:
        """The version of the function that served."""
        return self.served.version if isinstance(self.served, HttpAnswer) else None


def problems(findings: Findings, service: Service) -> list[str]:
    """Return the problems as text; empty when there are none."""
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
    """Return the resolvers that have an answer which no name server gives any more."""
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
