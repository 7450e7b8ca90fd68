"""Alarms: what their data shows, and the verdict on a health check that watches one."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.route53.alarms import (
    AlarmConfiguration,
    AlarmState,
    DataPoint,
    evaluate,
    is_alarm_healthy,
    sample,
)
from deploytool.core.route53.metric_alarms import COMPARISONS, STATISTICS

OK, ALARM, INSUFFICIENT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA

SWITCH = AlarmConfiguration(
    namespace="deploytool",
    metric_name="FailoverSwitch",
    dimensions=(("Project", "shop"), ("Stage", "prod")),
    statistic="Maximum",
    period=60,
    evaluation_periods=1,
    threshold=1.0,
    comparison_operator="GreaterThanOrEqualToThreshold",
)
THREE = replace(SWITCH, evaluation_periods=3)

# A full minute of Unix time
MINUTE = 1_800_000_000 // 60 * 60


def stream(text: str, period: int = 60) -> list[DataPoint]:
    """Return one data point a period: 0 in its threshold, X breaching, - none; the last ends now."""
    values = {"0": 0.0, "X": 1.0}
    start = MINUTE - len(text) * period
    return [
        sample(start + position * period + 1, values[letter])
        for position, letter in enumerate(text)
        if letter in values
    ]


# The columns are the ways to treat missing data; "retain" keeps the current state.
TABLE_3_OF_3 = [
    ("0-X-X", "OK", "OK", "OK", "OK"),
    ("0----", "OK", "OK", "OK", "OK"),
    ("-----", "INSUFFICIENT_DATA", "retain", "ALARM", "OK"),
    ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("----X", "INSUFFICIENT_DATA", "retain", "ALARM", "OK"),
    ("X----", "ALARM", "retain", "ALARM", "OK"),
]
TABLE_2_OF_3 = [
    ("0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0-X--", "OK", "OK", "ALARM", "OK"),
    ("----0", "OK", "OK", "ALARM", "OK"),
    ("----X", "INSUFFICIENT_DATA", "retain", "ALARM", "OK"),
]


@pytest.mark.parametrize("current", list(AlarmState))
@pytest.mark.parametrize(
    ("needed", "row"),
    [(3, row) for row in TABLE_3_OF_3] + [(2, row) for row in TABLE_2_OF_3],
    ids=lambda value: value[0] if isinstance(value, tuple) else f"{value} of 3",
)
def test_missing_data(needed: int, row: tuple[str, ...], current: AlarmState) -> None:
    """Missing data is treated as in the two tables of the CloudWatch User Guide."""
    points = stream(row[0])
    for treat, expected in zip(
        ("missing", "ignore", "breaching", "notBreaching"), row[1:], strict=True
    ):
        state = evaluate(
            THREE,
            points,
            MINUTE,
            datapoints_to_alarm=needed,
            treat_missing=treat,
            current=current,
        )
        assert state == (current if expected == "retain" else expected), treat


def test_only_complete_minutes_count() -> None:
    """A data point counts from the end of its minute on, and a minute covers its start."""
    points = [sample(MINUTE, 1.0)]
    assert evaluate(SWITCH, points, MINUTE + 59.9) == INSUFFICIENT
    assert evaluate(SWITCH, points, MINUTE + 60) == ALARM


def test_a_maximum_holds_until_a_minute_has_only_zeros() -> None:
    """A 0 in the same minute as a 1 releases nothing; a whole minute of 0 does."""
    points = [sample(MINUTE + 10, 1.0), sample(MINUTE + 20, 0.0), sample(MINUTE + 70, 0.0)]
    assert evaluate(SWITCH, points, MINUTE + 60) == ALARM
    assert evaluate(SWITCH, points, MINUTE + 119) == ALARM
    assert evaluate(SWITCH, points, MINUTE + 120) == OK


def test_a_long_period_slides_by_the_minute() -> None:
    """With a period of 5 minutes, minute 6 is evaluated on the minutes 2 to 6."""
    alarm = replace(SWITCH, period=300)
    points = [sample(MINUTE, 1.0), sample(MINUTE + 200, 0.0)]
    assert evaluate(alarm, points, MINUTE + 300) == ALARM
    assert evaluate(alarm, points, MINUTE + 360) == OK


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("Average", 2.0), ("Minimum", 1.0), ("Maximum", 4.0), ("Sum", 8.0), ("SampleCount", 4.0)],
)
def test_statistics(statistic: str, value: float) -> None:
    """Each statistic is computed over all samples of the period, also those of sets."""
    points = [
        DataPoint(MINUTE + 1, count=3, total=4.0, least=1.0, most=2.0),
        sample(MINUTE + 59, 4.0),
    ]
    alarm = replace(SWITCH, statistic=statistic, threshold=value)
    assert evaluate(alarm, points, MINUTE + 60) == ALARM
    assert evaluate(replace(alarm, threshold=value + 0.1), points, MINUTE + 60) == OK


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanOrEqualToThreshold", {1, 2}),
        ("GreaterThanThreshold", {2}),
        ("LessThanThreshold", {0}),
        ("LessThanOrEqualToThreshold", {0, 1}),
    ],
)
def test_comparisons(comparison: str, breaching: set[int]) -> None:
    """Each operator compares the value with the threshold, on the side that its name says."""
    alarm = replace(SWITCH, comparison_operator=comparison)
    for value in (0, 1, 2):
        state = evaluate(alarm, [sample(MINUTE, value)], MINUTE + 60)
        assert (state == ALARM) == (value in breaching)


def test_an_empty_set_of_samples_is_no_data() -> None:
    """A statistic set of no sample leaves the period without data."""
    empty = DataPoint(MINUTE, count=0, total=0.0, least=0.0, most=0.0)
    assert evaluate(SWITCH, [empty], MINUTE + 60) == INSUFFICIENT


@pytest.mark.parametrize(
    ("state", "insufficient", "last_known", "healthy"),
    [
        (OK, "Unhealthy", False, True),
        (ALARM, "Healthy", True, False),
        (INSUFFICIENT, "Healthy", False, True),
        (INSUFFICIENT, "Unhealthy", True, False),
        (INSUFFICIENT, "LastKnownStatus", None, True),
        (INSUFFICIENT, "LastKnownStatus", True, True),
        (INSUFFICIENT, "LastKnownStatus", False, False),
    ],
)
def test_verdict(
    state: AlarmState, insufficient: str, last_known: bool | None, healthy: bool
) -> None:
    """The stream decides; without enough data InsufficientDataHealthStatus does."""
    assert is_alarm_healthy(state, insufficient, last_known) == healthy


ALARMS = st.builds(
    AlarmConfiguration,
    namespace=st.just("n"),
    metric_name=st.just("m"),
    dimensions=st.just(()),
    statistic=st.sampled_from(STATISTICS),
    period=st.sampled_from([60, 120, 300]),
    evaluation_periods=st.integers(1, 4),
    threshold=st.floats(-2, 2),
    comparison_operator=st.sampled_from(COMPARISONS),
)
POINTS = st.lists(
    st.builds(sample, st.floats(MINUTE - 1800, MINUTE + 1800), st.integers(-2, 2).map(float)),
    max_size=30,
)


@given(alarm=ALARMS, points=POINTS, order=st.randoms())
def test_the_order_of_arrival_does_not_matter(
    alarm: AlarmConfiguration, points: list[DataPoint], order: random.Random
) -> None:
    """Data points may arrive in any order."""
    shuffled = list(points)
    order.shuffle(shuffled)
    assert evaluate(alarm, shuffled, MINUTE) == evaluate(alarm, points, MINUTE)


@given(alarm=ALARMS, points=POINTS, within=st.floats(0, 59.9))
def test_the_state_changes_at_the_ends_of_minutes_only(
    alarm: AlarmConfiguration, points: list[DataPoint], within: float
) -> None:
    """The same data shows the same state throughout a minute, whatever that minute brings."""
    known = [point for point in points if point.at < MINUTE]
    assert evaluate(alarm, points, MINUTE + within) == evaluate(alarm, known, MINUTE)


@given(holds=st.lists(st.booleans(), min_size=1, max_size=20))
def test_a_metric_that_is_repeated_every_minute_never_lacks_data(holds: list[bool]) -> None:
    """With one data point a minute the switch's state is that of the last complete minute."""
    points = [sample(MINUTE + 60 * index + 30, float(held)) for index, held in enumerate(holds)]
    for index, held in enumerate(holds):
        state = evaluate(SWITCH, points, MINUTE + 60 * (index + 1))
        assert state == (ALARM if held else OK)


@given(
    insufficient=st.sampled_from(["Healthy", "Unhealthy", "LastKnownStatus"]),
    states=st.lists(st.sampled_from(list(AlarmState)), max_size=20),
)
def test_the_last_known_status_is_kept_through_any_gap(
    insufficient: str, states: list[AlarmState]
) -> None:
    """With LastKnownStatus the verdict is that of the last state with data, healthy without one."""
    last_known = None
    verdict = True
    for state in states:
        verdict = is_alarm_healthy(state, insufficient, last_known)
        if state != INSUFFICIENT:
            last_known = verdict

    if insufficient == "LastKnownStatus":
        decided = [state for state in states if state != INSUFFICIENT]
        assert verdict == (not decided or decided[-1] == OK)
