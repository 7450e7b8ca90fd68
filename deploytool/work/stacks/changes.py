"""Begins, takes up again and cancels single operations on stacks, for a deployment and for a
deletion.
"""

from deploytool.core.errors import CloudRefused
from deploytool.core.project.graph import Node
from deploytool.core.project.template import digest
from deploytool.core.stacks.durations import earlier_seconds
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.ports import Stacks
from deploytool.core.stacks.stack import Stack, StackStatus, latest_of
from deploytool.core.stacks.tokens import read_token, token_for
from deploytool.work.stacks.operations import Started, WaitingForOther

# What an earlier run, which was killed, may have left under way and this one goes on with
RESUMED = {
    StackStatus.CREATE_IN_PROGRESS: Action.CREATE,
    StackStatus.UPDATE_IN_PROGRESS: Action.UPDATE,
    StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: Action.UPDATE,
}


def resume_or_wait(
    stacks: Stacks, node: Node, stack: Stack, fingerprint: str, expected: float | None
) -> Started | WaitingForOther:
    """Go on with an operation under way if it brings about what is wanted; otherwise wait for it as
    for someone else's.
    """
    events = stacks.latest_events(node.id.region, stack.id)
    last = latest_of(events, stack.id)
    token = last.token if last else ""
    ours, action = read_token(token), RESUMED.get(stack.status)
    if action and ours and ours.fingerprint == fingerprint and ours.operation == action:
        return Started(action, node.stack_name, stack.id, token, expected=expected, resumed=True)
    return WaitingForOther(stack.id, stack.status, token)


def begin_deletion(stacks: Stacks, region: str, stack: Stack) -> str:
    """Delete a stack, its termination protection first; the token. A second attempt is not taken
    for the first.
    """
    if stack.protected:
        stacks.protect(region, stack.id, on=False)
    attempt = _latest(stacks, region, stack) if stack.status is StackStatus.DELETE_FAILED else ""
    token = token_for("delete", digest([stack.id])[:16], stack.changed_at, attempt)
    stacks.delete(region, stack.id, token)
    return token


def begin_continuation(stacks: Stacks, region: str, stack: Stack) -> str:
    """Continue the rollback of a stack that is UPDATE_ROLLBACK_FAILED; the token."""
    token = token_for(
        "continue", digest([stack.id])[:16], stack.changed_at, _latest(stacks, region, stack)
    )
    stacks.continue_rollback(region, stack.id, token)
    return token


def earlier_update(stacks: Stacks, region: str, stack_id: str) -> float | None:
    """Seconds that the stack's latest good update took, if its events still tell."""
    try:
        return earlier_seconds(stacks.latest_events(region, stack_id), stack_id, "UPDATE")
    except CloudRefused:  # only an estimate is lost; what it is for has begun and is waited for
        return None


def cancel(stacks: Stacks, region: str, begun: Started) -> str | None:
    """Cancel an operation; the cancellation's token, or None where it is best waited for.

    An update is rolled back. A creation is deleted, but never a stack that has been complete: that
    may serve.
    """
    if begun.action not in (Action.CREATE, Action.UPDATE):
        return None
    stack = stacks.get(region, begun.stack_id)
    match stack.status:
        case StackStatus.UPDATE_IN_PROGRESS:
            token = token_for("cancel", digest([begun.stack_id])[:16], begun.token)
            stacks.cancel_update(region, begun.stack_id, token)
            return token
        case StackStatus.CREATE_IN_PROGRESS if begun.action == Action.CREATE:
            return begin_deletion(stacks, region, stack)
    return None


def _latest(stacks: Stacks, region: str, stack: Stack) -> str:
    """What tells one attempt from the next: when the last one ended."""
    last = latest_of(stacks.latest_events(region, stack.id), stack.id)
    return last.at.isoformat() if last else ""
