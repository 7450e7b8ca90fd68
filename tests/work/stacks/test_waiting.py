"""Waiting for a simulated CloudFormation: how many calls it takes and how late it sees an end."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from deploytool.core.errors import CloudRefused, Throttled
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.events import StackDone, StackFailed, StackStarted
from deploytool.core.stacks.stack import StackOperation, StackStatus
from deploytool.simulated.cloudformation import Call
from deploytool.work.stacks.engine import Engine
from deploytool.work.stacks.operations import Started

EAST, WEST = "us-east-1", "us-west-2"
Run = Callable[..., Any]


def test_calls_a_minute_do_not_grow_with_the_number_of_stacks(stacks: Any, executor: Any) -> None:
    """One listing shows all stacks. Events are read once a stack, when it seems to have ended."""
    counts = {}
    for number in (1, 200):
        stacks.calls.clear()
        stacks.durations = {f"s{number}-{number}": 120.0 for number in range(number)}
        engine = Engine(stacks, stacks.clock, executor, lambda event: None)
        nodes = {
            NodeId(f"s{number}-{number}", EAST): frozenset[NodeId]() for number in range(number)
        }
        assert engine.run(nodes, Creation(stacks, 120.0)).ok
        counts[number] = Counter(what for what, _ in stacks.calls)
    assert abs(counts[200]["list"] - counts[1]["list"]) <= 1
    assert counts[1]["list"] < 60
    assert counts[200]["events"] == 200
    assert counts[200]["get"] == 0


class Creation:
    """Creates each node as a stack without a template."""

    def __init__(self, stacks: Any, expected: float) -> None:
        self.stacks, self.expected = stacks, expected

    def start(self, node: NodeId, outputs: Mapping[NodeId, Mapping[str, str]]) -> Started:
        from deploytool.core.stacks.stack import StackRequest

        request = StackRequest(node.stack, "Description: x", {}, {}, f"token-{node}")
        return Started(
            StackOperation.CREATE,
            node.stack,
            self.stacks.create(node.region, request),
            request.token,
            expected=self.expected,
        )

    def follow(self, node: NodeId, stack: Any) -> None:
        return None

    def cancel(self, node: NodeId, started: Started) -> None:
        return None


def test_a_chain_ends_close_to_its_critical_path(stacks: Any, executor: Any) -> None:
    """Ten stacks that need one another, each expected to take half a minute.

    Although they take half to twice as long, the run ends within a twentieth of their sum.
    """
    factors = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0)
    stacks.durations = {f"s{number}": 30.0 * factor for number, factor in enumerate(factors)}
    nodes = {NodeId("s0", EAST): frozenset[NodeId]()}
    for number in range(1, len(factors)):
        nodes[NodeId(f"s{number}", EAST)] = frozenset({NodeId(f"s{number - 1}", EAST)})

    engine = Engine(stacks, stacks.clock, executor, lambda event: None)
    outcome = engine.run(nodes, Creation(stacks, 30.0))

    least = sum(stacks.durations.values())
    assert least <= outcome.seconds < least * 1.05


def test_the_expected_end_comes_from_the_other_region(stacks: Any, executor: Any) -> None:
    """The same stack took twenty seconds there, whatever the table has."""
    stacks.durations = {"s": 20.0}
    events: list[Any] = []
    nodes = {
        NodeId("s", EAST): frozenset[NodeId](),
        NodeId("s", WEST): frozenset({NodeId("s", EAST)}),
    }
    Engine(stacks, stacks.clock, executor, events.append).run(nodes, Creation(stacks, 99.0))
    expected = [event.expected for event in events if isinstance(event, StackStarted)]
    assert expected == [99.0, pytest.approx(20.0, abs=3.0)]


def test_the_expected_end_comes_from_earlier_updates(run: Run, stacks: Any, graph_of: Any) -> None:
    """They are the stack's own events. For a new stack its resources count."""
    stacks.durations = {"hello-dev-api": 7.0}
    _, events = run()
    expected = {
        (event.node, event.action): event.expected
        for event in events
        if isinstance(event, StackStarted)
    }
    assert expected[NodeId("api", EAST), "create"] == 1.0  # by its one resource
    run(graph_of(thing="Thing', Metadata: {x: 1}"))
    stacks.durations = {"hello-dev-api": 9.0}
    _, events = run(graph_of(thing="Thing', Metadata: {x: 2}"))
    expected = {
        (event.node, event.action): event.expected
        for event in events
        if isinstance(event, StackStarted)
    }
    assert expected[NodeId("api", EAST), "update"] == pytest.approx(7.0, abs=0.001)


def test_a_nothing_run_reads_no_events(run: Run, stacks: Any) -> None:
    """It makes two listings and no other call."""
    run()
    stacks.calls.clear()
    run()
    assert stacks.calls == [("list", EAST), ("list", WEST)]


def test_dependents_start_while_the_update_cleans_up(run: Run, stacks: Any, graph_of: Any) -> None:
    """At UPDATE_COMPLETE_CLEANUP_IN_PROGRESS the outputs are final."""
    run()
    stacks.cleanups = {"hello-dev-lambda": 600.0}
    outcome, events = run(graph_of(code=b"2"))
    assert outcome.ok
    assert outcome.seconds < 60.0
    assert (
        stacks.find("hello-dev-lambda", EAST).status
        is StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
    )
    assert {
        event.node.stack
        for event in events
        if isinstance(event, StackDone) and event.action == "update"
    } >= {"mapping"}


def test_a_refused_listing_ends_nothing(run: Run, stacks: Any) -> None:
    """After throttling or a lost connection the call is repeated."""
    counts = Counter[str]()

    def refuse(call: Call) -> None:
        if call.method == "list":
            counts[call.region] += 1
            if 3 <= counts[call.region] <= 6:
                raise (
                    Throttled("Rate exceeded") if call.region == EAST else CloudRefused("no route")
                )
        if call.method == "events":
            counts[call.stack_id] += 1
            if counts[call.stack_id] <= 3:
                raise CloudRefused("no route")

    stacks.before_call = refuse
    outcome, _ = run()
    assert outcome.ok


def test_a_listing_that_is_always_refused_ends_the_run(stacks: Any, executor: Any) -> None:
    """The error has AWS's message, and the next run continues what is under way."""

    def refuse(call: Call) -> None:
        if call.method == "list":
            raise CloudRefused("the token expired")

    stacks.before_call = refuse
    with pytest.raises(CloudRefused, match="expired"):
        Engine(stacks, stacks.clock, executor, lambda event: None).run(
            {NodeId("s", EAST): frozenset()}, Creation(stacks, 1.0)
        )


def test_an_operation_that_someone_else_ended_is_not_waited_for_forever(
    run: Run, stacks: Any
) -> None:
    """Someone deletes the stack in the console during our creation."""
    stacks.durations = {"hello-dev-api": 100.0}

    def delete_by_hand(call: Call) -> None:
        if call.method == "list" and stacks.clock.now() > 10.0 and stacks.durations:
            stacks.durations = {}
            stacks.begin(EAST, stacks.find("hello-dev-api", EAST).id, "DELETE", "console")

    stacks.before_call = delete_by_hand
    outcome, _ = run()
    assert "someone else's operation (console)" in outcome.failed[NodeId("api", EAST)]


@pytest.mark.parametrize("stale", [1, 4, 8, 10])
def test_a_stale_end_with_old_outputs_is_not_taken(
    run: Run, stacks: Any, graph_of: Callable[..., Graph], stale: int
) -> None:
    """An answer after the end may still show the state before the update; it is read again."""
    run()
    stacks.stale, stacks.durations = stale, {"hello-dev-lambda": 0.3}
    outcome, _ = run(graph_of(code=b"2"))
    assert outcome.outputs[NodeId("lambda", EAST)] == stacks.find("hello-dev-lambda", EAST).outputs
    assert (
        outcome.outputs[NodeId("records", EAST)] == stacks.find("hello-dev-records", EAST).outputs
    )


def test_the_first_cause_in_a_nested_stack_is_found(run: Run, stacks: Any) -> None:
    """'Embedded stack ... was not successfully created' does not help a user."""
    stacks.nested_failures = {"hello-dev-api": "limit"}
    outcome, _ = run()
    assert outcome.failed[NodeId("api", EAST)] == "Table (T): limit"


class Broken(Creation):
    """An operation with a programming error."""

    def start(self, node: NodeId, outputs: Mapping[NodeId, Mapping[str, str]]) -> Started:
        raise ZeroDivisionError


def test_a_bug_in_an_operation_ends_the_run(stacks: Any, executor: Any) -> None:
    """It is no failed stack: it is raised in the main thread and ends as a bug."""
    events: list[Any] = []
    engine = Engine(stacks, stacks.clock, executor, events.append)
    with pytest.raises(ZeroDivisionError):
        engine.run({NodeId("s", EAST): frozenset()}, Broken(stacks, 1.0))
    assert not [event for event in events if isinstance(event, StackFailed)]
