"""Termination protection, tags, express mode, and values that must not be seen."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.plan import fingerprint_of, request_for, resolve
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.run import DeployOptions

EAST, WEST = "us-east-1", "us-west-2"
SECRET = "correct-horse-battery"
Run = Callable[..., Any]


def test_a_protected_stage_is_protected_from_its_creation_and_destroy_lifts_that(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """Every stack; one at a time, just before it goes."""
    protected = graph_of(stage="protected = true")
    run(protected)
    assert all(each.stack.protected for each in stacks.records.values())
    outcome, _ = run(protected, work=destroy)
    assert outcome.ok


def test_a_stage_that_becomes_protected_needs_no_update(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """Protection is no part of the fingerprint: one call a stack, and the next run makes none."""
    run()
    stacks.history.clear()
    protected = graph_of(stage="protected = true")
    run(protected)
    assert all(each.stack.protected for each in stacks.records.values())
    assert not stacks.history
    stacks.calls.clear()
    run(protected)
    assert stacks.calls == [("list", EAST), ("list", WEST)]


def test_the_commit_is_a_tag_that_changes_nothing_by_itself(
    ports: Any, stacks: Any, graph_of: Any
) -> None:
    """A stack keeps the commit that it was made from."""
    deploy(graph_of(), replace(ports, commit=lambda: "abc"), lambda event: None)
    stacks.calls.clear()
    deploy(graph_of(), replace(ports, commit=lambda: "def"), lambda event: None)
    assert stacks.calls == [("list", EAST), ("list", WEST)]
    graph = graph_of()
    node = graph.nodes[NodeId("zone", EAST)]
    request = request_for(graph, node, {}, "token", commit="abc")
    assert request.tags == {
        "deploytool:project": "hello",
        "deploytool:stage": "dev",
        "deploytool:stack": "zone",
        "deploytool:commit": "abc",
    }


def test_express_is_never_asked_for_a_certificate(graph_of: Any) -> None:
    """An unissued certificate is of no use to who waits for it."""
    for kind, express in (
        ("Thing'", True),
        ("X', Metadata: y}, B: {Type: 'AWS::CertificateManager::Certificate'", False),
    ):
        graph = graph_of(thing=kind)
        node = graph.nodes[NodeId("zone", EAST)]
        assert request_for(graph, node, {}, "token", express=True).express is express
        assert request_for(graph, node, {}, "token").express is False


def test_express_reaches_every_request(
    ports: Any, stacks: Any, graph_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On demand only."""
    asked = []
    their = type(stacks).create

    def create(self: Any, region: str, request: Any) -> str:
        asked.append(request.express)
        return their(self, region, request)

    monkeypatch.setattr(type(stacks), "create", create)
    deploy(graph_of(), ports, lambda event: None, options=DeployOptions(express=True))
    assert asked
    assert all(asked)


def test_a_noecho_value_is_in_no_event_error_or_fingerprint(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """AWS may say it in a reason; a hash of it differs from stack to stack."""
    graph = graph_of(stage=f'domain = "{SECRET}.com"', parameter=", NoEcho: true")
    stacks.failures = {"hello-dev-zone": f"the value {SECRET}.com is not allowed"}
    outcome, events = run(graph)
    zone = NodeId("zone", EAST)
    assert outcome.failed[zone].endswith("the value **** is not allowed")
    assert SECRET not in repr([each for each in events if type(each).__name__ != "StackDone"])
    node = graph.nodes[zone]
    values = resolve(node, {})
    assert values == {"Input": f"{SECRET}.com"}
    assert fingerprint_of(graph, node, values) != fingerprint_of(
        graph, replace(node, stack_name="other"), values
    )
    assert fingerprint_of(graph, node, values) != fingerprint_of(graph, node, {"Input": "another"})
