"""What is expected of an operation, and when to look at it again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.stacks.durations import (
    LONGEST,
    earlier_seconds,
    expected_creation,
    jittered,
    pause,
)
from deploytool.core.stacks.stack import STACK_TYPE, StackEvent

ID = "arn:stack/1"


def event(seconds: float, status: str, token: str, physical: str = ID) -> StackEvent:
    return StackEvent(
        datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds),
        "s",
        STACK_TYPE,
        status,
        "",
        token,
        physical,
    )


def test_a_new_stack_is_expected_to_take_as_long_as_its_resources() -> None:
    """A hosted zone half a minute, a certificate more, what is not in the table a second."""
    assert expected_creation({"A": "AWS::Route53::HostedZone", "B": "AWS::Some::Thing"}) == 36.0


def test_the_latest_good_update_tells_how_long_the_next_one_takes() -> None:
    """Failed ones and creations do not count; nor does a nested stack's."""
    events = [
        event(0, "CREATE_IN_PROGRESS", "a"),
        event(90, "CREATE_COMPLETE", "a"),
        event(100, "UPDATE_IN_PROGRESS", "b"),
        event(104, "UPDATE_COMPLETE", "n", "arn:nested"),
        event(108, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "b"),
        event(150, "UPDATE_COMPLETE", "b"),
        event(200, "UPDATE_IN_PROGRESS", "c"),
        event(203, "UPDATE_ROLLBACK_IN_PROGRESS", "c"),
        event(209, "UPDATE_ROLLBACK_COMPLETE", "c"),
        event(300, "UPDATE_IN_PROGRESS", "d"),
    ]
    assert earlier_seconds(events[::-1], ID, "UPDATE") == 8.0
    assert earlier_seconds(events, ID, "CREATE") == 90.0
    assert earlier_seconds(events, ID, "DELETE") is None


seconds = st.floats(0, 100_000)


@given(elapsed=seconds, expected=st.none() | seconds, random=st.floats(0, 1))
def test_no_pause_is_over_five_seconds(
    elapsed: float, expected: float | None, random: float
) -> None:
    """However long it takes: each stack that waits for it would wait with us."""
    assert 0 < jittered(pause(elapsed, expected), random) <= LONGEST


def test_pauses_are_short_at_both_ends_and_long_between() -> None:
    """A refusal shows at once, the end when it is expected; between there is nothing to see."""
    assert pause(0.0, 75.0) == 0.1
    assert pause(40.0, 75.0) == 5.0
    assert pause(74.0, 75.0) == pause(76.0, 75.0) == 0.5


def test_an_hour_s_certificate_costs_few_looks_and_its_end_is_seen_soon() -> None:
    """Where the table says 75 seconds; without an expectation too."""
    for expected in (None, 75.0):
        now, looks = 0.0, 0
        while now < 3600.0:
            now += pause(now, expected)
            looks += 1
        assert looks < 3600 / 4
        assert now - 3600.0 <= LONGEST


@given(expected=st.floats(1, 3600))
def test_an_end_as_expected_is_seen_within_half_a_second(expected: float) -> None:
    """That is what keeps a run at its critical path."""
    now = 0.0
    while now < expected:
        now += pause(now, expected)
    assert now - expected <= 0.5
