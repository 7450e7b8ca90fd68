"""A drill's report as JUnit XML, which CI systems show as tests."""

from typing import assert_never
from xml.etree import ElementTree as ET  # written only: nothing foreign is parsed

from deploytool.core.drill.checkers import Check, Verdict
from deploytool.core.drill.judge import Judgement

NOT_MEASURED = "not measured: the drill ended before it"


def junit_xml(judgement: Judgement) -> str:
    """Return a testsuite with a testcase for each check; a check without a result is skipped.

    Times are in seconds of the target's clock.
    """
    cases = [_case(judgement, check) for check in Check]
    started = judgement.started
    timeline = judgement.timeline

    suites = ET.Element("testsuites")
    suite = ET.SubElement(
        suites,
        "testsuite",
        {
            "name": _printable(f"failover drill of {started.domain}"),
            "tests": str(len(cases)),
            "failures": str(_count(cases, "failure")),
            "errors": "0",
            "skipped": str(_count(cases, "skipped")),
            "time": f"{timeline[-1].at - timeline[0].at:.3f}",
            # The schema's timestamp has no time zone
            "timestamp": _printable(started.wall_time[:19]),
            "hostname": _printable(started.domain),
        },
    )
    properties = ET.SubElement(suite, "properties")
    values = {
        "verdict": str(judgement.verdict),
        "target": started.target,
        "deploytool": started.tool,
    }
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=_printable(value))
    suite.extend(cases)
    if judgement.notes:
        ET.SubElement(suite, "system-out").text = _printable("; ".join(judgement.notes))

    ET.indent(suites)
    declaration = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{declaration}\n{ET.tostring(suites, encoding='unicode')}\n"


def _case(judgement: Judgement, check: Check) -> ET.Element:
    """Return the testcase of a check. Its time is that of the client in the movement it judges."""
    durations = {
        Check.FAILOVER: judgement.failover.client,
        Check.FAILBACK: judgement.failback.client,
    }
    duration = durations.get(check) or 0.0
    started = judgement.started
    case = ET.Element(
        "testcase",
        classname=_printable(f"drill.{started.stage or started.domain}.{started.scenario.fault}"),
        name=check,
        time=f"{duration:.3f}",
    )

    verdict, reason = _outcome(judgement, check)
    message = _printable(reason)
    match verdict:
        case Verdict.FAIL:
            # Some CI systems show the attribute, others the text
            ET.SubElement(case, "failure", type=str(verdict), message=message).text = message
        case Verdict.INCONCLUSIVE:
            ET.SubElement(case, "skipped", type=str(verdict), message=message)
        case Verdict.PASS:
            pass
        case _:
            assert_never(verdict)
    return case


def _outcome(judgement: Judgement, check: Check) -> tuple[Verdict, str]:
    """Return the verdict of a check and the reasons for it."""
    findings = [finding for finding in judgement.findings if finding.check is check]
    if findings:
        # Findings are sorted by verdict, the worst first
        return findings[0].verdict, "; ".join(finding.reason for finding in findings)

    match check:
        case Check.FAILOVER | Check.OBJECTIVES:
            measured = judgement.failover.client is not None
        case Check.FAILBACK:
            measured = judgement.failback.client is not None
        case Check.HISTORY | Check.RESTORED:
            measured = True
        case _:
            assert_never(check)
    # A check without a finding passes only if the drill got as far as what it judges
    if measured:
        return Verdict.PASS, ""
    return Verdict.INCONCLUSIVE, NOT_MEASURED


def _count(cases: list[ET.Element], result: str) -> int:
    return sum(case.find(result) is not None for case in cases)


def _printable(value: str) -> str:
    """Drop control characters: XML cannot represent them."""
    return "".join(character for character in value if character.isprintable())
