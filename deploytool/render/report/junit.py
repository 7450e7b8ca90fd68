"""JUnit XML: what a CI system shows of a drill as tests."""

from xml.etree import ElementTree as ET  # written only: nothing foreign is parsed

from deploytool.core.drill.judge import Check, Judgement, Verdict

NOT_MEASURED = "it was not measured: the drill ended before it"


def junit_xml(judgement: Judgement) -> str:
    """A testsuite with a testcase a check; a check without a result is skipped. Times in seconds of
    the target's clock.
    """
    started, timeline = judgement.started, judgement.timeline
    counts = {"tests": len(Check), "failures": 0, "errors": 0, "skipped": 0}
    took = {Check.FAILOVER: judgement.failover.client, Check.FAILBACK: judgement.failback.client}
    cases = []
    for check in Check:
        time = took.get(check) or 0.0
        case = ET.Element(
            "testcase",
            classname=f"drill.{started.stage}.{started.scenario.fault}",
            name=check,
            time=f"{time:.3f}",
        )
        verdict, message = _outcome(judgement, check)
        # XML has no place for control characters
        message = "".join(each for each in message if each.isprintable())
        match verdict:
            case Verdict.FAIL:
                counts["failures"] += 1
                ET.SubElement(case, "failure", type=str(verdict), message=message).text = message
            case Verdict.INCONCLUSIVE:
                counts["skipped"] += 1
                ET.SubElement(case, "skipped", type=str(verdict), message=message)
            case Verdict.PASS:
                pass
        cases.append(case)
    attributes = {
        "name": f"failover drill of {started.domain}",
        **{name: str(count) for name, count in counts.items()},
        "time": f"{timeline[-1].at - timeline[0].at:.3f}",
        "timestamp": started.wall_time[:19],
        "hostname": started.domain,
    }
    suite = ET.Element("testsuite", attributes)
    properties = ET.SubElement(suite, "properties")
    for name, value in {
        "verdict": judgement.verdict,
        "target": started.target,
        "deploytool": started.tool,
    }.items():
        ET.SubElement(properties, "property", name=name, value=value)
    suite.extend(cases)
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"
    )


def _outcome(judgement: Judgement, check: Check) -> tuple[Verdict, str]:
    """The worst that was found for a check. Findings come worst first."""
    found = [each for each in judgement.findings if each.check is check]
    if found:
        return found[0].verdict, "; ".join(each.reason for each in found)
    measured = {
        Check.FAILOVER: judgement.failover.client is not None,
        Check.FAILBACK: judgement.failback.client is not None,
        Check.OBJECTIVES: judgement.failover.client is not None,
    }
    return (Verdict.PASS, "") if measured.get(check, True) else (Verdict.INCONCLUSIVE, NOT_MEASURED)
