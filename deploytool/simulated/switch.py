"""A simulated switch: its metric, and the health check on the alarm of that metric.

The alarm has the settings of the switch's stack: the maximum of one period, at least 1, and missing
data changes nothing.
"""

from collections.abc import Callable

from deploytool.core.failover.ports import StandbyRecords, SwitchMetric
from deploytool.core.failover.records import SwitchRecord

PERIOD = 60.0  # seconds of the alarm


class SimulatedSwitch:
    """The SwitchMetric port. `healthy` is the verdict of the health check on the switch's alarm.

    `now` returns the second of the world's clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.healthy = True
        self._now = now
        # The data points of the period that has not ended yet
        self._values: list[float] = []

    def put(self, *, held: bool) -> None:
        self._values.append(1.0 if held else 0.0)

    def next_evaluation(self) -> float:
        """Return the second at which the period under way ends."""
        return (self._now() // PERIOD + 1) * PERIOD

    def evaluate(self) -> bool:
        """Judge the period that ends now. Return whether the verdict changed."""
        values, self._values = self._values, []
        if not values:
            # LastKnownStatus
            return False
        before = self.healthy
        self.healthy = max(values) < 1.0
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
