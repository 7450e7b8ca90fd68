"""Parameters that name a value in Parameter Store: a value that has changed since is an update."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.plan import Action, make_plan
from deploytool.core.stacks.stack import StackOperation
from deploytool.simulated.cloudformation import SimulatedStacks
from deploytool.simulated.memory import SimulatedValues
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployOptions, DeployPorts, find_reachable
from deploytool.work.stacks.stored_values import UnreadValues, unread_lines, with_stored_values

EAST, WEST = "us-east-1", "us-west-2"
STACKS = """
artifacts: {function: {source: x, bucket: {output: plain.Out}}}
stacks:
  image: {template: t.yaml, scope: regional}
  plain: {template: t.yaml, scope: regional, parameters: {Input: text}}
"""
IMAGES = (NodeId("image", EAST), NodeId("image", WEST))
Deploy = Callable[[], Outcome]


@pytest.fixture
def graph(graph_of: Any) -> Graph:
    """A graph in which the stack `image` has a parameter that names a stored value."""
    whole: Graph = graph_of(graph=STACKS)
    nodes = dict(whole.nodes)
    for node_id in IMAGES:
        node = nodes[node_id]
        declared = {"Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/image"}}
        nodes[node_id] = replace(node, document={**node.document, "Parameters": declared})
    return replace(whole, nodes=nodes)


@pytest.fixture
def values(stacks: SimulatedStacks) -> SimulatedValues:
    stacks.stored["/image"] = "ami-1"
    return SimulatedValues(stacks.stored)


@pytest.fixture
def run_again(ports: DeployPorts, values: SimulatedValues, graph: Graph) -> Deploy:
    """A function that deploys the graph once more, after it was deployed."""
    with_values = replace(ports, values=values)
    assert deploy(graph, with_values, lambda _: None).ok
    values.calls.clear()
    return lambda: deploy(graph, with_values, lambda _: None)


def test_a_changed_value_updates_the_stacks_that_take_it(
    run_again: Deploy, stacks: SimulatedStacks
) -> None:
    """Template, parameters and tags are as deployed. The next run has nothing to do."""
    assert set(run_again().done.values()) == {Action.NOTHING}
    stacks.stored["/image"] = "ami-2"
    done = run_again().done
    assert {node for node, action in done.items() if action is StackOperation.UPDATE} == {*IMAGES}
    assert stacks.find("hello-dev-image", EAST).resolved == {"Image": "ami-2"}
    assert set(run_again().done.values()) == {Action.NOTHING}


def test_each_region_is_asked_once_for_all_values(
    run_again: Deploy, values: SimulatedValues
) -> None:
    """A run with nothing to do makes one call a region beside the listings."""
    run_again()
    assert sorted(values.calls) == [(EAST, ["/image"]), (WEST, ["/image"])]


def test_no_call_is_made_for_a_graph_without_stored_values(
    ports: DeployPorts, values: SimulatedValues, graph_of: Any
) -> None:
    """The roles of a pipeline need no permission for it then."""
    for _ in range(2):
        deploy(graph_of(graph=STACKS), replace(ports, values=values), lambda _: None)
    assert values.calls == []


@pytest.mark.parametrize(
    ("refusal", "gone", "reason"),
    [("AccessDenied", False, "/image: AccessDenied"), ("", True, "there is no such parameter")],
)
def test_a_value_that_cannot_be_read_is_said_to_be_unknown(
    run_again: Deploy,
    stacks: SimulatedStacks,
    values: SimulatedValues,
    ports: DeployPorts,
    graph: Graph,
    refusal: str,
    gone: bool,
    reason: str,
) -> None:
    """The stack counts as it is, and a line says that nobody looked. That is no failure."""
    stacks.stored["/image"] = "ami-2"
    if gone:
        del stacks.stored["/image"]
    values.refusal = refusal
    assert set(run_again().done.values()) == {Action.NOTHING}

    hook = UnreadValues()
    options = DeployOptions(hooks=(hook,))
    deploy(graph, replace(ports, values=values), lambda _: None, options=options)
    assert len(hook.lines) == 2
    assert "whether a value of image@us-east-1 in Parameter Store has changed" in hook.lines[0]
    assert reason in hook.lines[0]


@pytest.mark.usefixtures("run_again")
def test_the_plan_names_the_parameter(
    ports: DeployPorts, stacks: SimulatedStacks, values: SimulatedValues, graph: Graph
) -> None:
    """Its reason is not that something differs in the project."""
    stacks.stored["/image"] = "ami-2"
    found = find_reachable(stacks, ports.executor, graph)
    found = with_stored_values(graph, found, values, ports.executor)
    decisions = {step.node: step.decision for step in make_plan(graph, found.deployed)}
    assert decisions[IMAGES[0]].reason == "Parameter Store has another value for Image"
    assert decisions[NodeId("plain", EAST)].action is Action.NOTHING
    assert unread_lines(found.deployed) == ()
