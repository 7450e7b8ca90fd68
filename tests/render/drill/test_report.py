"""The reports of a drill: each one is as in its golden file, and escapes text from outside."""

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from deploytool.core.drill.checkers import Check, Verdict
from deploytool.core.drill.history import (
    DnsAnswered,
    DrillAborted,
    Event,
    FaultRestored,
    HealthSeen,
    Served,
)
from deploytool.core.drill.judge import Judgement, judge
from deploytool.core.drill.scenario import Scenario
from deploytool.core.project.drill_settings import Objectives
from deploytool.render.drill.result import drill_document, drill_lines
from deploytool.render.report.comparison import comparison_document, comparison_lines
from deploytool.render.report.junit import junit_xml
from deploytool.render.report.lanes import CheckerCount, lanes
from deploytool.render.report.markdown import markdown
from deploytool.render.report.page import page

History = Callable[..., list[Event]]
Golden = Callable[[str, str], None]


def test_markdown(history: History, golden: Golden) -> None:
    """The report has the verdict, the durations, the requests, the latency and the timeline."""
    golden("drill.md", markdown(judge(history(failing=True))))


def test_junit(history: History, golden: Golden) -> None:
    """Each check is a testcase, and its time is the duration of its movement."""
    golden("junit.xml", junit_xml(judge(history())))


def test_a_comparison(history: History, golden: Golden, plain: Callable[..., str]) -> None:
    """The comparison has each measure of both drills, and the second value minus the first."""
    first, second = judge(history()), judge(history(failing=True))
    golden("comparison.txt", plain(*comparison_lines(first, second)))
    document = comparison_document(first, second)
    assert document["differences"]["requests.failed"] == {"first": 0, "second": 3, "difference": 3}
    assert document["second"]["requests"]["failed"] == 3


# The Jenkins xUnit plugin's schema (junit-10.xsd): the attributes and the children of each element
# that we write
SHAPE = {
    "testsuites": (set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"},
        {"properties", "testcase", "system-out"},
    ),
    "system-out": (set(), set()),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time"}, {"failure", "skipped"}),
    "failure": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()),
}


@pytest.mark.parametrize("until", [10.0, 60.0, 90.0, 1_000.0])
def test_junit_has_the_shape_that_jenkins_reads(history: History, until: float) -> None:
    """Wherever the drill was killed, the XML follows the schema and its counts are right."""
    root = ET.fromstring(junit_xml(judge(history(until=until))))
    for element in root.iter():
        attributes, children = SHAPE[element.tag]
        assert set(element.keys()) <= attributes
        assert {child.tag for child in element} <= children
    suite = root[0]
    assert int(suite.get("tests", "")) == len(suite.findall("testcase")) == len(Check)
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))


def test_notes_are_in_every_report(history: History, plain: Callable[..., str]) -> None:
    """What decides nothing is told all the same, and does not change the verdict."""
    flaky = [_with_a_flaky_checker(event) for event in history()]
    judgement = judge(flaky)
    assert judgement.verdict is Verdict.PASS
    note = "1 of 2 health checkers had found the endpoint unhealthy"

    assert note in judgement.notes[0]
    assert note in drill_document(judgement)["notes"][0]
    assert f"! when the fault was injected, {note}" in plain(*drill_lines(judgement))
    assert f"- ! when the fault was injected, {note}" in markdown(judgement)
    assert note in page(judgement)
    root = ET.fromstring(junit_xml(judgement))
    assert note in str(root[0].findtext("system-out"))
    assert root[0].get("failures") == "0"


def _with_a_flaky_checker(event: Event) -> Event:
    if not isinstance(event, HealthSeen):
        return event
    first, *others = event.checkers
    return replace(event, checkers=(replace(first, healthy=False), *others))


def test_junit_tells_which_check_failed(history: History) -> None:
    """A missed objective and a fault left in place fail; what a killed drill missed is skipped."""
    events = history()
    missed = [replace(events[0], objectives=Objectives(rto_seconds=10.0)), *events[1:]]
    assert _failed(missed) == {"objectives": "failure"}
    left = [
        replace(event, verified=False) if isinstance(event, FaultRestored) else event
        for event in events
    ]
    assert _failed(left) == {"restored": "failure"}
    killed = _failed(history(until=40.0))
    assert killed == {
        "history": "skipped",
        "failover": "skipped",
        "failback": "skipped",
        "objectives": "skipped",
        "restored": "failure",
    }


def _failed(events: list[Event]) -> dict[str, str]:
    cases = ET.fromstring(junit_xml(judge(events))).iter("testcase")
    return {case.get("name", ""): case[0].tag for case in cases if len(case)}


def test_every_finding_belongs_to_a_check(history: History) -> None:
    """The reasons are those of the findings, and the verdict is the worst of them."""
    judged = judge(history(until=40.0))
    assert judged.reasons == tuple(finding.reason for finding in judged.findings)
    assert judged.verdict is Verdict.FAIL


HOSTILE = "<script>alert('|\"&amp;\x07')</script>"


@pytest.fixture
def hostile(history: History) -> Judgement:
    """A drill whose domain, lanes, failures, fault and abort reason are HTML, and break tables."""
    events: list[Event] = []
    for event in history(failing=True):
        match event:
            case Served(failure="timeout"):
                events.append(replace(event, failure=HOSTILE))
            case DnsAnswered(lane="resolver:resolver"):
                events.append(replace(event, lane=f"resolver:{HOSTILE}"))
            case DnsAnswered(lane="name-server:ns-1"):
                events.append(replace(event, addresses=(HOSTILE,)))
            case _:
                events.append(event)
    scenario = replace(Scenario(), fault=HOSTILE)
    events[0] = replace(events[0], domain=HOSTILE, stage=HOSTILE, scenario=scenario)
    events.append(DrillAborted(200.0, HOSTILE))
    return judge(events)


def test_hostile_text_is_escaped_in_the_page(hostile: Judgement) -> None:
    """Every text of the page is escaped: in the table, in the picture, and in its tooltips."""
    html = page(hostile)
    assert "<script" not in html
    escaped = "&lt;script&gt;alert(&#39;|&#34;&amp;amp;"
    assert f"failed: {escaped}" in html
    assert f"<h1>Failover drill of {escaped}" in html
    assert f"<title>fresh: failed, {escaped}" in html
    assert 'class="end">&lt;script&gt;' in html


def test_hostile_text_is_escaped_in_markdown(hostile: Judgement) -> None:
    """Text from outside is no HTML, and every row of a table keeps its number of cells."""
    text = markdown(hostile)
    assert "<script" not in text
    assert "('|" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {3, 5}


def test_hostile_text_is_escaped_in_junit(hostile: Judgement) -> None:
    """The XML can be parsed, and a parser gets the text back without its control characters."""
    suite = ET.fromstring(junit_xml(hostile))[0]
    assert suite.get("hostname") == HOSTILE.replace("\x07", "")


@pytest.mark.parametrize("until", [1.0, 10.0, 40.0, 90.0])
def test_a_killed_drill_has_a_page(history: History, until: float) -> None:
    """The page is complete when the drill was killed at once, or in any of its phases."""
    html = page(judge(history(until=until)))
    start = html.index('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1160')
    end = html.rindex("</svg>") + len("</svg>")
    ET.fromstring(html[start:end])


def test_the_page_shows_every_lane(history: History) -> None:
    """Each observer has a row in the picture, and rows in the table of the same data."""
    events = history(failing=True)
    judged = judge(events)
    html = page(judged)
    observed = lanes(judged.history)
    assert [lane.name for lane in observed.answering()] == [
        "name-server:ns-1", "name-server:ns-2", "resolver:resolver", "client:fresh", "client:kept-connection",
        "region:us-east-1", "region:us-west-2",
    ]  # fmt: skip
    for lane in observed.answering():
        assert f"<td>{lane.name}</td>" in html
    assert "fresh: failed, timeout, from 30.5 to 33.5 s (3 probes)" in html
    assert observed.healthy == (CheckerCount(2.9, 2, 2),)
