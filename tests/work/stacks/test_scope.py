"""A deployment in parts, one scope after the other, as the jobs of a pipeline do it."""

from collections.abc import Callable
from typing import Any

from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.events import Event
from deploytool.core.stacks.plan import Action
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployOptions

EAST, WEST = "us-east-1", "us-west-2"
Run = Callable[..., tuple[Outcome, list[Event]]]
READY = DeployOptions(ready=True)


def of_scope(graph: Graph, scope: str, *regions: str) -> Callable[[NodeId], bool]:
    return lambda node: (
        graph.nodes[node].scope == scope and node.region in (regions or (EAST, WEST))
    )


def named(outcome: Outcome, *actions: Action) -> set[str]:
    return {
        f"{node.stack}@{node.region}" for node, action in outcome.done.items() if action in actions
    }


def test_the_parts_of_a_first_deployment_add_up_to_the_whole(run: Run, graph_of: Any) -> None:
    """Each part leaves alone what has to wait, and nothing fails."""
    graph = graph_of()
    first, _ = run(chosen=of_scope(graph, "global"), options=READY)
    west, _ = run(chosen=of_scope(graph, "regional", WEST), options=READY)
    east, _ = run(chosen=of_scope(graph, "regional", EAST), options=READY)
    rest, _ = run()
    assert all(outcome.ok for outcome in (first, west, east, rest))
    assert named(first, Action.CREATE) == {f"zone@{EAST}"}
    assert named(first, Action.LATER) == {f"records@{EAST}"}
    assert named(west, Action.CREATE) == {
        f"{stack}@{WEST}" for stack in ("bucket", "api", "lambda", "certificate", "mapping")
    }
    assert named(east, Action.CREATE) == {
        f"{stack}@{EAST}" for stack in ("bucket", "api", "lambda", "certificate", "mapping")
    }
    assert named(rest, Action.CREATE) == {f"records@{EAST}"}


def test_a_global_stack_is_not_updated_before_the_regional_ones_that_it_stands_behind(
    run: Run, graph_of: Any
) -> None:
    """The records are updated only when both regions have the new version."""
    run()
    new = graph_of(thing="Other'")
    first, _ = run(new, chosen=of_scope(new, "global"), options=READY)
    assert named(first, Action.UPDATE) == {f"zone@{EAST}"}
    assert named(first, Action.LATER) == {f"records@{EAST}"}
    for region in (WEST, EAST):
        run(new, chosen=of_scope(new, "regional", region), options=READY)
    last, _ = run(new, chosen=of_scope(new, "global"), options=READY)
    assert named(last, Action.UPDATE) == {f"records@{EAST}"}
    assert not named(last, Action.LATER)


def test_a_region_waits_for_a_global_stack_that_is_behind(run: Run, graph_of: Any) -> None:
    """Without the zone only stacks that do not need it are deployed, and nothing fails."""
    graph = graph_of()
    outcome, _ = run(chosen=of_scope(graph, "regional", WEST), options=READY)
    assert outcome.ok
    assert named(outcome, Action.LATER) == {f"certificate@{WEST}", f"mapping@{WEST}"}
    assert named(outcome, Action.CREATE) == {f"bucket@{WEST}", f"api@{WEST}", f"lambda@{WEST}"}
