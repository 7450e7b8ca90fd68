"""Waiting on a simulated CloudFormation: how many calls that takes, and how late an end is seen."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from deploytool.core.errors import CloudRefused, Throttled
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.events import StackDone, StackStarted
from deploytool.core.stacks.stack import StackStatus
from deploytool.work.stacks.engine import Engine, Started

EAST, WEST = "us-east-1", "us-west-2"
Run = Callable[..., Any]


def test_calls_a_minute_do_not_grow_with_the_number_of_stacks(stacks: Any, runner: Any) -> None:
    """One listing tells of two hundred as of one; events are read once a stack, when it looks
    ended.
    """
    counts = {}
    for number in (1, 200):
        stacks.calls.clear()
        stacks.durations = {f"s{number}-{each}": 120.0 for each in range(number)}
        engine = Engine(stacks, stacks.clock, runner, lambda event: None)
        nodes = {NodeId(f"s{number}-{each}", EAST): frozenset[NodeId]() for each in range(number)}
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

    def begin(self, node: NodeId, outputs: Mapping[NodeId, Mapping[str, str]]) -> Started:
        from deploytool.core.stacks.stack import StackRequest

        request = StackRequest(node.stack, "Description: x", {}, {}, f"token-{node}")
        return Started(
            "create",
            node.stack,
            self.stacks.create(node.region, request),
            request.token,
            expected=self.expected,
        )

    def after(self, node: NodeId, stack: Any) -> None:
        return None

    def cancel(self, node: NodeId, begun: Started) -> None:
        return None


def test_a_chain_ends_close_to_its_critical_path(stacks: Any, runner: Any) -> None:
    """Ten stacks that wait for one another, each expected to take half a minute.

    Though they take half to twice as long, the run ends within a twentieth of their sum.
    """
    factors = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0)
    stacks.durations = {f"s{number}": 30.0 * factor for number, factor in enumerate(factors)}
    nodes = {NodeId("s0", EAST): frozenset[NodeId]()}
    for number in range(1, len(factors)):
        nodes[NodeId(f"s{number}", EAST)] = frozenset({NodeId(f"s{number - 1}", EAST)})

    engine = Engine(stacks, stacks.clock, runner, lambda event: None)
    outcome = engine.run(nodes, Creation(stacks, 30.0))

    least = sum(stacks.durations.values())
    assert least <= outcome.seconds < least * 1.05


def test_the_expected_end_comes_from_the_other_region(stacks: Any, runner: Any) -> None:
    """The same stack took twenty seconds there, whatever the table says."""
    stacks.durations = {"s": 20.0}
    events: list[Any] = []
    nodes = {
        NodeId("s", EAST): frozenset[NodeId](),
        NodeId("s", WEST): frozenset({NodeId("s", EAST)}),
    }
    Engine(stacks, stacks.clock, runner, events.append).run(nodes, Creation(stacks, 99.0))
    expected = [each.expected for each in events if isinstance(each, StackStarted)]
    assert expected == [99.0, pytest.approx(20.0, abs=3.0)]


def test_the_expected_end_comes_from_earlier_updates(run: Run, stacks: Any, graph_of: Any) -> None:
    """The stack's own events tell; a new stack's resources do."""
    stacks.durations = {"hello-dev-api": 7.0}
    _, events = run()
    expected = {
        (each.node, each.action): each.expected for each in events if isinstance(each, StackStarted)
    }
    assert expected[NodeId("api", EAST), "create"] == 1.0  # by its one resource
    run(graph_of(thing="Thing', Metadata: {x: 1}"))
    stacks.durations = {"hello-dev-api": 9.0}
    _, events = run(graph_of(thing="Thing', Metadata: {x: 2}"))
    expected = {
        (each.node, each.action): each.expected for each in events if isinstance(each, StackStarted)
    }
    assert expected[NodeId("api", EAST), "update"] == pytest.approx(7.0, abs=0.001)


def test_a_nothing_run_reads_no_events(run: Run, stacks: Any) -> None:
    """Two listings and nothing else."""
    run()
    stacks.calls.clear()
    run()
    assert stacks.calls == [("list", EAST), ("list", WEST)]


def test_dependants_begin_while_the_update_cleans_up(
    run: Run, stacks: Any, graph_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At UPDATE_COMPLETE_CLEANUP_IN_PROGRESS the outputs are final."""
    run()
    their = type(stacks)._advance

    def advance(self: Any) -> None:
        ended = [
            each
            for each in self.held.values()
            if each.operation and each.operation.ends <= self.clock.now()
        ]
        ended = [
            each
            for each in ended
            if each.operation.action == "UPDATE" and each.stack.name == "hello-dev-lambda"
        ]
        for held in ended:
            self._set(
                held,
                "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
                held.operation.token,
                held.operation.request,
            )
            held.operation.ends += 600.0
        their(self)

    monkeypatch.setattr(type(stacks), "_advance", advance)
    outcome, events = run(graph_of(code=b"2"))
    assert outcome.ok
    assert outcome.seconds < 60.0
    assert (
        stacks.find("hello-dev-lambda", EAST).status
        is StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
    )
    assert {
        each.node.stack
        for each in events
        if isinstance(each, StackDone) and each.action == "update"
    } >= {"mapping"}


def test_a_refused_listing_ends_nothing(
    run: Run, stacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Throttled for long, or cut off for a while: it is asked again."""
    their, asked = type(stacks).list, Counter[str]()

    def refusing(self: Any, region: str) -> Any:
        asked[region] += 1
        if 3 <= asked[region] <= 6:
            raise Throttled("Rate exceeded") if region == EAST else CloudRefused("no route")
        return their(self, region)

    their_events = type(stacks).events

    def refusing_events(self: Any, region: str, stack_id: str, *tokens: str) -> Any:
        asked[stack_id] += 1
        if asked[stack_id] <= 3:
            raise CloudRefused("no route")
        return their_events(self, region, stack_id, *tokens)

    monkeypatch.setattr(type(stacks), "list", refusing)
    monkeypatch.setattr(type(stacks), "events", refusing_events)
    outcome, _ = run()
    assert outcome.ok


def test_a_listing_that_is_refused_for_good_ends_the_run(
    stacks: Any, runner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With AWS's words; what runs is taken up by the next run."""

    def refusing(self: Any, region: str) -> Any:
        raise CloudRefused("the token expired")

    monkeypatch.setattr(type(stacks), "list", refusing)
    with pytest.raises(CloudRefused, match="expired"):
        Engine(stacks, stacks.clock, runner, lambda event: None).run(
            {NodeId("s", EAST): frozenset()}, Creation(stacks, 1.0)
        )


def test_an_operation_that_someone_else_ended_is_not_waited_for_forever(
    run: Run, stacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deletion from the console during our creation."""
    stacks.durations = {"hello-dev-api": 100.0}
    their, done = type(stacks).list, []

    def deleting(self: Any, region: str) -> Any:
        if self.clock.now() > 10.0 and not done:
            done.append(1)
            held = next(each for each in self.held.values() if each.stack.name == "hello-dev-api")
            self.durations = {}
            self._begin(EAST, held.stack.id, "DELETE", "console", None)
        return their(self, region)

    monkeypatch.setattr(type(stacks), "list", deleting)
    outcome, _ = run()
    assert "someone else's operation (console)" in outcome.failed[NodeId("api", EAST)]


@pytest.mark.parametrize("stale", [1, 4, 8, 10])
def test_a_stale_end_with_old_outputs_is_not_taken(
    run: Run, stacks: Any, graph_of: Callable[..., Graph], stale: int
) -> None:
    """The answer after the end may still be the one from before the update: it is asked again."""
    run()
    stacks.stale, stacks.durations = stale, {"hello-dev-lambda": 0.3}
    outcome, _ = run(graph_of(code=b"2"))
    assert outcome.outputs[NodeId("lambda", EAST)] == stacks.find("hello-dev-lambda", EAST).outputs
    assert (
        outcome.outputs[NodeId("records", EAST)] == stacks.find("hello-dev-records", EAST).outputs
    )


def test_the_first_cause_in_a_nested_stack_is_found(
    run: Run, stacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """'Embedded stack ... was not successfully created' helps nobody."""
    from deploytool.core.stacks.stack import STACK_TYPE

    stacks.failures = {"hello-dev-api": "Embedded stack was not successfully created"}
    their_event, their_latest = type(stacks)._event, type(stacks).latest_events

    def event(
        self: Any,
        held: Any,
        logical: str,
        kind: str,
        status: str,
        reason: str,
        token: str,
        physical: str = "",
    ) -> None:
        if reason.startswith("Embedded"):
            kind, physical = STACK_TYPE, "arn:nested"
        their_event(self, held, logical, kind, status, reason, token, physical)

    def latest(self: Any, region: str, stack_id: str) -> Any:
        if stack_id != "arn:nested":
            return their_latest(self, region, stack_id)
        some = next(each for held in self.held.values() for each in held.events)
        cause = replace(
            some,
            logical_id="Table",
            type="T",
            status="CREATE_FAILED",
            reason="limit",
            physical_id="",
        )
        return [replace(cause, reason="Resource creation cancelled", logical_id="Other"), cause]

    monkeypatch.setattr(type(stacks), "_event", event)
    monkeypatch.setattr(type(stacks), "latest_events", latest)
    outcome, _ = run()
    assert outcome.failed[NodeId("api", EAST)] == "Table (T): limit"
