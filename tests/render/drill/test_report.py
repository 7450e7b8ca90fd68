"""A drill's reports from one record: each form's text is as its golden file says, and nothing
foreign gets out of its place.
"""

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from deploytool.core.drill.history import Event, FaultRestored
from deploytool.core.drill.judge import Check, Verdict, judge
from deploytool.core.project.drill_settings import Objectives
from deploytool.render.drill.result import drill_document
from deploytool.render.report.comparison import compared, comparison_document, comparison_lines
from deploytool.render.report.junit import junit_xml
from deploytool.render.report.lanes import lanes
from deploytool.render.report.markdown import markdown
from deploytool.render.report.page import page

History = Callable[..., list[Event]]
Golden = Callable[[str, str], None]


def test_markdown(history: History, golden: Golden) -> None:
    """Verdict, durations, requests, latency, who served, timeline."""
    golden("drill.md", markdown(judge(history(failing=True))))


def test_junit(history: History, golden: Golden) -> None:
    """A testcase a check; the durations are the testcases' times."""
    golden("junit.xml", junit_xml(judge(history())))


def test_a_comparison(history: History, golden: Golden, plain: Callable[..., str]) -> None:
    """Each measure of both, and the second less the first."""
    first, second = judge(history()), judge(history(failing=True))
    golden("comparison.txt", plain(*comparison_lines(first, second, compared(first, second))))
    document = comparison_document(
        drill_document(first), drill_document(second), compared(first, second)
    )
    assert document["differences"]["requests.failed"] == {"first": 0, "second": 3, "difference": 3}
    assert document["second"]["requests"]["failed"] == 3


# The Jenkins xUnit plugin's schema (junit-10.xsd): the attributes and the children of each element
# that we write
SHAPE = {
    "testsuites": (set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"},
        {"properties", "testcase"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time"}, {"failure", "skipped"}),
    "failure": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()),
}


@pytest.mark.parametrize("until", [10.0, 60.0, 90.0, 1_000.0])
def test_junit_has_the_shape_that_jenkins_reads(history: History, until: float) -> None:
    """Wherever the drill was killed: known elements and attributes only, and counts that are
    right.
    """
    root = ET.fromstring(junit_xml(judge(history(until=until))))
    for element in root.iter():
        attributes, children = SHAPE[element.tag]
        assert set(element.keys()) <= attributes
        assert {child.tag for child in element} <= children
    suite = root[0]
    assert int(suite.get("tests", "")) == len(suite.findall("testcase")) == len(Check)
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))


def test_junit_tells_which_check_failed(history: History) -> None:
    """An objective that was missed, a fault left in place, and what a killed drill did not come
    to.
    """
    events = history()
    missed = [replace(events[0], objectives=Objectives(rto_seconds=10.0)), *events[1:]]
    assert _failed(missed) == {"objectives": "failure"}
    left = [
        replace(each, verified=False) if isinstance(each, FaultRestored) else each
        for each in events
    ]
    assert _failed(left) == {"restored": "failure"}
    killed = _failed(history(until=40.0))
    assert killed == {
        "history": "skipped",
        "failover": "failure",
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
    assert judged.reasons == tuple(each.reason for each in judged.findings)
    assert judged.verdict is Verdict.FAIL


def test_nothing_foreign_gets_out_of_its_place(history: History) -> None:
    """A name with markup in it is shown as it is: in the page, in its picture, in Markdown's
    cells.
    """
    nasty = "<script>alert('|')</script>"
    events = history()
    events = [
        replace(each, lane=f"resolver:{nasty}")
        if getattr(each, "lane", "") == "resolver:resolver"
        else each
        for each in events
    ]
    events[0] = replace(events[0], domain=nasty)
    judged = judge(events)
    html = page(judged)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<script" not in markdown(judged)
    assert "('|')" not in markdown(judged)
    ET.fromstring(junit_xml(judged))


@pytest.mark.parametrize("until", [1.0, 10.0, 40.0, 90.0])
def test_a_killed_drill_has_a_page(history: History, until: float) -> None:
    """Nothing observed yet, before the injection, in the failover, in the failback."""
    events = history(until=until)
    html = page(judge(events))
    ET.fromstring(
        html[
            html.index('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1160') : html.rindex(
                "</svg>"
            )
            + 6
        ]
    )


def test_the_page_shows_every_lane(history: History) -> None:
    """Each observer has a row in the picture, and rows in the table of the same data."""
    events = history(failing=True)
    judged = judge(events)
    html = page(judged)
    found = lanes(judged.history)
    assert [lane.name for lane in found.answering()] == [
        "name-server:ns-1", "name-server:ns-2", "resolver:resolver", "client:fresh", "client:kept-connection",
        "region:us-east-1", "region:us-west-2",
    ]  # fmt: skip
    for lane in found.answering():
        assert f"<td>{lane.name}</td>" in html
    assert "fresh: failed, timeout, from 30.5 to 33.5 s (3 probes)" in html
    assert found.healthy == ((2.9, 2, 2),)
