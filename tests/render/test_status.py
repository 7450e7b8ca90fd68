"""The status of a stage as lines."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from deploytool.core.drill.record import DrillRecord
from deploytool.core.failover.records import (
    Deployed,
    LastDrill,
    OutputsRecord,
    ServingChange,
    ServingRecord,
    SwitchRecord,
)
from deploytool.core.failover.standby import standby_record
from deploytool.core.ports import DnsAnswer, HttpAnswer
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.project.template import parse_template
from deploytool.core.route53.health import HealthCheck, HealthCheckConfig
from deploytool.core.service.findings import Findings
from deploytool.core.service.missing import Missing
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.render.status import outputs_document, outputs_notes, status_document, status_lines
from deploytool.simulated.example import SERVICE
from deploytool.work.overview import KnownOutputs, Overview

Plain = Callable[..., str]
Golden = Callable[[str, str], None]
TEMPLATE = parse_template("Resources: {A: {Type: 'AWS::Some::Thing'}}", "t.yaml")
NODE = Node(NodeId("api", "us-west-2"), "hello-dev-api", TEMPLATE, {}, {}, ())
GRAPH = Graph("hello", "dev", {}, {}, {})
CONFIG = HealthCheckConfig("HTTPS", request_interval=10, failure_threshold=3)
CHECK = HealthCheck("check", 1, CONFIG)
INVERTED = HealthCheck("check", 2, replace(CONFIG, inverted=True))
RECORD = DrillRecord(
    1, "d1", "throttle", "dev", "[me]@here", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", ()
)


EAST, WEST = "us-east-1", "us-west-2"
REFUSED = f"listing the stacks: the AWS API of {EAST} did not answer: [503]"
FAILED_OVER = Findings(
    name_servers={"ns-1": DnsAnswer("NOERROR", ("192.0.2.2",), 60)},
    resolvers={},
    served=HttpAnswer(200, WEST, "abc", None, 0.05),
    regions={},
    regional_addresses={WEST: ("192.0.2.2",)},
)
FULL = Overview(
    stacks={
        NodeId("api", WEST): Stack("api", "arn:api", StackStatus.UPDATE_COMPLETE, {}),
        NodeId("switch", WEST): None,
    },
    drill=RECORD,
    standby=standby_record(
        SERVICE,
        {},
        (),
        Deployed("2026-11-25T09:00:00+00:00", "ana@laptop", "0123456789abcdef0123", "1.2.0"),
    ),
    switch=SwitchRecord(
        1,
        True,
        "2026-11-25T12:01:30+00:00",
        "ana@laptop",
        "[us-east-1] answers every third request with 503, and nobody knows when it will be well",
        "command",
    ),
    serving=ServingRecord(
        1,
        "2026-11-25T12:34:00+00:00",
        (
            ServingChange("2026-11-20T08:00:00+00:00", EAST, "automatic"),
            ServingChange(
                "2026-11-25T12:02:00+00:00", WEST, "command", "ana@laptop", "us-east-1 is slow"
            ),
        ),
    ),
    last_drill=LastDrill(
        1,
        "drill-1",
        "throttle",
        "fail",
        "2026-11-24T10:00:00+00:00",
        ("the client was served by the secondary after 130 s, later than the objective of 120 s",),
    ),
    findings=FAILED_OVER,
    missing=(
        Missing(f"the stacks of {EAST}", EAST, f"not tried, because the API of {EAST} is down"),
        Missing("whether the health check is inverted", EAST, REFUSED),
    ),
)


@pytest.mark.parametrize("width", [80, 200])
def test_the_status_on_the_day(width: int, plain: Plain, golden: Golden) -> None:
    """Everything that the standby region keeps, and what is missing, at both widths."""
    text = plain(*status_lines(GRAPH, FULL, SERVICE, width))
    golden(f"status-{width}.txt", text)
    first, last = "  serving", "with deploytool 1.2.0\n"
    facts = text[text.index(first) : text.index(last) + len(last)]
    assert max(map(len, facts.splitlines())) <= width


def test_the_status_as_json(golden: Golden) -> None:
    """Every key is there. What is missing names its region and the reason."""
    graph = Graph("hello", "dev", dict.fromkeys(FULL.stacks, NODE), {}, {})
    text = json.dumps(status_document(graph, FULL, SERVICE), indent=2)
    golden("status.json", text + "\n")


def test_a_stage_of_which_nothing_is_kept(plain: Plain) -> None:
    """It was never deployed, or by an older version."""
    assert plain(*status_lines(GRAPH, Overview({}), SERVICE, 80)).strip() == ""
    document = status_document(GRAPH, Overview({}), SERVICE)
    kept = ("served_by", "serving", "switch", "last_drill", "deployed", "summary", "drill")
    assert [document[key] for key in kept] == [None] * len(kept)
    assert document["missing"] == []


def test_each_stack_is_a_line_with_its_status(plain: Plain) -> None:
    """A mark tells whether a stack can be updated, needs attention, or is not deployed."""
    done = Stack("a", "arn:a", StackStatus.CREATE_COMPLETE, {})
    stuck = Stack("b", "arn:b", StackStatus.UPDATE_ROLLBACK_FAILED, {})
    stacks = {
        NodeId("a", "us-east-1"): done,
        NodeId("b", "us-east-1"): stuck,
        NodeId("c", "us-east-1"): None,
    }
    lines = plain(*status_lines(GRAPH, Overview(stacks, CHECK), SERVICE, 80)).splitlines()
    assert [line.split() for line in lines] == [
        ["✓", "a@us-east-1", "CREATE_COMPLETE"],
        ["!", "b@us-east-1", "UPDATE_ROLLBACK_FAILED"],
        ["·", "c@us-east-1", "not", "deployed"],
    ]


def test_an_unfinished_drill_comes_first(plain: Plain) -> None:
    """Its fault, its holder as it is written, and the command that undoes the fault are named."""
    first, second = plain(
        *status_lines(GRAPH, Overview({}, INVERTED, RECORD), SERVICE, 80)
    ).splitlines()
    assert first.startswith("✗ A drill (throttle) is under way, or did not finish: started ")
    assert first.endswith(" by [me]@here.")
    assert "deploytool restore --stage dev" in second


def test_an_inverted_health_check_without_a_record_is_reported(plain: Plain) -> None:
    """It shows that a drill did not finish, even when its record is lost."""
    text = plain(*status_lines(GRAPH, Overview({}, INVERTED), SERVICE, 80))
    assert "the health check is inverted" in text
    assert "deploytool restore --stage dev" in text


def test_last_known_outputs_are_marked_as_such(plain: Plain) -> None:
    """The document has them as any others; the notes beside it say from when they are."""
    known = KnownOutputs(
        {NodeId("api", EAST): {"Id": "a"}, NodeId("api", WEST): {"Id": "b"}},
        OutputsRecord(1, EAST, "2026-11-25T09:00:00+00:00", {"api": {"Id": "a"}}, ("lambda",)),
        (Missing(f"the current outputs of {EAST}", EAST, REFUSED),),
    )
    assert outputs_document(known) == {"api": {EAST: {"Id": "a"}, WEST: {"Id": "b"}}}
    assert plain(*outputs_notes(known)).splitlines() == [
        "! The outputs of us-east-1 are those of the deployment of 2026-11-25 09:00:00 UTC.",
        "  They did not fit into the record of these stacks: lambda.",
        "! The API of us-east-1 does not answer. Not known:",
        "    the current outputs of us-east-1",
        f"  {REFUSED}",
    ]
