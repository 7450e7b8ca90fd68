"""The findings of a check in every output."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from deploytool.core.ports import DnsAnswer, HttpAnswer
from deploytool.core.service.findings import Findings
from deploytool.core.service.service import Service
from deploytool.render.check import check_document, check_lines, check_markdown

EAST, WEST = "us-east-1", "us-west-2"
SERVICE = Service(
    project="hello",
    stage="dev",
    domain="dev.example.com",
    path="/v1",
    primary=EAST,
    secondary=WEST,
    regional_domains={EAST: "east.example.com", WEST: "west.example.com"},
    hosted_zone_id="Z1",
    health_check_id="check",
)
HOSTILE = "<b>reset | [by] peer</b>"


@pytest.fixture
def findings() -> Findings:
    """The primary serves; one name server does not know the name; the secondary is down."""
    served = HttpAnswer(200, EAST, "abc", None, 0.05)
    return Findings(
        name_servers={
            "ns-1": DnsAnswer("NOERROR", ("192.0.2.1",), 60),
            "ns-2": DnsAnswer("NXDOMAIN", (), None),
        },
        resolvers={"resolver": DnsAnswer("NOERROR", ("192.0.2.1",), 30)},
        served=served,
        regions={EAST: served, WEST: HOSTILE},
    )


def test_each_answer_is_a_line(findings: Findings, plain: Callable[..., str]) -> None:
    """A mark tells whether the answer is good, and a failure is shown as it is."""
    _, *lines = plain(*check_lines(findings, SERVICE)).splitlines()
    assert [line.split(maxsplit=2) for line in lines] == [
        ["✓", "ns-1", "192.0.2.1  (TTL 60 s)"],
        ["✗", "ns-2", "NXDOMAIN"],
        ["✓", "resolver", "192.0.2.1  (TTL 30 s)"],
        ["✓", "https://dev.example.com/v1", "200 from us-east-1, version abc, 50 ms"],
        ["✓", "east.example.com", "200 from us-east-1, version abc, 50 ms"],
        ["✗", "west.example.com", HOSTILE],
    ]


def served_findings(served: HttpAnswer | str, address: str = "192.0.2.1") -> Findings:
    """The findings of a service whose domain has this answer, at this address."""
    return Findings(
        name_servers={"ns-1": DnsAnswer("NOERROR", (address,) if address else (), 60)},
        resolvers={},
        served=served,
        regions={},
        regional_addresses={EAST: ("192.0.2.1",), WEST: ("192.0.2.2",)},
    )


@pytest.mark.parametrize(
    ("findings", "first_line"),
    [
        (
            served_findings(HttpAnswer(200, EAST, "abc", None, 0.05)),
            "✓ us-east-1 serves https://dev.example.com/v1",
        ),
        (
            served_findings(HttpAnswer(200, WEST, "abc", None, 0.05), "192.0.2.2"),
            "! us-west-2 serves https://dev.example.com/v1 (failed over from us-east-1)",
        ),
        (
            served_findings(HttpAnswer(503, None, None, None, 0.05)),
            "✗ no region serves https://dev.example.com/v1: DNS sends clients to us-east-1, which answers 503 from no region",
        ),
        (
            served_findings("timeout", "192.0.2.2"),
            "✗ no region serves https://dev.example.com/v1: DNS sends clients to us-west-2, which does not answer",
        ),
        (
            served_findings("dev.example.com has no address", ""),
            "✗ no region serves https://dev.example.com/v1: it has no address",
        ),
        (
            served_findings(HOSTILE, "192.0.2.9"),
            "✗ no region serves https://dev.example.com/v1: it does not answer",
        ),
    ],
)
def test_the_first_line_says_who_serves(
    findings: Findings, first_line: str, plain: Callable[..., str]
) -> None:
    """In words, also when no region does; then it says where DNS sends clients, if that is known."""
    assert plain(*check_lines(findings, SERVICE)).splitlines()[0] == first_line


def test_an_answer_without_our_headers_is_bad(
    findings: Findings, plain: Callable[..., str]
) -> None:
    """Something else than the function answered, so no region and no version is known."""
    other = replace(findings, served=HttpAnswer(200, None, None, None, 0.05))
    assert "✗ https://dev.example.com/v1       200 from no region, 50 ms\n" in plain(
        *check_lines(other, SERVICE)
    )


def test_the_document_has_each_answer_or_its_failure(findings: Findings) -> None:
    """Programs read the failure of an observer where its answer would be."""
    document = check_document(findings, ["one problem"], SERVICE)
    assert document["url"] == "https://dev.example.com/v1"
    assert document["served_by"] == EAST
    assert document["name_servers"]["ns-1"]["addresses"] == ("192.0.2.1",)
    assert document["regions"][WEST] == {"failure": HOSTILE}
    assert document["problems"] == ["one problem"]


def test_hostile_text_is_escaped_in_markdown(findings: Findings) -> None:
    """A failure and a problem are no HTML, and every row keeps its two cells."""
    text = check_markdown(findings, [HOSTILE], SERVICE)
    assert "<b>" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {3}
