"""Deployments while the API of a region does not answer, on a simulated CloudFormation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deploytool.commands._interrupts import exit_code
from deploytool.core.errors import ApiUnavailable
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.events import DrillUnknown, Event, StackFailed, StackLeft
from deploytool.core.stacks.lease import Holder, Lease, write_lease
from deploytool.core.stacks.ownership import COMMIT_TAG
from deploytool.core.stacks.plan import Action
from deploytool.simulated.cloudformation import Call
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.lock import Coordination
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.preview import PlanPorts, plan
from deploytool.work.stacks.run import DeployPorts

EAST, WEST = "us-east-1", "us-west-2"
LOCK = "/deploytool/hello/dev/deploy"
Run = Callable[..., tuple[Outcome, list[Event]]]
# The simulated graph with a role beside the function of each stack
WITH_ROLE = "Thing'}, Role: {Type: 'AWS::IAM::Role', Properties: {Path: /a/}"


def west(node: NodeId) -> bool:
    return node.region == WEST


def named(outcome: Outcome, action: Action) -> set[str]:
    return {f"{node.stack}@{node.region}" for node, done in outcome.done.items() if done == action}


def test_new_code_reaches_the_standby_without_the_primary(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """Inputs from there keep their values, nothing is left, and the exit code is 0."""
    run()
    inputs = stacks.find("hello-dev-certificate", WEST).parameters
    stacks.dead = {EAST}
    stacks.calls.clear()
    outcome, events = run(graph_of(code=b"2"), chosen=west)

    assert exit_code(outcome) == 0
    assert named(outcome, Action.UPDATE) == {f"lambda@{WEST}", f"mapping@{WEST}"}
    assert outcome.kept == {NodeId("certificate", WEST): (f"zone@{EAST}.Out",)}
    assert outcome.unreachable == (EAST,)
    assert stacks.find("hello-dev-certificate", WEST).parameters == inputs
    assert [region for _, region in stacks.calls].count(EAST) == 1
    assert not [event for event in events if isinstance(event, StackLeft)]


def test_afterwards_the_whole_stage_is_deployed_as_if_nothing_had_been(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """What the day has brought to the standby is as desired, so it is not updated again."""
    run()
    stacks.dead = {EAST}
    run(graph_of(code=b"2"), chosen=west)
    stacks.dead = set()
    stacks.history.clear()
    outcome, _ = run(graph_of(code=b"2"))
    assert outcome.ok
    assert {region for _, _, _, region in stacks.history} == {EAST}


def test_a_second_run_on_the_day_finds_nothing_to_do(run: Run, stacks: Any, graph_of: Any) -> None:
    """A kept input has the fingerprint of the value that it keeps."""
    run()
    stacks.dead = {EAST}
    run(graph_of(code=b"2"), chosen=west)
    stacks.calls.clear()
    outcome, _ = run(graph_of(code=b"2"), chosen=west)
    assert exit_code(outcome) == 0
    assert stacks.calls == [("list", EAST), ("list", WEST)]


def test_the_value_of_a_kept_secret_is_never_known(run: Run, stacks: Any, graph_of: Any) -> None:
    """CloudFormation keeps it, and the stack is as desired for the rest of the day."""
    secret = graph_of(parameter=", NoEcho: true")
    run(secret)
    value = stacks.record("hello-dev-certificate", WEST).values
    stacks.dead = {EAST}
    changed = graph_of(parameter=", NoEcho: true", thing="Other'")
    outcome, _ = run(changed, chosen=west)
    assert exit_code(outcome) == 0
    assert f"certificate@{WEST}" in named(outcome, Action.UPDATE)
    assert stacks.record("hello-dev-certificate", WEST).values == value
    assert "hello-dev-zone" in value["Input"]

    stacks.history.clear()
    run(changed, chosen=west)
    assert not stacks.history


def test_a_new_stack_that_needs_the_primary_is_left_with_what_needs_it(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """The others are created. The exit code is 4, and the next run completes the stage."""
    run(chosen=lambda node: node.region == EAST and node.stack != "records")
    stacks.dead = {EAST}
    outcome, events = run(chosen=west)
    assert exit_code(outcome) == 4
    assert named(outcome, Action.CREATE) == {
        f"{name}@{WEST}" for name in ("bucket", "api", "lambda")
    }
    assert outcome.left == {
        NodeId(
            "certificate", WEST
        ): f"needs zone@{EAST}.Out, and the API of {EAST} does not answer",
        NodeId("mapping", WEST): f"needs certificate@{WEST}.Out, whose stack is left",
    }
    assert {event.node for event in events if isinstance(event, StackLeft)} == set(outcome.left)
    stacks.dead = set()
    assert run()[0].ok


def test_a_change_of_a_role_is_left_and_one_of_the_function_is_not(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """IAM's API is in us-east-1. The reason names the resource."""
    run(graph_of(thing=WITH_ROLE))
    stacks.dead = {EAST}
    code, _ = run(graph_of(thing=WITH_ROLE, code=b"2"), chosen=west)
    assert exit_code(code) == 0
    assert f"lambda@{WEST}" in named(code, Action.UPDATE)

    role, _ = run(graph_of(thing=WITH_ROLE.replace("/a/", "/b/")), chosen=west)
    assert exit_code(role) == 4
    assert not named(role, Action.UPDATE)
    assert role.left[NodeId("lambda", WEST)] == (
        f"its change needs IAM for Role (AWS::IAM::Role), and the API of {EAST} does not answer"
    )


def test_the_tags_of_a_role_stay_while_iam_does_not_answer(
    ports: DeployPorts, stacks: Any, graph_of: Any
) -> None:
    """CloudFormation gives a stack's tags to its resources, so the commit is that of before."""
    deploy(graph_of(thing=WITH_ROLE), replace(ports, commit=lambda: "a"), lambda _: None)
    later = replace(ports, commit=lambda: "b")
    stacks.dead = {EAST}
    deploy(graph_of(thing=WITH_ROLE, code=b"2"), later, lambda _: None, chosen=west)
    assert stacks.find("hello-dev-lambda", WEST).tags[COMMIT_TAG] == "a"

    stacks.dead = set()
    deploy(graph_of(thing=WITH_ROLE, code=b"3"), later, lambda _: None)
    assert stacks.find("hello-dev-lambda", WEST).tags[COMMIT_TAG] == "b"


def elsewhere(graph: Graph) -> Graph:
    """Move the primary region of a graph to another one, which leaves us-east-1 without stacks."""

    def moved(node: NodeId) -> NodeId:
        return replace(node, region="eu-west-1" if node.region == EAST else node.region)

    nodes = {}
    for node in graph.nodes.values():
        parameters = {
            name: value if isinstance(value, str) else replace(value, node=moved(value.node))
            for name, value in node.parameters.items()
        }
        uploads = tuple(
            replace(upload, bucket=replace(upload.bucket, node=moved(upload.bucket.node)))
            for upload in node.uploads
        )
        nodes[moved(node.id)] = replace(
            node, id=moved(node.id), parameters=parameters, uploads=uploads
        )
    return replace(graph, nodes=nodes, regions=("eu-west-1", WEST))


def test_a_stage_outside_us_east_1_needs_it_for_its_roles_alone(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """Its API is asked once, and only before a change of a stack that has a role."""
    run(elsewhere(graph_of(thing=WITH_ROLE)))
    assert stacks.calls.count(("list", EAST)) == 1
    stacks.calls.clear()
    run(elsewhere(graph_of(thing=WITH_ROLE)))
    assert ("list", EAST) not in stacks.calls

    stacks.dead = {EAST}
    changed = elsewhere(graph_of(thing=WITH_ROLE.replace("/a/", "/b/"), code=b"2"))
    outcome, _ = run(changed)
    assert exit_code(outcome) == 4
    assert outcome.unreachable == (EAST,)
    assert {node.region for node in outcome.left} == {"eu-west-1", WEST}


@pytest.mark.parametrize("dead", [EAST, WEST])
def test_a_run_for_both_regions_does_not_start(
    run: Run, stacks: Any, graph_of: Any, dead: str
) -> None:
    """It names the region that does not answer, and the command for the other one."""
    run()
    stacks.history.clear()
    stacks.dead = {dead}
    living = WEST if dead == EAST else EAST
    with pytest.raises(
        ApiUnavailable, match=f"API of {dead} does not answer; nothing was"
    ) as caught:
        run(graph_of(code=b"2"))
    assert caught.value.exit_code == 4
    assert f"deploytool deploy --stage dev --region {living}" in caught.value.hint
    assert not stacks.history


def test_the_primary_is_deployed_without_the_standby(
    ports: DeployPorts, stacks: Any, locks: Any, graph_of: Any
) -> None:
    """The record of a drill cannot be read then, and the run says so."""
    deploy(graph_of(), ports, lambda _: None)
    us = Holder("us", "here", 1)
    coordination = Coordination(locks, us, stacks.clock.now, lambda _: True)
    locks.dead = {WEST}
    stacks.dead = {WEST}
    events: list[Event] = []
    outcome = deploy(
        graph_of(code=b"2"),
        replace(ports, coordination=coordination),
        events.append,
        chosen=lambda node: node.region == EAST,
    )
    assert exit_code(outcome) == 0
    assert f"lambda@{EAST}" in named(outcome, Action.UPDATE)
    assert [event.region for event in events if isinstance(event, DrillUnknown)] == [WEST]


@pytest.mark.parametrize("held", [EAST, WEST])
def test_a_run_that_sees_one_region_meets_one_that_saw_both(
    ports: DeployPorts, stacks: Any, locks: Any, graph_of: Any, held: str
) -> None:
    """The other run has the lease in both, so the API of either may have died since."""
    us, them = Holder("us", "here", 1), Holder("them", "there", 2)
    coordination = Coordination(locks, us, stacks.clock.now, lambda _: True)
    locks.held[held, LOCK] = write_lease(Lease(them, 0.0, 1000.0))
    dead = WEST if held == EAST else EAST
    stacks.dead = locks.dead = {dead}
    with pytest.raises(Exception, match="being deployed by them on there"):
        deploy(
            graph_of(),
            replace(ports, coordination=coordination),
            lambda _: None,
            chosen=lambda node: node.region == held,
        )
    assert set(locks.held) == {(held, LOCK)}


def test_a_lease_that_waits_for_the_second_region_gives_back_the_first(
    ports: DeployPorts, stacks: Any, locks: Any, graph_of: Any
) -> None:
    """So that the run which has the other one can be followed by any."""
    us, them = Holder("us", "here", 1), Holder("them", "there", 2)
    coordination = Coordination(locks, us, stacks.clock.now, lambda _: True)
    locks.held[EAST, LOCK] = write_lease(Lease(them, 0.0, 1000.0))
    with pytest.raises(Exception, match="being deployed by them"):
        deploy(graph_of(), replace(ports, coordination=coordination), lambda _: None)
    assert set(locks.held) == {(EAST, LOCK)}
    assert not stacks.history


def test_an_api_that_dies_during_a_run_ends_the_stacks_of_its_region_alone(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """Those of the other region are done. What is unknown is named, and the exit code is 4."""
    run()
    stacks.durations = {"hello-dev-lambda": 20.0}

    def dies(call: Call) -> None:
        if stacks.history[-1][1] == "UPDATE" and call.method == "list":
            stacks.dead = {EAST}

    stacks.history.clear()
    stacks.before_call = lambda call: dies(call) if stacks.history else None
    outcome, events = run(graph_of(code=b"2"))
    assert outcome.unanswered == {NodeId("lambda", EAST): EAST}
    assert exit_code(outcome) == 4
    assert f"lambda@{WEST}" in named(outcome, Action.UPDATE)
    assert NodeId("records", EAST) in outcome.cancelled
    (failed,) = [event for event in events if isinstance(event, StackFailed)]
    assert "its state is unknown" in failed.cause

    stacks.dead, stacks.before_call = set(), lambda _: None
    assert run(graph_of(code=b"2"))[0].ok


def test_another_failure_beside_it_gives_exit_code_1(run: Run, stacks: Any, graph_of: Any) -> None:
    """The answer is no, whatever else is unknown."""
    outcome = Outcome(
        failed={NodeId("a", EAST): "no answer", NodeId("a", WEST): "quota"},
        unanswered={NodeId("a", EAST): EAST},
    )
    assert exit_code(outcome) == 1
    assert exit_code(replace(outcome, failed={NodeId("a", EAST): "no answer"})) == 4


def test_nothing_is_deleted_while_an_api_does_not_answer(run: Run, stacks: Any) -> None:
    """The error names it before anything is deleted."""
    run()
    stacks.history.clear()
    stacks.dead = {EAST}
    with pytest.raises(ApiUnavailable, match="nothing was deleted") as caught:
        run(work=destroy)
    assert caught.value.exit_code == 4
    assert not stacks.history


def test_the_plan_shows_what_is_kept_and_what_is_left(
    run: Run, stacks: Any, ports: DeployPorts, graph_of: Any
) -> None:
    """Only the living region is planned. Nothing is refused, so that the plan is good."""
    run(graph_of(thing=WITH_ROLE))
    stacks.dead = {EAST}
    planning = PlanPorts(stacks, stacks, stacks, ports.executor)
    changed = graph_of(thing=WITH_ROLE.replace("/a/", "/b/"))
    preview = plan(changed, planning, (EAST, WEST))
    assert preview.unreachable == (EAST,)
    assert {step.node.region for step in preview.steps} == {WEST}
    steps = {step.node.stack: step for step in preview.steps}
    assert steps["certificate"].kept == (f"zone@{EAST}.Out",)
    assert "needs IAM for Role" in steps["lambda"].decision.reason
    assert {step.decision.action for step in preview.steps} == {Action.LEFT}
    assert preview.ok

    with pytest.raises(ApiUnavailable, match="nothing can be planned"):
        plan(changed, planning, (EAST,))
