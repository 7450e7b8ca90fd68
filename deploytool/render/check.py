"""A check's findings as JSON and as text."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.markup import escape

from deploytool.core.ports import DnsAnswer, HttpAnswer
from deploytool.core.service.findings import Failure, Findings
from deploytool.core.service.service import Service
from deploytool.render.markdown import table, text


def check_document(findings: Findings, problems: Sequence[str], service: Service) -> dict[str, Any]:
    """The findings: `served_by` and `version` of the domain, each answer or its `failure`, and the
    `problems` in words.
    """
    return {
        "domain": service.domain,
        "url": f"https://{service.domain}{service.path}",
        "served_by": findings.served_by,
        "version": findings.version,
        "name_servers": {name: _answer(each) for name, each in findings.name_servers.items()},
        "resolvers": {name: _answer(each) for name, each in findings.resolvers.items()},
        "served": _answer(findings.served),
        "regions": {region: _answer(each) for region, each in findings.regions.items()},
        "problems": list(problems),
    }


def check_lines(findings: Findings, service: Service) -> Iterator[str]:
    """The findings, a line each."""
    for name, answer in {**findings.name_servers, **findings.resolvers}.items():
        yield f"{_mark(answer)} {escape(name):32} {escape(_said(answer))}"
    yield f"{_mark(findings.served)} {f'https://{service.domain}{service.path}':32} {escape(_said(findings.served))}"
    for region, served in findings.regions.items():
        yield f"{_mark(served)} {service.regional_domains[region]:32} {escape(_said(served))}"


def check_markdown(findings: Findings, problems: Sequence[str], service: Service) -> str:
    """Where the deployment serves, for a step summary."""
    urls = {f"https://{service.domain}{service.path}": findings.served}
    urls |= {
        f"https://{service.regional_domains[region]}{service.path}": each
        for region, each in findings.regions.items()
    }
    rows = ((url, text(_said(answer))) for url, answer in urls.items())
    wrong = (f"- **{text(problem)}**" for problem in problems)
    heading = f"### Check {text(service.project)}, stage {text(service.stage)}\n"
    return "\n".join([heading, *table(("where", "what answers"), rows), *wrong]) + "\n"


def _answer(answer: DnsAnswer | HttpAnswer | Failure) -> dict[str, Any]:
    return {"failure": answer} if isinstance(answer, Failure) else asdict(answer)


def _mark(answer: DnsAnswer | HttpAnswer | Failure) -> str:
    match answer:
        case DnsAnswer(addresses=(_, *_)) | HttpAnswer(status=200, region=str()):
            return "[green]✓[/]"
        case _:
            return "[red]✗[/]"


def _said(answer: DnsAnswer | HttpAnswer | Failure) -> str:
    match answer:
        case DnsAnswer():
            return f"{', '.join(answer.addresses) or answer.rcode}  (TTL {answer.ttl} s)"
        case HttpAnswer():
            return f"{answer.status} from {answer.region}, version {answer.version}, {answer.seconds * 1000:.0f} ms"
        case _:
            return answer
