"""`deploy --repair` on a simulated CloudFormation: resources changed outside it are brought back."""

from collections.abc import Callable
from typing import Any

import pytest

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.stack import StackStatus
from deploytool.simulated.cloudformation import Call
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployOptions

EAST, WEST = "us-east-1", "us-west-2"
REPAIR = DeployOptions(repair=True)
Run = Callable[..., tuple[Outcome, list[Any]]]
# The simulated graph with a role beside the function of each stack
WITH_ROLE = "Thing'}, Role: {Type: 'AWS::IAM::Role', Properties: {Path: /a/}"


def named(outcome: Outcome, action: Action) -> set[str]:
    return {f"{node.stack}@{node.region}" for node, done in outcome.done.items() if done == action}


def test_a_deployment_does_not_see_what_was_deleted_and_a_repair_does(
    run: Run, stacks: Any
) -> None:
    """Only the stack that drifted is updated; the others are compared and stay as they are."""
    run()
    stacks.drifted = {("hello-dev-mapping", EAST)}
    ordinary, _ = run()
    assert set(ordinary.done.values()) == {Action.NOTHING}

    outcome, _ = run(options=REPAIR)
    assert outcome.ok
    assert named(outcome, Action.UPDATE) == {f"mapping@{EAST}"}
    assert not stacks.drifted


def test_a_second_repair_compares_again(run: Run, stacks: Any) -> None:
    """The token of the first comparison is used, and no second change set could have it."""
    run()
    stacks.requests.clear()
    for _ in range(2):
        outcome, _ = run(options=REPAIR)
        assert set(outcome.done.values()) == {Action.NOTHING}
    tokens = [request.token for request in stacks.requests]
    assert tokens
    assert len(set(tokens)) == len(tokens)


def test_a_repair_deploys_what_has_changed_too(run: Run, stacks: Any, graph_of: Any) -> None:
    """An update for another reason is drift-aware as well; a creation has nothing to compare."""
    run(options=REPAIR)
    assert not any(request.reverts_drift for request in stacks.requests)
    stacks.requests.clear()
    outcome, _ = run(graph_of(code=b"2"), options=REPAIR)
    assert f"lambda@{EAST}" in named(outcome, Action.UPDATE)
    assert all(request.reverts_drift for request in stacks.requests)


def test_an_ordinary_update_leaves_drift_alone(run: Run, stacks: Any, graph_of: Any) -> None:
    """What somebody has changed during an incident stays until a repair is asked for."""
    run()
    stacks.requests.clear()
    run(graph_of(code=b"2"))
    assert stacks.requests
    assert not any(request.reverts_drift for request in stacks.requests)


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"])
def test_an_operation_under_way_is_waited_for_and_then_repaired(
    run: Run, stacks: Any, status: str
) -> None:
    """A change set needs a stack that is complete. An operation of ours may not be a repair."""
    run()
    stacks.put("hello-dev-api", EAST, StackStatus(status))
    stacks.drifted = {("hello-dev-api", EAST)}

    listings = iter(range(100))

    def end_later(call: Call) -> None:
        if call.method == "list" and next(listings) == 3:
            stacks.put("hello-dev-api", EAST, StackStatus.UPDATE_COMPLETE)

    stacks.before_call = end_later
    outcome, _ = run(options=REPAIR)
    assert outcome.ok
    assert outcome.done[NodeId("api", EAST)] == Action.UPDATE
    assert not stacks.drifted


def test_a_repair_leaves_what_needs_an_api_that_does_not_answer(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """While us-east-1 is dead, any resource of IAM may be the one to repair."""
    graph = graph_of(thing=WITH_ROLE)
    run(graph)
    stacks.dead = {EAST}
    outcome, _ = run(graph, chosen=lambda node: node.region == WEST, options=REPAIR)
    reason = outcome.left[NodeId("lambda", WEST)]
    assert "its change needs IAM for Role (AWS::IAM::Role)" in reason
    assert not outcome.ok
