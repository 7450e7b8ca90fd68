"""A simulated switch: its metric, and the health check on the alarm of that metric.

The alarm has the settings of the switch's stack: the maximum of one period, at least 1, and missing
data changes nothing.
"""

from collections.abc import Callable

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
