"""The local cloud's clock, and how seconds of the cloud become seconds of the wall clock."""

import asyncio
from collections.abc import Callable

from deploytool.core.route53.health import (
    STATUS_SECONDS,
    HealthCheckConfig,
    TimeLimits,
    time_limits,
)

# Seconds of wall time. No time limit of a health check becomes shorter, whatever the speed: the
# machine's own latency (TLS, a function's start) does not shrink with the cloud's seconds.
SHORTEST_LIMIT = 1.0


class CloudClock:
    """Monotonic cloud seconds, which pass `speed` times faster than those of the wall clock.

    Settings keep true seconds (an interval of 10 s, a TTL of 60 s); this clock passes them faster.
    It counts on the running event loop's clock unless `time` (monotonic wall seconds) is given.
    `now` may be called from any thread. Raises ValueError when `speed` is not positive.
    """

    def __init__(self, speed: float = 1.0, *, time: Callable[[], float] | None = None) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self.speed = speed
        self._time = time or asyncio.get_running_loop().time
        self._start = self._time()

    def now(self) -> float:
        """Return the cloud seconds since this clock was created."""
        return (self._time() - self._start) * self.speed

    def monotonic(self, seconds: float) -> float:
        """Return a moment of this clock, in cloud seconds, as a moment of the underlying clock.

        For the clock of an event loop that is `time.monotonic()`, which all processes of a machine
        share.
        """
        return self._start + seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` of the cloud's time; return at once when that is not positive."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)


class Calendar:
    """The dates of a cloud in seconds of Unix time: they pass as fast as the cloud's clock.

    Periods of metrics and of schedules are counted on it. `started` is the Unix time of the wall
    clock at which the cloud's clock was at 0; the calendar begins there too.
    """

    def __init__(self, clock: CloudClock, started: float) -> None:
        self._clock = clock
        self._started = started

    def now(self) -> float:
        """Return the date now. May be called from any thread."""
        return self._started + self._clock.now()

    def date(self, unix: float) -> float:
        """Return the date at a moment of the wall clock, such as the timestamp of a data point."""
        return self._started + (unix - self._started) * self._clock.speed

    def to_unix(self, seconds: float) -> float:
        """Return the moment of the wall clock at which the cloud's clock is at `seconds`."""
        return self._started + seconds / self._clock.speed


def wall_limits(config: HealthCheckConfig, speed: float) -> TimeLimits:
    """Return the time limits of one attempt of a health check, in wall seconds.

    They are the true limits divided by the speed, but at least SHORTEST_LIMIT. So above a speed of
    about 10 an endpoint whose checks time out is detected later than on AWS, counted in cloud
    seconds. An endpoint that refuses connections or answers with errors is not.
    """
    limits = time_limits(config)

    def scale(seconds: float) -> float:
        return max(seconds / speed, SHORTEST_LIMIT)

    return TimeLimits(
        connect=scale(limits.connect),
        response=None if limits.response is None else scale(limits.response),
        body=None if limits.body is None else scale(limits.body),
    )


def scale_delay(seconds: float, speed: float) -> float:
    """Scale a delay from cloud seconds to wall seconds.

    The delay is scaled as the checkers' limit for the status is. At any speed a delayed answer
    meets or misses that limit as it would on AWS.
    """
    wall_limit = max(STATUS_SECONDS / speed, SHORTEST_LIMIT)
    return seconds * wall_limit / STATUS_SECONDS
