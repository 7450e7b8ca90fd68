"""Deployments of a graph with a stack in a third region, with and without that region's API."""

from collections.abc import Callable
from typing import Any

import pytest

from deploytool.core.errors import ApiUnavailable
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.stack import StackOperation
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.run import DeployPorts

EAST, WEST, THIRD = "us-east-1", "us-west-2", "eu-north-1"
STACKS = f"""
artifacts: {{function: {{source: x, bucket: {{output: bucket.Out}}}}}}
stacks:
  bucket: {{template: t.yaml, scope: regional}}
  check: {{template: t.yaml, scope: global}}
  alarm: {{template: t.yaml, scope: global, region: {THIRD}, parameters: {{Input: {{output: check.Out}}}}}}
  last: {{template: t.yaml, scope: regional, parameters: {{Input: {{output: alarm.Out}}}}}}
"""
ALARM = NodeId("alarm", THIRD)


def test_the_stack_is_created_where_it_belongs_and_deleted_again(
    run: Callable[..., Any], stacks: Any, graph_of: Any
) -> None:
    """Its outputs travel to both regions. Three regions are listed for a run with nothing to do."""
    graph = graph_of(graph=STACKS)
    outcome, _ = run(graph)
    assert outcome.done[ALARM] is StackOperation.CREATE
    assert "hello-dev-alarm.Out" in outcome.outputs[NodeId("last", WEST)]["Out"]

    stacks.calls.clear()
    outcome, _ = run(graph)
    assert set(outcome.done.values()) == {Action.NOTHING}
    assert stacks.calls == [("list", THIRD), ("list", EAST), ("list", WEST)]

    outcome, _ = run(graph, destroy)
    assert outcome.ok
    assert stacks.living(THIRD) == []


def test_a_dead_third_region_leaves_the_two_deployable(
    run: Callable[..., Any], stacks: Any, graph_of: Any, ports: DeployPorts
) -> None:
    """A run for all regions is refused with the command for the two. That run keeps the inputs that
    come from the third.
    """
    run(graph_of(graph=STACKS))
    stacks.dead.add(THIRD)
    changed = graph_of(graph=STACKS, thing="Thing', Properties: {Size: 2}")
    with pytest.raises(ApiUnavailable) as caught:
        deploy(changed, ports, lambda _: None)
    assert f"--region {EAST} --region {WEST} changes what" in caught.value.hint

    outcome, _ = run(changed, chosen=lambda node: node.region in (EAST, WEST))
    assert outcome.done[NodeId("last", WEST)] is StackOperation.UPDATE
    assert outcome.kept[NodeId("last", WEST)] == (f"alarm@{THIRD}.Out",)
