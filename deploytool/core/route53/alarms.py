"""CloudWatch alarms as Route 53 and CloudWatch evaluate them, and health checks on them. Pure.

Sources: Route 53 Developer Guide, "How Amazon Route 53 determines whether a health check is
healthy" and "Values that you specify when you create or update health checks"; Route 53 API
reference, AlarmIdentifier, CloudWatchAlarmConfiguration and HealthCheckConfig; CloudWatch User
Guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data". "Our
reading" marks what AWS does not publish.

- A health check watches the data stream of the alarm's metric, not the state of the alarm.
  SetAlarmState does not move it.
- It keeps the configuration that it read when it was created or last updated. That configuration
  has neither DatapointsToAlarm nor TreatMissingData, so every one of the evaluation periods must
  breach the threshold (our reading).
- An alarm with a period of a minute or more is evaluated every minute. At the end of minute 6 a
  period of 5 minutes covers the minutes 2 to 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

EVALUATION_INTERVAL = 60  # seconds between two evaluations, which happen at the ends of minutes

# The same for an alarm on a high-resolution metric, with a period of less than a minute.
FAST_EVALUATION_INTERVAL = 10

# CloudWatch reads more periods than EvaluationPeriods when data is missing. It publishes one
# example only: 5 data points for an alarm with 3 evaluation periods.
EXTRA_PERIODS = 2

# How an alarm treats missing data (TreatMissingData of PutMetricAlarm).
MISSING = "missing"
IGNORE = "ignore"
BREACHING = "breaching"
NOT_BREACHING = "notBreaching"

# The verdict on a health check while there is too little data (InsufficientDataHealthStatus).
HEALTHY = "Healthy"
UNHEALTHY = "Unhealthy"
LAST_KNOWN_STATUS = "LastKnownStatus"
INSUFFICIENT_DATA_STATUSES = (HEALTHY, UNHEALTHY, LAST_KNOWN_STATUS)


@dataclass(frozen=True)
class AlarmIdentifier:
    """The alarm of a health check: its region and its name. It is one of the same account."""

    region: str
    name: str


@dataclass(frozen=True)
class AlarmConfiguration:
    """What a health check reads of an alarm (CloudWatchAlarmConfiguration of the API).

    `dimensions` are pairs of name and value. `period` is in seconds.
    """

    namespace: str
    metric_name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    period: int
    evaluation_periods: int
    threshold: float
    comparison_operator: str


@dataclass(frozen=True)
class DataPoint:
    """One data point of a metric at second `at` of Unix time: a set of `count` samples."""

    at: float
    count: float
    total: float
    least: float
    most: float


def sample(at: float, value: float) -> DataPoint:
    """Return the data point of one value."""
    return DataPoint(at, count=1.0, total=value, least=value, most=value)


class AlarmState(StrEnum):
    """The state of an alarm, or what its data stream tells of it."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


def evaluation_interval(period: int) -> int:
    """Return the seconds between two evaluations of an alarm with a period in seconds."""
    return EVALUATION_INTERVAL if period >= EVALUATION_INTERVAL else FAST_EVALUATION_INTERVAL


def evaluate(
    configuration: AlarmConfiguration,
    points: Sequence[DataPoint],
    now: float,
    *,
    datapoints_to_alarm: int | None = None,
    treat_missing: str = MISSING,
    current: AlarmState = AlarmState.INSUFFICIENT_DATA,
) -> AlarmState:
    """Return the state that the data of complete minutes shows at second `now` of Unix time.

    A health check uses the defaults. CloudWatch passes the alarm's own settings, and the state that
    the alarm has. Data of the minute that has not ended is not considered (our reading).
    """
    periods = configuration.evaluation_periods
    interval = evaluation_interval(configuration.period)
    end = now // interval * interval
    breaches = _breaches(configuration, points, end)
    needed = datapoints_to_alarm or periods

    # The positions of the periods that have data, the oldest first.
    known = [position for position, breach in enumerate(breaches) if breach is not None]
    if len(known) >= periods:
        recent = known[-periods:]
        breaching = sum(bool(breaches[position]) for position in recent)
        return AlarmState.ALARM if breaching >= needed else AlarmState.OK

    missing = periods - len(known)
    breaching = sum(bool(breaches[position]) for position in known)
    if treat_missing == BREACHING:
        return AlarmState.ALARM if breaching + missing >= needed else AlarmState.OK
    if breaching >= needed:
        return AlarmState.ALARM
    if treat_missing == NOT_BREACHING or breaching < len(known):
        return AlarmState.OK
    if treat_missing == IGNORE:
        return current

    # Every data point there is breaches, and there are too few of them. The alarm goes off when the
    # oldest one is old enough that it could be the first of as many as are needed.
    is_old_enough = bool(known) and len(breaches) - known[0] >= needed
    return AlarmState.ALARM if is_old_enough else AlarmState.INSUFFICIENT_DATA


def _breaches(
    configuration: AlarmConfiguration, points: Sequence[DataPoint], end: float
) -> list[bool | None]:
    """Return whether each period before `end` breaches, the oldest first; None without data."""
    period = configuration.period
    breaches: list[bool | None] = []
    for age in range(configuration.evaluation_periods + EXTRA_PERIODS, 0, -1):
        start = end - age * period
        within = [point for point in points if start <= point.at < start + period]
        breaches.append(_breach(configuration, within))
    return breaches


def _breach(configuration: AlarmConfiguration, points: Sequence[DataPoint]) -> bool | None:
    """Return whether a period with these data points breaches; None when there are none."""
    counted = [point for point in points if point.count > 0]
    if not counted:
        return None

    value = _statistic(configuration.statistic, counted)
    threshold = configuration.threshold
    match configuration.comparison_operator:
        case "GreaterThanOrEqualToThreshold":
            return value >= threshold
        case "GreaterThanThreshold":
            return value > threshold
        case "LessThanThreshold":
            return value < threshold
        case "LessThanOrEqualToThreshold":
            return value <= threshold
        case other:
            raise ValueError(f"unknown comparison operator {other}")


def _statistic(name: str, points: Sequence[DataPoint]) -> float:
    count = sum(point.count for point in points)
    total = sum(point.total for point in points)
    match name:
        case "Maximum":
            return max(point.most for point in points)
        case "Minimum":
            return min(point.least for point in points)
        case "Sum":
            return total
        case "SampleCount":
            return count
        case "Average":
            return total / count
        case other:
            raise ValueError(f"unknown statistic {other}")


def is_alarm_healthy(state: AlarmState, insufficient: str, last_known: bool | None) -> bool:  # noqa: FBT001 - a column of the table
    """Return whether a health check on an alarm is healthy, before Inverted is applied.

    `insufficient` is the InsufficientDataHealthStatus, and `last_known` the verdict of the last
    time when there was enough data. A new health check has none and is healthy.

    | data stream       | insufficient    | last known | verdict   |
    |-------------------|-----------------|------------|-----------|
    | OK                | any             | any        | healthy   |
    | ALARM             | any             | any        | unhealthy |
    | INSUFFICIENT_DATA | Healthy         | any        | healthy   |
    | INSUFFICIENT_DATA | Unhealthy       | any        | unhealthy |
    | INSUFFICIENT_DATA | LastKnownStatus | none       | healthy   |
    | INSUFFICIENT_DATA | LastKnownStatus | one        | that one  |
    """
    if state != AlarmState.INSUFFICIENT_DATA:
        return state == AlarmState.OK
    if insufficient == LAST_KNOWN_STATUS:
        return last_known is not False
    return insufficient == HEALTHY
