"""Golden files for the renderers, a plan that has everything, and a run that has everything."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.changes import (
    Effect,
    PropertyChange,
    ResourceChange,
    Source,
    StackChanges,
)
from deploytool.core.stacks.drift import Difference, ResourceDrift, StackDrift, UncheckedResource
from deploytool.core.stacks.events import (
    Event,
    RunStarted,
    StackCancelled,
    StackDone,
    StackFailed,
    StackStarted,
    StackWaiting,
)
from deploytool.core.stacks.plan import Action, Decision, Step
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.work.stacks.preview import Plan

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "UPDATE_GOLDEN"
EAST, WEST = "us-east-1", "us-west-2"
Golden = Callable[[str, str], None]


@pytest.fixture
def golden() -> Golden:
    """Return `golden(name, text)`, which compares the text with a file.

    With UPDATE_GOLDEN=1 it writes the file instead; read the difference before you commit it.
    """

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get(UPDATE):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture
def plain() -> Callable[..., str]:
    """Return `plain(*lines)`: lines with rich's markup as a terminal without colours shows them."""
    return _plain


def _plain(*lines: object, width: int = 100) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, no_color=True, highlight=False, soft_wrap=True, emoji=False
    )
    for line in lines:
        console.print(line)
    return stream.getvalue()


def node(stack: str, region: str = EAST) -> NodeId:
    return NodeId(stack, region)


def resource(effect: Effect, name: str, kind: str, *paths: str | PropertyChange) -> ResourceChange:
    return ResourceChange(
        effect,
        name,
        f"AWS::{kind}",
        tuple(PropertyChange(path) if isinstance(path, str) else path for path in paths),
    )


@pytest.fixture
def full_plan() -> Plan:
    """A plan in which every kind of step, change and drift occurs."""
    twins = StackChanges(
        Source.CHANGE_SET,
        (
            resource(
                Effect.UPDATE,
                "Function",
                "Lambda::Function",
                PropertyChange("MemorySize", "256", "512"),
                "Code",
                "Environment",
            ),
            resource(Effect.CREATE, "Deployment54a7f325d5", "ApiGateway::Deployment"),
            resource(Effect.RETAIN, "LogGroup", "Logs::LogGroup"),
        ),
    )
    anew = StackChanges(
        Source.CHANGE_SET,
        (
            resource(
                Effect.REPLACE,
                "Domain",
                "ApiGateway::DomainName",
                PropertyChange("DomainName", "a|b.example.com", None),
            ),
        ),
    )
    estimated = StackChanges(
        Source.ESTIMATE,
        (
            resource(
                Effect.PERHAPS_REPLACE,
                "RecordSet",
                "Route53::RecordSet",
                "AliasTarget",
                "HostedZoneId",
            ),
        ),
    )
    new = StackChanges(Source.TEMPLATE, (resource(Effect.CREATE, "Check", "Route53::HealthCheck"),))
    update, stuck = (
        Decision(Action.UPDATE, "template, parameters or tags differ"),
        Decision(Action.REFUSE, "is UPDATE_FAILED: <why>"),
    )
    steps = (
        Step(node("lambda"), update),
        Step(node("lambda", WEST), update),
        Step(node("zone"), Decision(Action.NOTHING, "as deployed")),
        Step(node("mapping"), update),
        Step(node("record"), update, ("mapping@us-east-1.Target",)),
        Step(node("check"), Decision(Action.CREATE, "does not exist yet")),
        Step(node("alarm"), Decision(Action.NOTHING, "as deployed"), ("check@us-east-1.Id",)),
        Step(node("bucket"), stuck),
        Step(node("topic"), update),
    )
    changes = {
        node("lambda"): twins,
        node("lambda", WEST): twins,
        node("mapping"): anew,
        node("record"): estimated,
        node("check"): new,
    }
    drifted = ResourceDrift(
        "Zone",
        "AWS::Route53::HostedZone",
        "MODIFIED",
        (Difference("/Comment", "ours", "theirs | `x`"),),
    )
    return Plan(
        Graph("hello", "dev", {}, {}, {}),
        steps,
        {},
        changes,
        {node("topic"): "CloudFormation cannot plan this update: [Topic] is wrong"},
        [(EAST, Stack("hello-dev-old", "arn:old", StackStatus.CREATE_COMPLETE, {}))],
        {
            node("zone"): StackDrift(
                "DRIFTED", (drifted, ResourceDrift("Gone", "AWS::SNS::Topic", "DELETED"))
            ),
            node("lambda"): StackDrift(
                "IN_SYNC",
                unchecked=(
                    UncheckedResource("Deployment1a2b", "AWS::ApiGateway::Deployment"),
                    UncheckedResource("Version", "AWS::Lambda::Permission"),
                    UncheckedResource("Other", "AWS::Lambda::Permission"),
                ),
            ),
            node("alarm"): StackDrift("IN_SYNC", unchecked=None),
            node("bucket"): StackDrift("NOT_CHECKED", reason="is UPDATE_FAILED"),
        },
    )


NEEDS = {
    node("bucket"): frozenset[NodeId](),
    node("zone"): frozenset[NodeId](),
    node("api"): frozenset[NodeId](),
    node("api", WEST): frozenset[NodeId](),
    node("certificate"): frozenset({node("zone")}),
    node("lambda"): frozenset({node("api")}),
    node("lambda", WEST): frozenset({node("api", WEST), node("zone")}),
    node("mapping"): frozenset({node("certificate"), node("lambda")}),
    node("mapping", WEST): frozenset({node("lambda", WEST)}),
}
CAUSE = "Function (AWS::Lambda::Function): the role cannot be assumed: 100% [no]\nsee arn:aws:secretsmanager:us-east-1:1:secret:x"

HALF: tuple[Event, ...] = (
    RunStarted(100.0, tuple(NEEDS), NEEDS),
    StackDone(100.1, node("bucket"), "unchanged", 0.1, {}),
    StackStarted(100.2, node("zone"), "create", 35.0),
    StackStarted(100.2, node("api"), "update", 4.0),
    StackWaiting(100.3, node("api", WEST), "UPDATE_IN_PROGRESS"),
    StackDone(104.5, node("api"), "update", 4.3, {}),
    StackStarted(105.0, node("lambda"), "create", 20.0),
)
REST: tuple[Event, ...] = (
    StackFailed(117.0, node("lambda"), CAUSE, "fix the role, then deploy again"),
    StackCancelled(117.0, node("mapping"), (node("lambda"),)),
    StackStarted(118.0, node("api", WEST), "update", 4.0),
    StackDone(122.0, node("api", WEST), "update", 4.0, {}),
    StackDone(137.0, node("zone"), "create", 36.8, {}),
    StackStarted(137.5, node("certificate"), "create", 75.0),
    StackStarted(137.5, node("lambda", WEST), "create", 20.0),
    StackDone(160.0, node("lambda", WEST), "create", 22.5, {}),
    StackStarted(160.5, node("mapping", WEST), "create"),
    StackDone(170.5, node("mapping", WEST), "create", 10.0, {}),
    StackDone(215.0, node("certificate"), "create", 77.5, {}),
)


@pytest.fixture
def half() -> tuple[Event, ...]:
    """The beginning of a run: a stack runs, one waits, one is blocked by another operation."""
    return HALF


@pytest.fixture
def whole() -> tuple[Event, ...]:
    """The same run to its end: one stack failed, and one was not started because of that."""
    return HALF + REST
