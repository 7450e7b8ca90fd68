"""How long an operation should take, and when it is polled again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.stacks.durations import (
    FAR,
    FIRST,
    LONGEST,
    NEAR,
    PATIENCE,
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
    """A resource that is not in the table counts as one second."""
    assert expected_creation({"A": "AWS::Route53::HostedZone", "B": "AWS::Some::Thing"}) == 36.0


def test_the_latest_good_update_tells_how_long_the_next_one_takes() -> None:
    """Failed updates, creations and nested stacks do not count."""
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
    """The stacks that need it wait as long as we do."""
    assert 0 < jittered(pause(elapsed, expected), random) <= LONGEST


def test_pauses_are_short_at_the_start_and_once_the_end_may_come() -> None:
    """A refusal shows at once. Before half of the expected time an end is unlikely."""
    assert pause(0.0, 75.0) == FIRST
    assert pause(30.0, 75.0) == FAR
    assert pause(29.0, 50.0) == pause(29.0, None) == NEAR
    assert pause(3600.0, 75.0) == LONGEST


def ended_at(duration: float, expected: float | None) -> tuple[float, int]:
    """Return when the end of an operation of `duration` seconds is seen, and the number of polls."""
    now = 0.0
    polls = 0
    while now < duration:
        now += pause(now, expected)
        polls += 1
    return now, polls


def test_an_hour_s_certificate_costs_few_polls_and_its_end_is_seen_soon() -> None:
    """The table has 75 seconds. It is the same without an expectation."""
    for expected in (None, 75.0):
        seen, polls = ended_at(3600.0, expected)
        assert polls < 3600 / 4
        assert seen - 3600.0 <= LONGEST


@given(duration=st.floats(1, 600), factor=st.floats(0.1, 10))
def test_a_wrong_expectation_costs_at_most_three_seconds(duration: float, factor: float) -> None:
    """The end is seen at most FAR seconds later than without an expectation."""
    seen, _ = ended_at(duration, duration * factor)
    assert seen - duration <= max(FAR, duration / PATIENCE)


@given(expected=st.floats(10, 300), later=st.floats(FAR, 300))
def test_an_end_after_half_of_the_expectation_is_seen_within_a_second(
    expected: float, later: float
) -> None:
    """After a long operation it is seen within a fortieth of its time."""
    duration = expected / 2 + later
    seen, _ = ended_at(duration, expected)
    assert seen - duration <= max(NEAR, duration / PATIENCE)
