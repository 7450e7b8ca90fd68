"""Termination protection, tags, express mode, and values that must stay hidden."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

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
    """Each stack loses its protection just before it is deleted."""
    protected = graph_of(stage="protected = true")
    run(protected)
    assert all(record.stack.protected for record in stacks.records.values())
    outcome, _ = run(protected, work=destroy)
    assert outcome.ok


def test_a_stage_that_becomes_protected_needs_no_update(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """The fingerprint does not contain it: one call for each stack, and the next run makes none."""
    run()
    stacks.history.clear()
    protected = graph_of(stage="protected = true")
    run(protected)
    assert all(record.stack.protected for record in stacks.records.values())
    assert not stacks.history
    stacks.calls.clear()
    run(protected)
    assert stacks.calls == [("list", EAST), ("list", WEST)]


def test_the_commit_is_a_tag_that_changes_nothing_by_itself(
    ports: Any, stacks: Any, graph_of: Any
) -> None:
    """A stack keeps the commit from which it was created."""
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
    """A stack that needs a certificate cannot use one that is not issued."""
    for kind, express in (
        ("Thing'", True),
        ("X', Metadata: y}, B: {Type: 'AWS::CertificateManager::Certificate'", False),
    ):
        graph = graph_of(thing=kind)
        node = graph.nodes[NodeId("zone", EAST)]
        assert request_for(graph, node, {}, "token", express=True).express is express
        assert request_for(graph, node, {}, "token").express is False


def test_express_reaches_every_request(ports: Any, stacks: Any, graph_of: Any) -> None:
    """It does so only when the user asks for it."""
    deploy(graph_of(), ports, lambda event: None, options=DeployOptions(express=True))
    assert stacks.requests
    assert all(request.express for request in stacks.requests)


def test_a_noecho_value_is_in_no_event_error_or_fingerprint(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """AWS may repeat it in a reason. Its hash differs from stack to stack."""
    graph = graph_of(stage=f'domain = "{SECRET}.com"', parameter=", NoEcho: true")
    stacks.failures = {"hello-dev-zone": f"the value {SECRET}.com is not allowed"}
    outcome, events = run(graph)
    zone = NodeId("zone", EAST)
    assert outcome.failed[zone].endswith("the value **** is not allowed")
    assert SECRET not in repr([event for event in events if type(event).__name__ != "StackDone"])
    node = graph.nodes[zone]
    values = resolve(node, {})
    assert values == {"Input": f"{SECRET}.com"}
    assert fingerprint_of(graph, node, values) != fingerprint_of(
        graph, replace(node, stack_name="other"), values
    )
    assert fingerprint_of(graph, node, values) != fingerprint_of(graph, node, {"Input": "another"})
