"""A simulated switch: its metric, and the health check on the alarm of that metric."""

from collections.abc import Callable

from deploytool.core.failover.ports import StandbyRecords, SwitchMetric
from deploytool.core.failover.records import METRIC, NAMESPACE, SwitchRecord
from deploytool.core.route53.alarms import (
    EVALUATION_INTERVAL,
    AlarmConfiguration,
    DataPoint,
    evaluate,
    is_alarm_healthy,
    sample,
)
from deploytool.core.route53.health import HealthCheck

# The alarm as the switch's stack makes it, and as its health check reads it
ALARM = AlarmConfiguration(
    namespace=NAMESPACE,
    metric_name=METRIC,
    dimensions=(("Project", "hello"), ("Stage", "dev")),
    statistic="Maximum",
    period=60,
    evaluation_periods=1,
    threshold=1.0,
    comparison_operator="GreaterThanOrEqualToThreshold",
)


class SimulatedSwitch:
    """The SwitchMetric port. `healthy` is the verdict of the health check on the switch's alarm.

    `now` returns the second of the world's clock, which begins with a full minute.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.healthy = True
        self._now = now
        self._points: list[DataPoint] = []

    def put(self, *, held: bool) -> None:
        self._points.append(sample(self._now(), 1.0 if held else 0.0))

    def next_evaluation(self) -> float:
        """Return the second at which the minute under way ends."""
        return (self._now() // EVALUATION_INTERVAL + 1) * EVALUATION_INTERVAL

    def evaluate(self, check: HealthCheck) -> bool:
        """Judge the complete minutes. Return whether the verdict of the check changed."""
        before = self.healthy
        insufficient = check.config.insufficient_data_health_status
        state = evaluate(ALARM, self._points, self._now())
        self.healthy = is_alarm_healthy(state, insufficient, before)
        return self.healthy is not before


class SimulatedSwitchFunction:
    """What of the function in the standby region moves traffic: it repeats the metric.

    `run` is called every minute.
    """

    INTERVAL = 60.0  # seconds

    def __init__(self, records: StandbyRecords, metric: SwitchMetric) -> None:
        self._records = records
        self._metric = metric

    def run(self) -> None:
        """Put what the record of the switch says. Without a record the switch is not held."""
        record = self._records.read(SwitchRecord)
        self._metric.put(held=record is not None and record.held)
