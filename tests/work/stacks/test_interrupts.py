"""Requests of the user to stop: the first, the second and the third."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.events import CancelRequested, Detached, StackStarted, StopRequested
from deploytool.core.stacks.stack import StackStatus
from deploytool.simulated.cloudformation import Call
from deploytool.simulated.executor import InlineExecutor
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.run import DeployOptions

EAST, WEST = "us-east-1", "us-west-2"
Run = Callable[..., Any]


class RequestsAt:
    """Requests to stop at these times of the virtual clock."""

    def __init__(self, clock: Any, *times: float) -> None:
        self.clock, self.times = clock, times

    def count(self) -> int:
        return sum(self.clock.now() >= time for time in self.times)


@pytest.fixture
def stop_at(run: Run, stacks: Any) -> Callable[..., Any]:
    def stop_at(*times: float, **more: Any) -> Any:
        now = stacks.clock.now()
        return run(
            options=DeployOptions(
                interrupts=RequestsAt(stacks.clock, *(now + time for time in times))
            ),
            **more,
        )

    return stop_at


def test_the_first_request_starts_nothing_more_and_waits(
    stop_at: Any, run: Run, stacks: Any
) -> None:
    """What was under way is done, the rest is not started, and the next run continues there."""
    stacks.durations = {"hello-dev-zone": 20.0}
    outcome, events = stop_at(5.0)
    assert next(event for event in events if isinstance(event, StopRequested)).nodes == (
        NodeId("zone", EAST),
    )
    assert NodeId("zone", EAST) in outcome.done
    assert outcome.stopped[NodeId("certificate", WEST)] == "not started"
    assert not [event for event in events if isinstance(event, StackStarted) and event.at > 5.2]
    assert run()[0].ok


def test_the_second_request_deletes_a_creation_and_rolls_back_an_update(
    stop_at: Any, run: Run, stacks: Any, graph_of: Any
) -> None:
    """A new stack is deleted, and an old one has its old state again."""
    stacks.durations = {"hello-dev-zone": 20.0}
    outcome, events = stop_at(3.0, 4.0)
    assert next(event for event in events if isinstance(event, CancelRequested)).nodes == (
        NodeId("zone", EAST),
    )
    assert outcome.stopped[NodeId("zone", EAST)] == "create cancelled"
    assert "hello-dev-zone" not in {record.stack.name for record in stacks.living(EAST)}
    stacks.durations = {}
    run()
    before = stacks.find("hello-dev-lambda", EAST)
    stacks.durations = {"hello-dev-lambda": 20.0}
    outcome, _ = stop_at(3.0, 4.0, graph=graph_of(code=b"2"))
    after = stacks.find("hello-dev-lambda", EAST)
    assert outcome.stopped[NodeId("lambda", EAST)] == "update cancelled"
    assert after.status is StackStatus.UPDATE_ROLLBACK_COMPLETE
    assert (after.id, after.outputs) == (before.id, before.outputs)
    assert run(graph_of(code=b"2"))[0].ok


def test_the_second_request_never_deletes_a_complete_stack(
    stop_at: Any, run: Run, stacks: Any
) -> None:
    """A creation that ended between the listing and the cancellation stays."""
    stacks.durations = {"hello-dev-zone": 20.0}

    def just_ended(call: Call) -> None:
        for record in stacks.records.values():
            if call.method == "get" and record.change:
                record.change.ends = stacks.clock.now()

    stacks.before_call = just_ended
    outcome, _ = stop_at(3.0, 4.0)
    assert outcome.done[NodeId("zone", EAST)] == "create"
    assert "DELETE" not in [action for _, action, _, _ in stacks.history]


def test_the_third_request_leaves_what_runs_to_the_next_run(
    stop_at: Any, run: Run, stacks: Any
) -> None:
    """The run ends without waiting for anything."""
    run()
    stacks.durations = {"hello-dev-zone": 500.0}
    run_time = stacks.clock.now()
    outcome, events = stop_at(1.0, 1.0, 1.0, work=destroy)
    assert [event for event in events if isinstance(event, Detached)]
    assert stacks.clock.now() - run_time < 5.0
    assert set(outcome.stopped.values()) <= {"not started", "left to CloudFormation"}
    stacks.durations = {}
    assert run()[0].ok


def test_a_request_before_the_first_start_starts_nothing(stop_at: Any, stacks: Any) -> None:
    """The request came during the first listing."""
    outcome, _ = stop_at(0.0)
    assert not stacks.history
    assert set(outcome.stopped.values()) == {"not started"}


class Late(InlineExecutor):
    """Once the run has started, its calls end only when the test says so."""

    def __init__(self) -> None:
        self.started = False
        self.calls: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, call: Callable[[], Any], /) -> Future[Any]:
        if not self.started:
            return super().submit(call)
        future: Future[Any] = Future()
        self.calls.append((future, call))
        return future

    def end_all(self) -> None:
        while self.calls:
            future, call = self.calls.pop(0)
            future.set_result(call())


class RequestsWhileStarting:
    """Requests to stop in the second turn. From the third turn on the calls end.

    With `at_once` they end in the second turn already.
    """

    def __init__(self, executor: Late, times: int, *, at_once: bool = False) -> None:
        self.executor = executor
        self.times = times
        self.at_once = at_once
        self.turn = 0

    def count(self) -> int:
        self.turn += 1
        self.executor.started = True
        if self.turn > 2 or (self.at_once and self.turn == 2):
            self.executor.end_all()
        return 0 if self.turn < 2 else self.times


def test_a_start_that_ends_after_the_second_request_is_cancelled(
    ports: Any, stacks: Any, graph_of: Any
) -> None:
    """The stack is deleted as soon as the call has returned its id."""
    executor = Late()
    outcome = deploy(
        graph_of(),
        replace(ports, executor=executor),
        lambda event: None,
        options=DeployOptions(interrupts=RequestsWhileStarting(executor, 2)),
    )
    assert set(outcome.stopped.values()) == {"create cancelled", "not started"}
    assert not stacks.living(EAST) + stacks.living(WEST)


def test_a_start_that_ends_after_the_third_request_changes_no_outcome(
    ports: Any, graph_of: Any
) -> None:
    """The node is left to CloudFormation, and that stays its end."""
    executor = Late()
    outcome = deploy(
        graph_of(),
        replace(ports, executor=executor),
        lambda event: None,
        options=DeployOptions(interrupts=RequestsWhileStarting(executor, 3, at_once=True)),
    )
    assert set(outcome.stopped.values()) == {"left to CloudFormation", "not started"}
    assert not outcome.done
