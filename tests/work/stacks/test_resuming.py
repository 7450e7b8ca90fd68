"""Killed runs: the next run continues what is under way and creates nothing twice."""

from collections.abc import Callable
from typing import Any

import pytest

from deploytool.core.errors import StackExists
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.events import StackStarted, StackWaiting
from deploytool.core.stacks.stack import StackOperation, StackRequest
from deploytool.work.stacks.destroy import destroy

EAST, WEST = "us-east-1", "us-west-2"
Run = Callable[..., Any]


def outputs_of(stacks: Any) -> dict[tuple[str, str], Any]:
    living = {
        (record.stack.name, region): record.stack.outputs
        for region in (EAST, WEST)
        for record in stacks.living(region)
    }
    assert len(living) == sum(len(stacks.living(region)) for region in (EAST, WEST)), (
        "a stack is there twice"
    )
    return living


def test_a_creation_whose_answer_was_lost_counts_as_created(
    run: Run, stacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Botocore repeats the call, and CloudFormation says that the stack exists. It is ours."""
    create = stacks.create

    def answer_lost(region: str, request: StackRequest) -> str:
        create(region, request)
        raise StackExists(f"{request.name} exists already")

    monkeypatch.setattr(stacks, "create", answer_lost)
    outcome, events = run()
    assert set(outcome.done.values()) == {StackOperation.CREATE}
    assert not any(isinstance(event, StackWaiting) for event in events)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("work", ["create", "update", "repair", "destroy"])
def test_a_run_killed_at_any_call_is_finished_by_the_next(
    fresh: Any, graph_of: Any, when: str, work: str
) -> None:
    """The outputs are the same and no stack exists twice, whichever call it was.

    The process ends before the call has an effect, or after it, so that the answer is lost.
    """
    durations = {"hello-dev-zone": 4.0, "hello-dev-lambda": 2.0, "hello-dev-certificate": 3.0}

    def attempt(run: Run) -> Any:
        return (
            run(work=destroy)
            if work == "destroy"
            else run(graph_of(code=b"2") if work == "update" else None)
        )

    def prepared() -> Any:
        stacks, run = fresh()
        stacks.durations = durations
        if work == "repair":
            stacks.failures = {"hello-dev-lambda": "quota exceeded"}
        if work != "create":
            run()
        stacks.failures = {}
        stacks.calls.clear()
        return stacks, run

    stacks, run = prepared()
    assert attempt(run)[0].ok
    undisturbed, calls = outputs_of(stacks), len(stacks.calls)
    assert calls > 20
    for at in range(1, calls + 1):
        stacks, run = prepared()
        stacks.kill_at = (at, when)
        with pytest.raises(stacks.killed):
            attempt(run)
        stacks.kill_at = (0, "")
        outcome, _ = attempt(run)
        assert outcome.ok, (at, outcome)
        assert outputs_of(stacks) == undisturbed, at


def test_the_next_run_continues_the_creation_under_way(run: Run, stacks: Any) -> None:
    """Its token shows that it is ours: it is waited for, and not started again."""
    stacks.durations = {"hello-dev-zone": 30.0}
    stacks.kill_at = (20, "before")
    with pytest.raises(stacks.killed):
        run()
    stacks.kill_at = (0, "")
    outcome, events = run()
    resumed = {event.node for event in events if isinstance(event, StackStarted) and event.resumed}
    assert outcome.ok
    assert NodeId("zone", EAST) in resumed
    assert not [event for event in events if isinstance(event, StackWaiting)]
    assert [name for _, action, name, _ in stacks.history].count("hello-dev-zone") == 1


def test_an_operation_for_another_state_is_waited_for_and_then_ours_begins(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """The killed run deployed other code, so its update counts as someone else's."""
    run()
    stacks.durations = {"hello-dev-lambda": 60.0}
    stacks.calls.clear()
    stacks.kill_at = (20, "before")
    with pytest.raises(stacks.killed):
        run(graph_of(code=b"2"))
    stacks.kill_at = (0, "")
    outcome, events = run(graph_of(code=b"3"))
    waited = {event.node: event for event in events if isinstance(event, StackWaiting)}
    assert outcome.ok
    assert waited[NodeId("lambda", EAST)].holder.startswith("deploytool-update-")
    assert [name for _, action, name, _ in stacks.history if action == "UPDATE"].count(
        "hello-dev-lambda"
    ) == 4


def test_a_token_that_a_deleted_stack_has_used_is_not_used_again(run: Run, stacks: Any) -> None:
    """After a deletion CloudFormation refuses the old token, or returns the deleted stack's id."""
    run()
    run(work=destroy)
    stacks.old_tokens_refused = frozenset({EAST})
    stacks.old_tokens_answer = frozenset({WEST})
    outcome, _ = run()
    assert outcome.ok
    assert len(outputs_of(stacks)) == len(outcome.done)
