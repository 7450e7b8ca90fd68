"""The findings of a check as JSON, as text, and as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, assert_never

from deploytool.core.ports import DnsAnswer, HttpAnswer
from deploytool.core.service.findings import Failure, Findings
from deploytool.core.service.service import Service
from deploytool.render.markdown import table, text
from deploytool.render.marks import ATTENTION, BAD, GOOD
from deploytool.render.text import escape
from deploytool.work.failover.readiness import Readiness

NAME_WIDTH = 32  # columns of a name server, a resolver or an address

Answer = DnsAnswer | HttpAnswer | Failure


def check_document(findings: Findings, problems: Sequence[str], service: Service) -> dict[str, Any]:
    """Return the findings.

    `served_by` and `version` are those of the domain, and `directed_to` is the region to which DNS
    sends clients, null when that is not known. `summary` says in words who serves. Every answer is
    a document of its own, or has its `failure`. `problems` are sentences.
    """
    return {
        "domain": service.domain,
        "url": _url(service, service.domain),
        "summary": serving_text(findings, service),
        "served_by": findings.served_by,
        "directed_to": findings.directed_to,
        "version": findings.version,
        "name_servers": _documents(findings.name_servers),
        "resolvers": _documents(findings.resolvers),
        "served": _document(findings.served),
        "regions": _documents(findings.regions),
        "problems": list(problems),
    }


def check_lines(findings: Findings, service: Service) -> Iterator[str]:
    """Yield who serves, then a line for each answer, with rich's markup."""
    yield serving_line(findings, service)
    for name, answer in findings.name_servers.items():
        yield _line(name, answer)
    for name, answer in findings.resolvers.items():
        yield _line(name, answer)
    yield _line(_url(service, service.domain), findings.served)
    for region, served in findings.regions.items():
        yield _line(service.regional_domains[region], served)


def serving_text(findings: Findings, service: Service) -> str:
    """Return in words which region serves, or why none does."""
    url = _url(service, service.domain)
    region = findings.served_by
    if region == service.primary:
        return f"{region} serves {url}"
    if region is not None:
        return f"{region} serves {url} (failed over from {service.primary})"

    if not findings.addresses:
        return f"no region serves {url}: it has no address"
    answer = "does not answer"
    if isinstance(findings.served, HttpAnswer):
        answer = f"answers {findings.served.status} from no region"
    if findings.directed_to is None:
        return f"no region serves {url}: it {answer}"
    return f"no region serves {url}: DNS sends clients to {findings.directed_to}, which {answer}"


def serving_line(findings: Findings, service: Service) -> str:
    """Return the same as a line with rich's markup and a mark."""
    match findings.served_by:
        case service.primary:
            mark = GOOD
        case None:
            mark = BAD
        case _:
            mark = ATTENTION
    return f"{mark.markup} [bold]{escape(serving_text(findings, service))}[/]"


def readiness_lines(readiness: Readiness) -> Iterator[str]:
    """Yield whether a failover can happen, and why not, with rich's markup."""
    if readiness.unknown:
        unknown = escape(readiness.unknown)
        yield f"{ATTENTION.markup} whether a failover can happen is not known: {unknown}"
    elif readiness.reasons:
        for reason in readiness.reasons:
            yield f"{BAD.markup} no failover can happen: {escape(reason)}"
    else:
        yield f"{GOOD.markup} a failover can happen: the health checks and records are as deployed"


def check_markdown(findings: Findings, problems: Sequence[str], service: Service) -> str:
    """Return the answers of the domain and of each region, for a step summary."""
    rows = [(_url(service, service.domain), text(_answer_text(findings.served)))]
    for region, served in findings.regions.items():
        url = _url(service, service.regional_domains[region])
        rows.append((url, text(_answer_text(served))))

    lines = [
        f"### Check {text(service.project)}, stage {text(service.stage)}\n",
        f"{text(serving_text(findings, service))}\n",
        *table(("address", "answer"), rows),
    ]
    lines += [f"- **{text(problem)}**" for problem in problems]
    return "\n".join(lines) + "\n"


def _url(service: Service, domain: str) -> str:
    return f"https://{domain}{service.path}"


def _line(name: str, answer: Answer) -> str:
    mark = GOOD if _is_good(answer) else BAD
    return f"{mark.markup} {escape(name):{NAME_WIDTH}} {escape(_answer_text(answer))}"


def _is_good(answer: Answer) -> bool:
    match answer:
        case DnsAnswer():
            return bool(answer.addresses)
        case HttpAnswer():
            # An answer without the header of a region is not from our function
            return answer.status == 200 and answer.region is not None
        case str():
            return False
        case _:
            assert_never(answer)


def _answer_text(answer: Answer) -> str:
    match answer:
        case DnsAnswer():
            result = ", ".join(answer.addresses) or answer.rcode
            # An answer without records has no TTL
            if answer.ttl is None:
                return result
            return f"{result}  (TTL {answer.ttl} s)"
        case HttpAnswer():
            parts = [f"{answer.status} from {answer.region or 'no region'}"]
            if answer.version:
                parts.append(f"version {answer.version}")
            parts.append(f"{answer.seconds * 1000:.0f} ms")
            return ", ".join(parts)
        case str():
            return answer
        case _:
            assert_never(answer)


def _documents(answers: Mapping[str, Answer]) -> dict[str, dict[str, Any]]:
    return {name: _document(answer) for name, answer in answers.items()}


def _document(answer: Answer) -> dict[str, Any]:
    match answer:
        case DnsAnswer() | HttpAnswer():
            return asdict(answer)
        case str():
            return {"failure": answer}
        case _:
            assert_never(answer)
