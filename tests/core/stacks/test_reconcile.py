"""What a run decides that also looks at the resources of its stacks."""

import pytest

from deploytool.core.stacks.plan import Action, Decision
from deploytool.core.stacks.reconcile import with_repair
from deploytool.core.stacks.stack import Stack, StackStatus


@pytest.mark.parametrize(
    ("status", "action", "expected"),
    [
        ("CREATE_COMPLETE", Action.NOTHING, Action.UPDATE),
        ("UPDATE_ROLLBACK_COMPLETE", Action.NOTHING, Action.UPDATE),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Action.NOTHING, Action.WAIT),
        ("CREATE_COMPLETE", Action.UPDATE, Action.UPDATE),
        ("ROLLBACK_COMPLETE", Action.REPLACE, Action.REPLACE),
        ("UPDATE_FAILED", Action.REFUSE, Action.REFUSE),
        ("CREATE_COMPLETE", Action.LEFT, Action.LEFT),
    ],
)
def test_only_a_stack_that_is_as_desired_is_compared_in_addition(
    status: str, action: Action, expected: Action
) -> None:
    """Whatever else is to be done with a stack stays to be done."""
    stack = Stack("s", "id", StackStatus(status), {})
    assert with_repair(Decision(action, "why"), stack).action is expected
