"""The expected duration of a failover, term by term."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.route53.alarms import AlarmConfiguration, AlarmState, evaluate, sample
from deploytool.core.route53.health import HealthCheckConfig
from deploytool.core.route53.timing import (
    LONGEST_CONTROL_PLANE,
    PROPAGATION_SECONDS,
    FailoverTime,
    SwitchTime,
    expected_failover,
    expected_switch,
)

CONFIG = HealthCheckConfig(
    "HTTPS", fqdn="us-east-1.example.com", request_interval=10, failure_threshold=3
)


@pytest.mark.parametrize(
    ("interval", "threshold", "type_", "detection"),
    [
        (10, 3, "HTTPS", 46),
        (30, 3, "HTTPS", 126),
        (10, 1, "HTTPS", 26),
        (30, 10, "HTTP", 336),
        (10, 3, "TCP", 50),
    ],
)
def test_detection(interval: int, threshold: int, type_: str, detection: float) -> None:
    """A fault is detected within interval x (threshold + 1) plus one check that times out."""
    config = replace(CONFIG, type=type_, request_interval=interval, failure_threshold=threshold)
    assert expected_failover(config).detection == detection


def test_sum() -> None:
    """With 10 s x 3 and a TTL of 60 s, a failover takes at most about 110 s, its terms' sum."""
    expected = expected_failover(CONFIG)
    assert expected == FailoverTime(detection=46, propagation=PROPAGATION_SECONDS, dns_ttl=60)
    assert expected.dns == 46 + PROPAGATION_SECONDS
    assert expected.terms() == {
        "detection": 46,
        "propagation": PROPAGATION_SECONDS,
        "dns_ttl": 60,
        "total": expected.total,
        "estimated": PROPAGATION_SECONDS,
    }
    assert expected.published == 106
    assert expected.total == pytest.approx(110, abs=5)


@pytest.mark.parametrize(("attempt", "detection"), [(0, 46), (4, 46), (10, 50), (25, 110)])
def test_a_check_that_takes_longer_than_the_interval_delays_the_next(
    attempt: float, detection: float
) -> None:
    """A check that is longer than the interval delays the next one.

    That happens on a fast local cloud, where a limit of 1 s of wall time is many cloud seconds.
    """
    assert expected_failover(CONFIG, attempt=attempt).detection == detection


def test_inverting_needs_no_detection() -> None:
    """Inverting the health check swaps the verdict itself: only propagation and TTL remain."""
    assert expected_failover(CONFIG, by_inverting=True, dns_ttl=30) == FailoverTime(
        0, PROPAGATION_SECONDS, 30, allowance=LONGEST_CONTROL_PLANE
    )


def test_holding_the_switch() -> None:
    """A data point of 1 counts when its minute is complete, and is evaluated within a minute."""
    expected = expected_switch(held=True)
    assert expected == SwitchTime(60, 60, PROPAGATION_SECONDS, 60)
    assert expected.dns == 120 + PROPAGATION_SECONDS
    assert expected.terms()["total"] == expected.total == expected.dns + 60
    assert expected.terms()["estimated"] == 60 + PROPAGATION_SECONDS


def test_releasing_the_switch() -> None:
    """A data point of 0 may share its minute with a 1, so the next minute is the first that counts."""
    expected = expected_switch(held=False, dns_ttl=30)
    assert expected == SwitchTime(120, 60, PROPAGATION_SECONDS, 30)


@given(second=st.floats(0, 59.99), held=st.booleans())
def test_the_bound_covers_every_second_of_a_minute(second: float, held: bool) -> None:
    """By the rules of alarms, the verdict is that of the data point within the periods of the bound.

    The metric is repeated every minute.
    """
    alarm = AlarmConfiguration(
        "deploytool", "FailoverSwitch", (), "Maximum", 60, 1, 1.0, "GreaterThanOrEqualToThreshold"
    )
    put_at = 600 + second
    before = [sample(60.0 * minute + 59.999, float(not held)) for minute in range(10)]
    after = [sample(put_at + 60 * minute, float(held)) for minute in range(5)]
    just_before = sample(put_at, float(not held))

    evaluated = put_at + expected_switch(held=held).periods
    state = evaluate(alarm, [*before, just_before, *after], evaluated)
    assert state == (AlarmState.ALARM if held else AlarmState.OK)
