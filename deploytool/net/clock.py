"""The real clock, at a rate. No other module of deploytool reads a clock or sleeps."""

import time
from datetime import UTC, datetime


class RealClock:
    """The Clock port on the machine's monotonic clock.

    At speed 10 ten of its seconds pass in one second of wall time.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed

    def now(self) -> float:
        """Return the seconds since time.monotonic()'s start, at the clock's rate."""
        return time.monotonic() * self._speed

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock."""
        if seconds > 0:
            time.sleep(seconds / self._speed)


def unix_time() -> float:
    """Return the time of day in Unix seconds.

    Several machines agree on it. It may jump, so it measures nothing.
    """
    return time.time()


def iso_time(unix_seconds: float) -> str:
    """Return a time of day in ISO 8601, in UTC."""
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(timespec="seconds")


def wall_time() -> str:
    """Return the time of day in ISO 8601, in UTC, for the heading of a report."""
    return datetime.now(UTC).isoformat(timespec="seconds")
