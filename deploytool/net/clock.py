"""Real time, at a rate: the only place that reads a clock or sleeps."""

import time
from datetime import UTC, datetime


class RealClock:
    """The Clock port on the machine's monotonic clock. At speed 10 ten of its seconds pass in one
    of wall time.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed

    def now(self) -> float:
        """Seconds since time.monotonic()'s start, at the rate; never goes back."""
        return time.monotonic() * self._speed

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock."""
        if seconds > 0:
            time.sleep(seconds / self._speed)


def unix_time() -> float:
    """The time of day in Unix seconds: for what several machines agree on, never for a
    measurement.
    """
    return time.time()


def wall_time() -> str:
    """The time of day in ISO 8601, UTC: for a report's heading, never for a measurement."""
    return datetime.now(UTC).isoformat(timespec="seconds")
