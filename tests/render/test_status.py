"""The status of a stage as lines."""

from collections.abc import Callable
from dataclasses import replace

from deploytool.core.drill.record import DrillRecord
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.route53.health import HealthCheck, HealthCheckConfig
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.render.status import status_lines

Plain = Callable[..., str]
GRAPH = Graph("hello", "dev", {}, {}, {})
CONFIG = HealthCheckConfig("HTTPS", request_interval=10, failure_threshold=3)
CHECK = HealthCheck("check", 1, CONFIG)
INVERTED = HealthCheck("check", 2, replace(CONFIG, inverted=True))
RECORD = DrillRecord(
    1, "d1", "throttle", "dev", "[me]@here", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", ()
)


def test_each_stack_is_a_line_with_its_status(plain: Plain) -> None:
    """A mark tells whether a stack can be updated, needs attention, or is not deployed."""
    done = Stack("a", "arn:a", StackStatus.CREATE_COMPLETE, {})
    stuck = Stack("b", "arn:b", StackStatus.UPDATE_ROLLBACK_FAILED, {})
    stacks = {
        NodeId("a", "us-east-1"): done,
        NodeId("b", "us-east-1"): stuck,
        NodeId("c", "us-east-1"): None,
    }
    lines = plain(*status_lines(GRAPH, stacks, CHECK, None)).splitlines()
    assert [line.split() for line in lines] == [
        ["✓", "a@us-east-1", "CREATE_COMPLETE"],
        ["!", "b@us-east-1", "UPDATE_ROLLBACK_FAILED"],
        ["·", "c@us-east-1", "not", "deployed"],
    ]


def test_an_unfinished_drill_comes_first(plain: Plain) -> None:
    """Its fault, its holder as it is written, and the command that undoes the fault are named."""
    first, second = plain(*status_lines(GRAPH, {}, INVERTED, RECORD)).splitlines()
    assert first.startswith("✗ A drill (throttle) is under way, or did not finish: started ")
    assert first.endswith(" by [me]@here.")
    assert "deploytool restore --stage dev" in second


def test_an_inverted_health_check_without_a_record_is_reported(plain: Plain) -> None:
    """It shows that a drill did not finish, even when its record is lost."""
    text = plain(*status_lines(GRAPH, {}, INVERTED, None))
    assert "the health check is inverted" in text
    assert "deploytool restore --stage dev" in text
