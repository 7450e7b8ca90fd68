"""The repair for each status of a stack, and the command to type where a person must act. Pure.

A stack that may serve is never deleted. Only a stack whose creation failed is deleted and created
again. Source: AWS CloudFormation User Guide, "Stack status codes" and "Continue rolling back an
update".
"""

from collections.abc import Iterable
from enum import Enum, auto

from deploytool.core.stacks.stack import StackStatus


class Repair(Enum):
    """What can be done with a stack in a state."""

    NONE = auto()  # it is whole
    WAIT = auto()  # an operation is under way
    RECREATE = auto()  # its creation failed: delete what is left, create it again
    CONTINUE = auto()  # continue the rollback, which leaves the stack as it was, then update
    EXPLAIN = auto()  # a person must act


def repair_of(status: StackStatus, *, ours: bool) -> Repair:
    """How to go on with a stack found in this state. `ours`: it carries a fingerprint, so this tool
    asked for its creation.

    DELETE_COMPLETE is no state to repair; it counts as whole, with nothing in it.
    """
    match status:
        case StackStatus.REVIEW_IN_PROGRESS | StackStatus.ROLLBACK_COMPLETE:
            return Repair.RECREATE  # neither holds a resource
        case StackStatus.CREATE_FAILED | StackStatus.ROLLBACK_FAILED:
            return Repair.RECREATE if ours else Repair.EXPLAIN
        case StackStatus.UPDATE_ROLLBACK_FAILED:
            return Repair.CONTINUE
        case (
            StackStatus.UPDATE_FAILED
            | StackStatus.DELETE_FAILED
            | StackStatus.IMPORT_ROLLBACK_FAILED
        ):
            return Repair.EXPLAIN
    return Repair.WAIT if status.is_busy else Repair.NONE


def command_for(status: StackStatus, stack_name: str, region: str, skip: Iterable[str] = ()) -> str:
    """What a person can type. `skip` names the resources that a rollback could not take back."""
    where = f"--region {region} --stack-name {stack_name}"
    match status:
        case StackStatus.UPDATE_ROLLBACK_FAILED:
            skipped = (
                " --resources-to-skip " + " ".join(names) if (names := sorted(set(skip))) else ""
            )
            return f"fix the cause, then run: aws cloudformation continue-update-rollback {where}{skipped}"
        case StackStatus.UPDATE_FAILED:
            return f"to restore the previous state: aws cloudformation rollback-stack {where}"
        case StackStatus.DELETE_FAILED:
            return (
                f"fix the cause, then finish the deletion: aws cloudformation delete-stack {where}; "
                "the next deployment creates it again"
            )
        case StackStatus.CREATE_FAILED | StackStatus.ROLLBACK_FAILED:
            return (
                f"its creation failed; if nothing uses it: aws cloudformation delete-stack {where}"
            )
    return f"see: aws cloudformation describe-stack-events {where}"
