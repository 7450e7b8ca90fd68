"""Every status of a stack is repaired or explained."""

import pytest

from deploytool.core.stacks.plan import Action, decide
from deploytool.core.stacks.repair import command_for, permission_hint
from deploytool.core.stacks.stack import Stack, StackStatus

EXPECTED = {
    StackStatus.CREATE_IN_PROGRESS: Action.WAIT,
    StackStatus.CREATE_FAILED: Action.REPLACE,
    StackStatus.CREATE_COMPLETE: Action.UPDATE,
    StackStatus.ROLLBACK_IN_PROGRESS: Action.WAIT,
    StackStatus.ROLLBACK_FAILED: Action.REPLACE,
    StackStatus.ROLLBACK_COMPLETE: Action.REPLACE,
    StackStatus.DELETE_IN_PROGRESS: Action.WAIT,
    StackStatus.DELETE_FAILED: Action.REFUSE,
    StackStatus.DELETE_COMPLETE: Action.CREATE,
    StackStatus.UPDATE_IN_PROGRESS: Action.WAIT,
    StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: Action.WAIT,
    StackStatus.UPDATE_COMPLETE: Action.UPDATE,
    StackStatus.UPDATE_FAILED: Action.REFUSE,
    StackStatus.UPDATE_ROLLBACK_IN_PROGRESS: Action.WAIT,
    StackStatus.UPDATE_ROLLBACK_FAILED: Action.CONTINUE,
    StackStatus.UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: Action.WAIT,
    StackStatus.UPDATE_ROLLBACK_COMPLETE: Action.UPDATE,
    StackStatus.REVIEW_IN_PROGRESS: Action.REPLACE,
    StackStatus.IMPORT_IN_PROGRESS: Action.WAIT,
    StackStatus.IMPORT_COMPLETE: Action.UPDATE,
    StackStatus.IMPORT_ROLLBACK_IN_PROGRESS: Action.WAIT,
    StackStatus.IMPORT_ROLLBACK_FAILED: Action.REFUSE,
    StackStatus.IMPORT_ROLLBACK_COMPLETE: Action.UPDATE,
}
NEVER_SERVED = {
    StackStatus.CREATE_FAILED,
    StackStatus.ROLLBACK_FAILED,
    StackStatus.ROLLBACK_COMPLETE,
    StackStatus.REVIEW_IN_PROGRESS,
}


@pytest.mark.parametrize("status", StackStatus)
def test_each_state_has_its_way_out(status: StackStatus) -> None:
    """A refused stack comes with a command to type."""
    decision = decide(Stack("s", "id", status, {}, "old"), "new")
    assert decision.action is EXPECTED[status]
    if decision.action is Action.REFUSE:
        assert str(status) in decision.reason
        assert "--region us-east-1 --stack-name s" in command_for(status, "s", "us-east-1")


@pytest.mark.parametrize("status", StackStatus)
@pytest.mark.parametrize("fingerprint", ["old", "new", None])
def test_only_what_never_served_is_deleted(status: StackStatus, fingerprint: str | None) -> None:
    """That is so for stacks of other tools too."""
    decision = decide(Stack("s", "id", status, {}, fingerprint), "new")
    assert decision.action is not Action.REPLACE or status in NEVER_SERVED


@pytest.mark.parametrize("status", [StackStatus.CREATE_FAILED, StackStatus.ROLLBACK_FAILED])
def test_a_failed_creation_of_someone_else_s_is_left_alone(status: StackStatus) -> None:
    """It may have resources, and nobody knows who uses them."""
    assert decide(Stack("s", "id", status, {}, None), "new").action is Action.REFUSE


def test_a_finished_update_that_only_cleans_up_is_done() -> None:
    """Its outputs are final, so the stacks that need them can start."""
    status = StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
    assert decide(Stack("s", "id", status, {}, "new"), "new").action is Action.NOTHING


def test_what_a_rollback_could_not_restore_is_named() -> None:
    """The command can be copied as it is."""
    command = command_for(StackStatus.UPDATE_ROLLBACK_FAILED, "s", "us-east-1", ["B", "A", "B"])
    assert command.endswith(
        "continue-update-rollback --region us-east-1 --stack-name s --resources-to-skip A B"
    )


@pytest.mark.parametrize(
    ("cause", "helps"),
    [
        ("Table (AWS::DynamoDB::Table): User: arn:x is not authorized to perform: a:B", True),
        ("Domain (x): Caller does not have permissions to create a Service Linked Role", True),
        ("Resource handler returned message: null (HandlerErrorCode: AccessDenied)", True),
        ("Bucket (AWS::S3::Bucket): it exists already", False),
    ],
)
def test_a_missing_permission_is_told_with_the_command_that_grants_it(
    cause: str, helps: bool
) -> None:
    """The reason is the service's; what grants a permission to the pipeline's role is ours."""
    assert ("deploytool bootstrap" in permission_hint(cause)) is helps
