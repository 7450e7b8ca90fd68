"""A health check on an alarm while its metric's data comes in, and a change of checkers' regions."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from deploytool.core.route53.alarms import AlarmConfiguration, AlarmIdentifier, DataPoint, sample
from deploytool.core.route53.health import HealthCheck, HealthCheckConfig
from deploytool.localcloud.clock import Calendar, CloudClock
from deploytool.localcloud.health.alarm_watch import AlarmWatch
from deploytool.localcloud.health.checkers import CheckerGroup

ALARM = AlarmConfiguration(
    "deploytool", "FailoverSwitch", (), "Maximum", 60, 1, 1.0, "GreaterThanOrEqualToThreshold"
)
CONFIG = HealthCheckConfig(
    "CLOUDWATCH_METRIC", alarm_identifier=AlarmIdentifier("us-west-2", "switch")
)
CHECK = HealthCheck("switch", 1, CONFIG, ALARM)
MINUTE = 6000.0


@dataclass
class Metrics:
    """The data of one metric, with a date that the test sets."""

    date: float = MINUTE
    data: list[DataPoint] = field(default_factory=list)
    reads: int = 0

    def now(self) -> float:
        return self.date

    def points(self, region: str, alarm: AlarmConfiguration) -> Sequence[DataPoint]:
        assert (region, alarm) == ("us-west-2", ALARM)
        self.reads += 1
        return self.data


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def verdict(watch: AlarmWatch, metrics: Metrics, check: HealthCheck = CHECK) -> bool:
    watch.follow(check, metrics)
    return watch.is_healthy(check.config)


def test_one_evaluation_a_minute(metrics: Metrics) -> None:
    """The data is read when a minute has ended, however often the monitor looks."""
    watch = AlarmWatch()
    assert verdict(watch, metrics)
    metrics.data.append(sample(MINUTE + 1, 1.0))
    for second in range(0, 60, 5):
        metrics.date = MINUTE + second
        assert verdict(watch, metrics)
    assert metrics.reads == 1

    metrics.date = MINUTE + 60
    assert not verdict(watch, metrics)
    assert metrics.reads == 2


def test_the_last_known_status_lasts(metrics: Metrics) -> None:
    """When the data stops, the switch stays as it was, for hours."""
    watch = AlarmWatch()
    metrics.data.append(sample(MINUTE - 1, 1.0))
    assert not verdict(watch, metrics)
    metrics.date = MINUTE + 86_400
    assert not verdict(watch, metrics)
    assert verdict(
        watch,
        metrics,
        replace(CHECK, config=replace(CONFIG, insufficient_data_health_status="Healthy")),
    )


def test_a_new_check_is_evaluated_at_once(metrics: Metrics) -> None:
    """An update evaluates the alarm again, in the middle of a minute too."""
    watch = AlarmWatch()
    metrics.date = MINUTE + 30
    assert verdict(watch, metrics)
    metrics.data.append(sample(MINUTE - 1, 1.0))
    assert verdict(watch, metrics)
    assert not verdict(watch, metrics, replace(CHECK, version=2))


def test_inverted_and_disabled(metrics: Metrics) -> None:
    """Inverted swaps the verdict; a disabled check is healthy and forgets what it knew."""
    watch = AlarmWatch()
    metrics.data.append(sample(MINUTE - 1, 1.0))
    inverted = replace(CHECK, config=replace(CONFIG, inverted=True))
    assert verdict(watch, metrics, inverted)

    disabled = replace(CHECK, config=replace(CONFIG, disabled=True))
    assert verdict(watch, metrics, disabled)
    metrics.data.clear()
    assert verdict(watch, metrics)


def test_another_alarm_starts_anew(metrics: Metrics) -> None:
    """The last known status is that of the alarm, and another alarm has none."""
    watch = AlarmWatch()
    metrics.data.append(sample(MINUTE - 1, 1.0))
    assert not verdict(watch, metrics)
    metrics.data.clear()
    other = replace(CONFIG, alarm_identifier=AlarmIdentifier("us-west-2", "another"))
    assert verdict(watch, metrics, replace(CHECK, version=2, config=other))


def test_a_change_of_regions_changes_no_verdict() -> None:
    """Checkers of regions that stay keep their state; new ones begin with the verdict."""
    config = HealthCheckConfig("HTTPS", fqdn="us-east-1.example.com", failure_threshold=1)
    group = CheckerGroup(config)
    for checker in group.checkers:
        checker.state = checker.state.observe(success=False, threshold=1)
    assert not group.is_healthy(config)

    kept = group.checkers[1]
    chosen = replace(config, regions=("us-west-1", "sa-east-1", "eu-west-1"))
    group.change_config(chosen)
    assert [checker.region for checker in group.checkers] == list(chosen.regions)
    assert group.checkers[0] is kept
    assert not group.is_healthy(chosen)

    group.change_config(config)
    assert len(group.checkers) == 8
    assert not group.is_healthy(config)


def test_calendar() -> None:
    """The cloud's dates begin at the wall clock's and pass as fast as the cloud."""
    now = [100.0]
    calendar = Calendar(CloudClock(10.0, time=lambda: now[0]), started=5000.0)
    assert calendar.now() == 5000.0
    now[0] += 6.0
    assert calendar.now() == 5060.0
    assert calendar.date(5006.0) == 5060.0
    assert calendar.to_unix(60.0) == 5006.0
