"""The local cloud's clock: seconds that pass `speed` times faster than the wall's."""

import asyncio
from collections.abc import Callable


class CloudClock:
    """Monotonic cloud seconds. Settings keep true seconds (an interval of 10 s, a TTL of 60 s);
    this clock passes them faster.

    Made within a running event loop, whose clock it counts on unless `time` (wall seconds,
    monotonic) is given; `now` may then be called from any thread. Raises ValueError when `speed` is
    not positive.
    """

    def __init__(self, speed: float = 1.0, *, time: Callable[[], float] | None = None) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self.speed = speed
        self._time = time or asyncio.get_running_loop().time
        self._start = self._time()

    def now(self) -> float:
        """Cloud seconds since the clock was made."""
        return (self._time() - self._start) * self.speed

    def monotonic(self, seconds: float) -> float:
        """A moment of this clock on the clock that it counts on: for a running loop's that is
        `time.monotonic()`, which all processes of a machine share.
        """
        return self._start + seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of the cloud's time (at once when not positive)."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)
