"""Why CloudFormation refused an operation before it touched a resource."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.open_enum import OpenStrEnum
from deploytool.core.stacks.failures import (
    STARTED_BY_USER,
    FailureReport,
    OperationFailure,
    operation_of,
    stack_reason,
)
from deploytool.core.stacks.repair import Repair, command_for, repair_of
from deploytool.core.stacks.stack import (
    STACK_TYPE,
    VALIDATION_FAILED,
    StackEvent,
    StackStatus,
    end_of,
)

ID = "arn:stack/1"
START = datetime(2026, 1, 1, tzinfo=UTC)


def own(seconds: float, status: str, reason: str = "", operation_id: str = "") -> StackEvent:
    """An event of the stack itself."""
    at = START + timedelta(seconds=seconds)
    return StackEvent(at, "stack", STACK_TYPE, status, reason, "token", ID, operation_id)


EVENTS = [
    own(0, "CREATE_IN_PROGRESS", STARTED_BY_USER, "creation"),
    own(1, "ROLLBACK_IN_PROGRESS", "Validation failure detected.", "rollback"),
    own(2, "ROLLBACK_COMPLETE", "", "rollback"),
]


@given(st.permutations(EVENTS))
def test_the_reason_may_be_on_the_start_of_the_rollback(events: list[StackEvent]) -> None:
    """No event of a resource has it, and who started the operation is no reason."""
    assert stack_reason(events, ID, "token") == "Validation failure detected."
    assert operation_of(events, ID, "token") == "creation"
    assert stack_reason(events, ID, "another") == ""
    assert operation_of(events, ID, "another") == ""


def test_a_failed_validation_ends_with_its_rollback() -> None:
    """Its first event says CREATE_FAILED, and CloudFormation goes on."""
    failed = replace(own(1, "CREATE_FAILED", "1 error"), detailed_status=VALIDATION_FAILED)
    started = own(0, "CREATE_IN_PROGRESS")
    assert end_of([failed, started], ID, "token") is None
    ended = [own(2, "ROLLBACK_COMPLETE"), failed, started]
    assert end_of(ended, ID, "token") is StackStatus.ROLLBACK_COMPLETE


def test_a_report_names_the_resource_and_the_place_in_the_template() -> None:
    """Each fault is named once, although several validations may find it."""
    fault = OperationFailure("Api", "AWS::S3::Bucket", "it exists", "/Resources/Api")
    other = OperationFailure("", "", "a hook refused it")
    report = FailureReport((fault, fault, other))
    assert report.explain("it failed") == (
        "Api (AWS::S3::Bucket): it exists (at /Resources/Api); a hook refused it"
    )


def test_a_report_that_cannot_be_read_keeps_the_summary() -> None:
    """The failure is the user's problem, and the missing permission is a note on it."""
    text = FailureReport(unread="no permission").explain("ended as ROLLBACK_COMPLETE")
    assert text == "ended as ROLLBACK_COMPLETE (the details cannot be read: no permission)"
    assert FailureReport().explain("ended") == "ended"


@pytest.mark.parametrize(
    ("text", "repair"),
    [("MOVE_IN_PROGRESS", Repair.WAIT), ("MOVE_FAILED", Repair.EXPLAIN), ("HELD", Repair.EXPLAIN)],
)
def test_a_status_that_aws_adds_later_is_waited_for_or_explained(text: str, repair: Repair) -> None:
    """It is never taken for one that is known, and the stack is not touched."""
    status = StackStatus(text)
    assert str(status) == text
    assert not status.is_known
    assert not status.is_updatable
    assert repair_of(status, ours=True) is repair
    assert "describe-stack-events" in command_for(status, "s", "us-east-1")


def test_an_open_enumeration_takes_texts_only() -> None:
    """Anything else is a mistake of the caller."""

    class Some(OpenStrEnum):
        ONE = "ONE"

    assert Some("ONE") is Some.ONE
    assert Some("TWO") == "TWO"
    assert Some("TWO") == Some("TWO")
    assert len({Some("TWO"), Some("TWO"), Some.ONE}) == 2
    assert list(Some) == [Some.ONE]
    with pytest.raises(ValueError, match="2"):
        Some(2)
