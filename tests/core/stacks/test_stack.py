"""What the events of a stack tell: ends, causes and failed rollbacks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.stacks.stack import (
    STACK_TYPE,
    StackEvent,
    StackStatus,
    end_of,
    first_cause,
    latest_of,
    rollback_failures,
)

ID = "arn:stack/1"
START = datetime(2026, 1, 1, tzinfo=UTC)


def own(seconds: float, status: str, token: str = "token") -> StackEvent:
    """An event of the stack itself."""
    at = START + timedelta(seconds=seconds)
    return StackEvent(at, "stack", STACK_TYPE, status, "", token, ID)


def resource(seconds: float, logical_id: str, status: str, reason: str = "") -> StackEvent:
    """An event of one of its resources."""
    at = START + timedelta(seconds=seconds)
    return StackEvent(at, logical_id, "AWS::Some::Thing", status, reason, "token", logical_id)


EVENTS = [
    own(0, "UPDATE_IN_PROGRESS"),
    resource(1, "Good", "UPDATE_COMPLETE"),
    resource(2, "Bad", "UPDATE_FAILED", "quota exceeded"),
    resource(2, "Other", "UPDATE_FAILED", "Resource update cancelled"),
    own(3, "UPDATE_ROLLBACK_IN_PROGRESS"),
    resource(4, "Stuck", "UPDATE_FAILED", "cannot restore"),
    resource(5, "Late", "UPDATE_FAILED", "Resource update cancelled"),
    own(6, "UPDATE_ROLLBACK_FAILED"),
]


@given(st.permutations(EVENTS))
def test_the_order_of_the_events_does_not_matter(events: list[StackEvent]) -> None:
    """Their times count."""
    assert end_of(events, ID, "token") is StackStatus.UPDATE_ROLLBACK_FAILED
    cause = first_cause(events, ID, "token")
    assert cause is not None
    assert cause.logical_id == "Bad"
    assert rollback_failures(events, ID) == ("Stuck",)


def test_an_operation_without_an_end_runs() -> None:
    """Its own events count: another operation's end is not its end."""
    events = [own(0, "UPDATE_IN_PROGRESS"), own(1, "UPDATE_COMPLETE", "another")]
    assert end_of(events, ID, "token") is None
    assert end_of(events, ID, "unknown") is None
    assert end_of(events, ID, "token", "another") is StackStatus.UPDATE_COMPLETE


def test_a_nested_stack_s_end_is_not_the_stack_s() -> None:
    """It has the same type and token, but another physical id."""
    nested = replace(own(1, "CREATE_COMPLETE"), physical_id="arn:nested")
    assert end_of([nested, own(0, "CREATE_IN_PROGRESS")], ID, "token") is None


def test_of_two_events_at_the_same_time_the_first_listed_is_the_later() -> None:
    """CloudFormation lists the newest event first."""
    events = [own(0, "CREATE_COMPLETE"), own(0, "CREATE_IN_PROGRESS")]
    latest = latest_of(events, ID)
    assert latest is not None
    assert latest.status == "CREATE_COMPLETE"
    assert latest_of([], ID) is None


def test_a_failure_with_a_reason_explains_more_than_one_without() -> None:
    """Without any reason, the earliest failure is the cause; without a failure there is none."""
    silent = resource(1, "Silent", "CREATE_FAILED")
    explained = resource(2, "Explained", "CREATE_FAILED", "limit")
    cancelled = resource(0, "Cancelled", "CREATE_FAILED", "Resource creation cancelled")
    assert first_cause([silent, explained, cancelled], ID) == explained
    assert first_cause([silent, cancelled], ID) == silent
    assert first_cause([cancelled], ID) == cancelled
    assert first_cause([own(0, "CREATE_IN_PROGRESS")], ID) is None


def test_without_a_rollback_nothing_failed_in_it() -> None:
    """The failures of the update itself do not count."""
    assert rollback_failures(EVENTS[:4], ID) == ()
