"""The repair for each status of a stack, and the command to type where a person must act. Pure.

A stack that may serve is never deleted. Only a stack whose creation failed is deleted and created
again. Source: AWS CloudFormation User Guide, "Stack status codes" and "Continue rolling back an
update".
"""

from collections.abc import Iterable
from enum import Enum, auto
from typing import assert_never

from deploytool.core.stacks.stack import StackStatus


class Repair(Enum):
    """What can be done with a stack in some status."""

    NONE = auto()  # nothing: it can be updated, or it is deleted
    WAIT = auto()  # wait: an operation is under way
    RECREATE = auto()  # its creation failed: delete what is left, create it again
    CONTINUE = auto()  # continue the rollback, which restores the stack, then update
    EXPLAIN = auto()  # explain: a person must act


# How a service says that the principal of an operation lacks a permission (IAM User Guide,
# "Troubleshoot access denied error messages"); API Gateway has words of its own.
_DENIALS = (
    "is not authorized to perform",
    "AccessDenied",
    "does not have permissions to create a Service Linked Role",
)


def permission_hint(cause: str) -> str:
    """Return what to do when a resource failed because a permission is missing, else ""."""
    if not any(denial in cause for denial in _DENIALS):
        return ""
    return (
        "the principal that CloudFormation acts with lacks a permission; when that is the pipeline's"
        " role: deploytool lint tells which it lacks, and deploytool bootstrap grants them for the"
        " stage"
    )


def repair_of(status: StackStatus, *, ours: bool) -> Repair:
    """Return how to go on with a stack of this status. `ours`: this tool created the stack.

    A status that is not known here ends by itself when its name says so; else a person must act.
    """
    if status.is_known:
        return _repair_of_known(status, ours=ours)
    return Repair.WAIT if status.is_busy else Repair.EXPLAIN


def _repair_of_known(status: StackStatus, *, ours: bool) -> Repair:
    match status:
        case StackStatus.REVIEW_IN_PROGRESS | StackStatus.ROLLBACK_COMPLETE:
            return Repair.RECREATE  # no stack in these states has a resource
        case StackStatus.CREATE_FAILED | StackStatus.ROLLBACK_FAILED:
            # Resources may be left, and others may use those that another tool created.
            return Repair.RECREATE if ours else Repair.EXPLAIN
        case StackStatus.UPDATE_ROLLBACK_FAILED:
            return Repair.CONTINUE
        case (
            StackStatus.UPDATE_FAILED
            | StackStatus.DELETE_FAILED
            | StackStatus.IMPORT_ROLLBACK_FAILED
        ):
            return Repair.EXPLAIN
        case (
            StackStatus.CREATE_IN_PROGRESS
            | StackStatus.ROLLBACK_IN_PROGRESS
            | StackStatus.DELETE_IN_PROGRESS
            | StackStatus.UPDATE_IN_PROGRESS
            | StackStatus.UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
            | StackStatus.UPDATE_ROLLBACK_IN_PROGRESS
            | StackStatus.UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
            | StackStatus.IMPORT_IN_PROGRESS
            | StackStatus.IMPORT_ROLLBACK_IN_PROGRESS
        ):
            return Repair.WAIT
        case (
            StackStatus.CREATE_COMPLETE
            | StackStatus.UPDATE_COMPLETE
            | StackStatus.UPDATE_ROLLBACK_COMPLETE
            | StackStatus.IMPORT_COMPLETE
            | StackStatus.IMPORT_ROLLBACK_COMPLETE
            | StackStatus.DELETE_COMPLETE
        ):
            return Repair.NONE
    assert_never(status)


def command_for(status: StackStatus, stack_name: str, region: str, skip: Iterable[str] = ()) -> str:
    """Return the AWS CLI command that a person can type, with a few words about it.

    `skip` are the logical ids of the resources that a rollback could not restore.
    """
    options = f"--region {region} --stack-name {stack_name}"
    match status:
        case StackStatus.UPDATE_ROLLBACK_FAILED:
            skipped = sorted(set(skip))
            if skipped:
                options += f" --resources-to-skip {' '.join(skipped)}"
            return f"fix the cause, then run: aws cloudformation continue-update-rollback {options}"
        case StackStatus.UPDATE_FAILED:
            return f"to restore the previous state: aws cloudformation rollback-stack {options}"
        case StackStatus.DELETE_FAILED:
            return (
                "fix the cause, then finish the deletion: "
                f"aws cloudformation delete-stack {options}; "
                "the next deployment creates the stack again"
            )
        case StackStatus.CREATE_FAILED | StackStatus.ROLLBACK_FAILED:
            return (
                "the creation failed; if nothing uses the stack: "
                f"aws cloudformation delete-stack {options}"
            )
        case _:
            return f"see: aws cloudformation describe-stack-events {options}"
