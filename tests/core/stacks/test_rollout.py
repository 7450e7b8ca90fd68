"""The order of a rollout, when a stage is in service, and what a good answer is."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.ports import HttpAnswer
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef
from deploytool.core.project.template import parse_template
from deploytool.core.stacks.ownership import PROJECT_TAG, STACK_TAG, STAGE_TAG
from deploytool.core.stacks.rollout import (
    answer_problem,
    conflicts,
    in_service,
    left_behind,
    order_of,
    paired,
)
from deploytool.core.stacks.stack import Stack, StackStatus

EAST, WEST = "us-east-1", "us-west-2"
PLAIN = parse_template("Resources: {A: {Type: 'AWS::Some::Thing'}}", "t.yaml")
WITH_STAGE = parse_template("Resources: {S: {Type: 'AWS::ApiGateway::Stage'}}", "s.yaml")


def node_of(stack: str, region: str, *needs: NodeId, stage: bool = False) -> Node:
    refs = {f"P{number}": OutputRef(need, "Out") for number, need in enumerate(needs)}
    return Node(NodeId(stack, region), f"p-{stack}", WITH_STAGE if stage else PLAIN, {}, refs, ())


def graph_of(*nodes: Node, left_out: tuple[Node, ...] = ()) -> Graph:
    check = OutputRef(NodeId("check", EAST), "Out")
    api = {region: OutputRef(NodeId("api", region), "Out") for region in (EAST, WEST)}
    return Graph(
        "p",
        "s",
        {node.id: node for node in nodes},
        {"health_check": check},
        {},
        {node.id: node for node in left_out},
        {"rest_api": api},
        regions=(EAST, WEST),
    )


def stacks_of(
    *nodes: NodeId, status: StackStatus = StackStatus.CREATE_COMPLETE
) -> Mapping[NodeId, Stack]:
    tags = {PROJECT_TAG: "p", STAGE_TAG: "s"}
    return {
        node: Stack(node.stack, str(node), status, {}, tags={**tags, STACK_TAG: node.stack})
        for node in nodes
    }


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Stacks in one region or both, each of which may need any stacks before it."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 7))):
        where = draw(st.sampled_from([(EAST, WEST), (EAST,), (WEST,)]))
        before = [node.id for node in nodes]
        for region in where:
            needs = (
                draw(st.lists(st.sampled_from(before), max_size=3, unique=True)) if before else []
            )
            nodes.append(node_of(f"s{number}", region, *needs))
    return graph_of(*nodes)


@given(graphs(), st.sampled_from([EAST, WEST]))
def test_no_order_waits_for_itself(graph: Graph, active: str) -> None:
    """The graph still has an order when each gated stack also needs all of the standby's. Only
    stacks that the standby needs are not gated.
    """
    order = order_of(graph, active)
    edges = {
        node: set(needs) | (order.first if node in order.gated else set())
        for node, needs in graph.edges().items()
    }
    done: set[NodeId] = set()
    while ready := {node for node, needs in edges.items() if needs <= done} - done:
        done |= ready
    assert done == set(graph.nodes)
    assert all(node.region == active for node in order.gated)
    for ungated in {node for node in paired(graph) if node.region == active} - order.gated:
        assert any(_reaches(graph, node, ungated) for node in order.first)


def _reaches(graph: Graph, node: NodeId, target: NodeId) -> bool:
    return target in graph.nodes[node].needs or any(
        _reaches(graph, need, target) for need in graph.nodes[node].needs
    )


def test_a_stack_of_one_region_alone_gates_nothing() -> None:
    """The drill's guard is in the standby's region and needs the primary's function."""
    function, guard = NodeId("lambda", EAST), node_of("guard", WEST, NodeId("lambda", EAST))
    graph = graph_of(node_of("lambda", EAST), node_of("lambda", WEST), guard)
    assert order_of(graph, EAST).gated == {function}


def test_what_the_standby_needs_of_the_active_region_is_not_gated() -> None:
    """Directly or through others: us-west-2's table copies us-east-1's."""
    table, key = NodeId("table", EAST), NodeId("key", EAST)
    west = (node_of("key", WEST), node_of("table", WEST, table), node_of("api", WEST))
    graph = graph_of(node_of("key", EAST), node_of("table", EAST, key), node_of("api", EAST), *west)
    assert order_of(graph, EAST).gated == {NodeId("api", EAST)}
    assert order_of(graph, WEST).gated == {node.id for node in west}


def test_when_a_stage_is_in_service() -> None:
    """It has its health check, and one region has all stacks that any region has. A stack that no
    region has does not count.
    """
    graph = graph_of(
        *(node_of(stack, region) for stack in ("api", "new") for region in (EAST, WEST)),
        node_of("check", EAST),
    )
    api_east, api_west, check = NodeId("api", EAST), NodeId("api", WEST), NodeId("check", EAST)
    assert not in_service(graph, {})
    assert not in_service(graph, stacks_of(api_east, api_west))
    assert not in_service(graph, stacks_of(check))
    assert in_service(graph, stacks_of(api_east, api_west, check))
    assert in_service(graph, stacks_of(api_east, check))
    assert not in_service(graph, {**stacks_of(api_east, NodeId("new", WEST)), **stacks_of(check)})
    assert in_service(graph, stacks_of(api_west), unreachable={EAST})
    assert not in_service(graph, {}, unreachable={EAST})
    assert not in_service(
        graph, {**stacks_of(api_east, status=StackStatus.ROLLBACK_COMPLETE), **stacks_of(check)}
    )


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (HttpAnswer(200, WEST, "2", None, 0.1), None),
        (HttpAnswer(204, WEST, None, None, 0.1), None),
        (HttpAnswer(500, WEST, "2", None, 0.1), "answers 500"),
        (HttpAnswer(301, WEST, "2", None, 0.1), "answers 301"),
        (HttpAnswer(200, EAST, "2", None, 0.1), "is served by us-east-1"),
        (
            HttpAnswer(200, None, "2", None, 0.1),
            "does not say which region served: its answer has no x-served-by-region header",
        ),
        (HttpAnswer(200, WEST, "1", None, 0.1), "still serves version 1, not 2"),
    ],
)
def test_answers(answer: HttpAnswer, problem: str | None) -> None:
    """A good answer is 2xx, from that region and of the deployed version. It may lack a version."""
    assert answer_problem(answer, WEST, frozenset({"2"})) == problem


def test_two_integrations_of_one_api_are_a_conflict() -> None:
    """Both create the API's stage. There is none when the old one is gone or the new one is not
    chosen.
    """
    api, old, new = NodeId("api", EAST), NodeId("lambda", EAST), NodeId("http", EAST)
    graph = graph_of(
        node_of("api", EAST),
        node_of("http", EAST, api, stage=True),
        left_out=(node_of("lambda", EAST, api, stage=True), node_of("net", EAST)),
    )
    deployed = stacks_of(api, old, NodeId("net", EAST))
    (conflict,) = conflicts(graph, deployed, lambda _: True)
    assert conflict.wanted == new
    assert conflict.existing == old
    assert conflict.existing_stack_name == "p-lambda"
    assert not list(conflicts(graph, deployed, lambda node: node != new))
    assert not list(conflicts(graph, stacks_of(api, NodeId("net", EAST)), lambda _: True))
    assert not list(conflicts(graph, {**deployed, **stacks_of(new)}, lambda _: True))
    assert left_behind(graph, deployed) == (old, NodeId("net", EAST))
