"""Deployments and deletions on a simulated CloudFormation: order, failures and recovery."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.events import Event, StackCancelled, StackFailed, StackWaiting, Uploaded
from deploytool.core.stacks.failures import STARTED_BY_USER, FailureReport, OperationFailure
from deploytool.core.stacks.plan import Action, make_plan
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployPorts, find_deployed

EAST, WEST = "us-east-1", "us-west-2"
Run = Callable[..., tuple[Outcome, list[Event]]]


def names(history: list[tuple[float, str, str, str]]) -> list[str]:
    return [f"{name.removeprefix('hello-dev-')}@{region}" for _, _, name, region in history]


def test_every_stack_starts_the_moment_its_inputs_exist(run: Run, stacks: Any) -> None:
    """APIs, buckets and the zone start at once. A slow certificate delays only what needs it."""
    stacks.durations = {
        "hello-dev-zone": 30.0,
        "hello-dev-certificate": 75.0,
        "hello-dev-api": 5.0,
        "hello-dev-lambda": 20.0,
    }
    outcome, _ = run()
    started = {
        (name.removeprefix("hello-dev-"), region): at for at, _, name, region in stacks.history
    }
    assert outcome.ok
    assert {
        started[key] for key in [("zone", EAST), ("api", EAST), ("api", WEST), ("bucket", WEST)]
    } == {0.0}
    assert 5.0 <= started["lambda", WEST] < 8.0
    assert 30.0 <= started["certificate", WEST] < 32.0
    assert outcome.seconds < 30 + 75 + 1 + 1 + 4 * 1.5


def test_outputs_travel_from_stack_to_stack_and_from_region_to_region(run: Run) -> None:
    """The records' parameters are the mappings' outputs of both regions."""
    outcome, _ = run()
    out = outcome.outputs[NodeId("records", EAST)]["Out"]
    assert out.count("hello-dev-mapping.Out") == 2


def test_a_second_run_changes_nothing_and_makes_two_calls(run: Run, stacks: Any) -> None:
    """One listing of each region shows that every stack is as desired."""
    run()
    stacks.calls.clear()
    outcome, _ = run()
    assert set(outcome.done.values()) == {Action.NOTHING}
    assert stacks.calls == [("list", EAST), ("list", WEST)]


def test_new_code_redeploys_what_depends_on_it_and_nothing_else(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """The function's stacks are updated, and those whose inputs change with its outputs."""
    run()
    stacks.history.clear()
    outcome, events = run(graph_of(code=b"2"))
    assert {node.stack for node, action in outcome.done.items() if action == Action.UPDATE} == {
        "lambda",
        "mapping",
        "records",
    }
    assert "zone@us-east-1" not in names(stacks.history)
    assert [event.there_already for event in events if isinstance(event, Uploaded)] == [
        False,
        False,
    ]


def test_a_failure_cancels_only_what_depends_on_it_and_names_the_first_cause(
    run: Run, stacks: Any
) -> None:
    """The cause is neither the last event nor 'creation cancelled'."""
    stacks.failures = {"hello-dev-lambda": "quota exceeded"}
    outcome, events = run()
    assert not outcome.ok
    assert {node.stack for node in outcome.failed} == {"lambda"}
    assert {node.stack for node in outcome.cancelled} == {"mapping", "records"}
    assert {node.stack for node in outcome.done} == {"zone", "bucket", "api", "certificate"}
    failed = next(event for event in events if isinstance(event, StackFailed))
    assert "quota exceeded" in failed.cause
    assert "Thing" in failed.cause
    cancelled = next(
        event
        for event in events
        if isinstance(event, StackCancelled) and event.node == NodeId("mapping", WEST)
    )
    assert cancelled.because == (NodeId("lambda", WEST),)


def test_a_creation_that_was_rolled_back_is_deleted_and_created_again(
    run: Run, stacks: Any
) -> None:
    """A stack in ROLLBACK_COMPLETE never served, and CloudFormation only accepts its deletion."""
    stacks.failures = {"hello-dev-lambda": "quota exceeded"}
    run()
    stacks.failures = {}
    outcome, _ = run()
    assert outcome.ok
    assert outcome.done[NodeId("lambda", EAST)] == Action.CREATE


def test_a_failed_update_leaves_the_stack_and_the_next_run_tries_again(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """A stack in UPDATE_ROLLBACK_COMPLETE has the old fingerprint and accepts an update."""
    run()
    stacks.failures = {"hello-dev-api": "no"}
    changed = graph_of(thing="Thing', Metadata: x")
    outcome, _ = run(changed)
    assert {node.stack for node in outcome.failed} == {"api"}
    stacks.failures = {}
    outcome, _ = run(changed)
    assert outcome.ok
    assert outcome.done[NodeId("api", WEST)] == Action.UPDATE


def test_the_end_is_believed_only_from_an_event_with_our_token(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """DescribeStacks may show the old state for a while (aws-cdk-cli issue 1802)."""
    run()
    stacks.stale = 6
    stacks.durations = {"hello-dev-lambda": 10.0}
    outcome, _ = run(graph_of(code=b"2"))
    assert outcome.ok
    fresh = stacks.records
    by_id = {record.stack.id: record.stack.outputs for record in fresh.values()}
    for node, outputs in outcome.outputs.items():
        assert outputs in by_id.values(), node


def test_an_operation_of_someone_else_is_waited_for(run: Run, stacks: Any) -> None:
    """What to do with a busy stack is decided again when that operation has ended."""
    run()
    stacks.durations = {"hello-dev-api": 60.0}
    busy = next(
        record for record in stacks.records.values() if record.stack.name == "hello-dev-api"
    )
    stacks.begin(EAST, busy.stack.id, "UPDATE", "theirs")
    outcome, events = run()
    assert outcome.ok
    assert [event.node for event in events if isinstance(event, StackWaiting)] == [
        NodeId("api", EAST)
    ]
    assert outcome.seconds >= 60.0


def test_a_stack_that_needs_a_person_is_refused_with_the_command(run: Run, stacks: Any) -> None:
    """A deployment does not repeat a failed deletion."""
    run()
    stacks.failures = {"hello-dev-zone": "not empty"}
    outcome, _ = run(work=destroy)
    assert {node.stack for node in outcome.failed} == {"zone"}
    outcome, events = run()
    failed = next(event for event in events if isinstance(event, StackFailed))
    assert "DELETE_FAILED" in failed.cause
    assert "--stack-name hello-dev-zone" in failed.hint


def test_destroy_goes_in_reverse_order_and_empties_the_bucket(
    run: Run, stacks: Any, buckets: Any
) -> None:
    """A stack that uses an output is deleted before the stack that has it."""
    run()
    stacks.history.clear()
    outcome, _ = run(work=destroy)
    order = [name.split("@")[0] for name in names(stacks.history)]
    assert outcome.ok
    assert (
        order.index("records")
        < order.index("mapping")
        < order.index("certificate")
        < order.index("zone")
    )
    assert not buckets.stored
    outcome, _ = run(work=destroy)
    assert set(outcome.done.values()) == {"not there"}


def test_the_plan_names_pending_inputs(run: Run, ports: DeployPorts, graph_of: Any) -> None:
    """Before the first run it creates everything. Later it names the inputs that may change."""
    graph = graph_of()
    assert {step.decision.action for step in make_plan(graph, find_deployed(ports, graph))} == {
        Action.CREATE
    }
    run()
    assert {step.decision.action for step in make_plan(graph, find_deployed(ports, graph))} == {
        Action.NOTHING
    }
    changed = graph_of(code=b"2")
    plan = {str(step.node): step for step in make_plan(changed, find_deployed(ports, changed))}
    assert plan["lambda@us-west-2"].decision.action is Action.UPDATE
    assert plan["mapping@us-west-2"].pending == ("lambda@us-west-2.Out",)
    assert plan["zone@us-east-1"].decision.action is Action.NOTHING


def test_a_failed_validation_gives_its_reason_and_its_place(run: Run, stacks: Any) -> None:
    """No resource has failed: CloudFormation refused the creation before it made one."""
    fault = OperationFailure("A", "AWS::Some::Thing", "it exists", "/Resources/A")
    stacks.failures = {"hello-dev-zone": "Validation failed with 1 error(s)"}
    stacks.reports = {"hello-dev-zone": FailureReport((fault,))}
    outcome, _ = run()
    assert outcome.failed[NodeId("zone", EAST)] == (
        "A (AWS::Some::Thing): it exists (at /Resources/A)"
    )


def test_a_failed_validation_without_details_keeps_the_stack_s_own_reason(
    run: Run, stacks: Any
) -> None:
    """The reason is on the stack's event; a denied DescribeEvents is a note on it."""
    stacks.failures = {"hello-dev-zone": "Validation failed with 1 error(s)"}
    stacks.reports = {"hello-dev-zone": FailureReport(unread="no permission")}
    outcome, _ = run()
    assert outcome.failed[NodeId("zone", EAST)] == (
        "ended as ROLLBACK_COMPLETE: Validation failed with 1 error(s)"
        " (the details cannot be read: no permission)"
    )


def test_the_reason_that_a_listing_shows_is_kept(run: Run, stacks: Any) -> None:
    """The events may have none but who started the operation."""
    stacks.failures = {"hello-dev-zone": STARTED_BY_USER}
    stacks.reports = {"hello-dev-zone": FailureReport()}

    def before_call(call: Any) -> None:
        for record in stacks.living(call.region):
            record.stack = replace(record.stack, reason="refused by a hook")

    stacks.before_call = before_call
    outcome, _ = run()
    assert outcome.failed[NodeId("zone", EAST)] == "ended as ROLLBACK_COMPLETE: refused by a hook"
