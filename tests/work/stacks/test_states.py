"""Stacks in bad states are repaired or explained. No stack that may serve is deleted."""

from collections.abc import Callable
from typing import Any

import pytest

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.events import StackFailed, StackStarted
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.stack import StackStatus
from deploytool.simulated.cloudformation import Call
from deploytool.work.stacks.destroy import destroy

EAST, WEST = "us-east-1", "us-west-2"
API = "hello-dev-api"
Run = Callable[..., Any]


@pytest.mark.parametrize(
    "status",
    [
        "CREATE_FAILED",
        "ROLLBACK_FAILED",
        "ROLLBACK_COMPLETE",
        "REVIEW_IN_PROGRESS",
        "DELETE_COMPLETE",
    ],
)
def test_a_failed_creation_is_created_again(run: Run, stacks: Any, status: str) -> None:
    """A protected stack too. The new stack has outputs."""
    run()
    stacks.put(API, EAST, StackStatus(status))
    outcome, _ = run()
    assert outcome.ok
    assert outcome.done[NodeId("api", EAST)] == Action.CREATE
    assert stacks.find(API, EAST).status is StackStatus.CREATE_COMPLETE


def test_a_stack_that_is_complete_meanwhile_is_kept(run: Run, stacks: Any) -> None:
    """The listing showed ROLLBACK_COMPLETE, which was no longer true."""
    run()

    def change_listing(call: Call) -> None:
        """Show the old status in a listing only."""
        listing = call.method == "list"
        status = StackStatus.ROLLBACK_COMPLETE if listing else StackStatus.CREATE_COMPLETE
        stacks.put(API, EAST, status)

    stacks.before_call = change_listing
    stacks.history.clear()
    outcome, _ = run()
    assert outcome.ok
    assert not stacks.history


def test_a_rollback_that_failed_is_continued_and_then_updated(
    run: Run, stacks: Any, graph_of: Any
) -> None:
    """One continuation is enough, and then the stack accepts the update."""
    run()
    stacks.put(API, EAST, StackStatus.UPDATE_ROLLBACK_FAILED, "cannot take back")
    outcome, events = run(graph_of(thing="Thing', Metadata: {x: 1}"))
    operations = [
        event.action
        for event in events
        if isinstance(event, StackStarted) and event.node == NodeId("api", EAST)
    ]
    assert outcome.ok
    assert operations == ["continue the rollback", "update"]


def test_a_rollback_that_fails_again_is_explained_with_what_to_skip(run: Run, stacks: Any) -> None:
    """The command names the resources to skip, and nothing is deleted."""
    run()
    stacks.put(API, EAST, StackStatus.UPDATE_ROLLBACK_FAILED, "cannot take back")
    stacks.failures = {API: "still cannot"}
    stacks.history.clear()
    outcome, events = run()
    (failed,) = [event for event in events if isinstance(event, StackFailed)]
    assert not outcome.ok
    assert "still cannot" in failed.cause
    assert failed.hint.endswith(f"--region {EAST} --stack-name {API} --resources-to-skip Thing")
    assert [action for _, action, _, _ in stacks.history] == ["UPDATE_ROLLBACK"]


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("UPDATE_FAILED", "aws cloudformation rollback-stack"),
        ("DELETE_FAILED", "aws cloudformation delete-stack"),
        ("IMPORT_ROLLBACK_FAILED", "aws cloudformation describe-stack-events"),
    ],
)
def test_what_needs_a_person_is_explained(run: Run, stacks: Any, status: str, command: str) -> None:
    """The status, the reason and a command are shown, and nothing is started."""
    run()
    stacks.put(API, EAST, StackStatus(status), "because")
    stacks.history.clear()
    _, events = run()
    (failed,) = [event for event in events if isinstance(event, StackFailed)]
    assert failed.cause == f"{API} is {status}: because"
    assert f"{command} --region {EAST} --stack-name {API}" in failed.hint
    assert not stacks.history


def test_destroy_tries_a_failed_deletion_again_and_is_not_taken_for_the_first(
    run: Run, stacks: Any
) -> None:
    """The second attempt has a token of its own, and so an end of its own."""
    run()
    stacks.failures = {API: "bucket not empty"}
    outcome, events = run(work=destroy)
    assert {node.stack for node in outcome.failed} == {"api"}
    assert "delete-stack" in next(event.hint for event in events if isinstance(event, StackFailed))
    outcome, _ = run(work=destroy)
    assert {node.stack for node in outcome.failed} == {"api"}
    stacks.failures = {}
    outcome, _ = run(work=destroy)
    assert outcome.ok
    assert not stacks.living(EAST) + stacks.living(WEST)
