"""The metrics and alarms that MiniStack's CloudWatch stores, as values.

MiniStack keeps the data points of a metric in a list, with timestamps of the wall clock. Alarms
count their periods on the cloud's calendar, so that a period of 60 s passes as fast as the cloud.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from deploytool.core.route53.alarms import AlarmConfiguration, DataPoint
from deploytool.core.route53.metric_alarms import MetricAlarm
from deploytool.localcloud.clock import Calendar
from deploytool.localcloud.ministack.emulator import ACCOUNT, MiniStack

# An alarm as MiniStack stores it: the names are those of the API
StoredAlarm = Mapping[str, Any]


class MiniStackMetrics:
    """The data of metrics. It is the cloud's MetricData."""

    def __init__(self, ministack: MiniStack, calendar: Calendar) -> None:
        self._cloudwatch = ministack.cloudwatch
        self._calendar = calendar

    def now(self) -> float:
        """See `MetricData`."""
        return self._calendar.now()

    def points(
        self, region: str, alarm: AlarmConfiguration, account: str = ACCOUNT
    ) -> Sequence[DataPoint]:
        """Return the data points of an alarm's metric: of exactly these dimensions."""
        dimensions = self._cloudwatch._dims_key(dict(alarm.dimensions))
        key = (alarm.namespace, alarm.metric_name, dimensions)
        stored = self._cloudwatch._metrics.get_scoped(account, region, key, ())
        # A copy: another thread may add a data point.
        return [self._point(point) for point in tuple(stored)]

    def _point(self, stored: Mapping[str, Any]) -> DataPoint:
        count, total, least, most = self._cloudwatch._point_stats(stored)
        return DataPoint(self._calendar.date(stored["Timestamp"]), count, total, least, most)


def to_configuration(alarm: StoredAlarm) -> AlarmConfiguration | None:
    """Return what evaluates an alarm, None for one that has no metric of its own."""
    if not alarm.get("MetricName") or not alarm.get("Namespace"):
        return None
    return AlarmConfiguration(
        namespace=alarm["Namespace"],
        metric_name=alarm["MetricName"],
        dimensions=tuple(
            (dimension["Name"], dimension["Value"]) for dimension in alarm.get("Dimensions") or ()
        ),
        statistic=alarm.get("Statistic") or "",
        period=alarm["Period"],
        evaluation_periods=alarm["EvaluationPeriods"],
        threshold=alarm["Threshold"],
        comparison_operator=alarm.get("ComparisonOperator") or "",
    )


def to_metric_alarm(alarm: StoredAlarm) -> MetricAlarm:
    """Return an alarm with what decides whether Route 53 takes it."""
    return MetricAlarm(
        alarm["AlarmArn"],
        to_configuration(alarm),
        extended_statistic=alarm.get("ExtendedStatistic") or "",
        datapoints_to_alarm=alarm.get("DatapointsToAlarm"),
        has_metrics=bool(alarm.get("Metrics")),
        is_composite="AlarmRule" in alarm,
    )
