"""A rate budget for calls to one service in one region: a token bucket whose rate is halved on
throttling and grows back.

AWS publishes no rates for CloudFormation; two calls a second with a burst of four stays below what
people were throttled at.
"""

from dataclasses import dataclass, field

from deploytool.core.ports import Clock

# Calls a second that are won back for every so many seconds without throttling
GROWTH, CLEAN = 0.2, 10.0
SLOWEST = 0.1  # calls a second


@dataclass(frozen=True)
class Rate:
    """Calls a second, and how many may go at once."""

    per_second: float = 2.0
    burst: float = 4.0


@dataclass
class RateBudget:
    """One region's budget. Not safe for several threads: the caller locks."""

    clock: Clock
    limit: Rate = Rate()
    rate: float = field(init=False)
    _left: float = field(init=False)
    _counted: float = field(init=False)
    _changed: float = field(init=False)

    def __post_init__(self) -> None:
        self.rate, self._left = self.limit.per_second, self.limit.burst
        self._counted = self._changed = self.clock.now()

    def reserve(self) -> float:
        """Take one call from the budget; the seconds to wait before it may be made."""
        self._count()
        self._left -= 1.0
        return max(0.0, -self._left / self.rate)

    def throttled(self) -> None:
        """AWS said that it was too much: half the rate, and nothing saved up."""
        self._count()
        self.rate = max(self.rate / 2, min(SLOWEST, self.limit.per_second))
        self._left = min(self._left, 0.0)
        self._changed = self.clock.now()

    def _count(self) -> None:
        now = self.clock.now()
        self._left = min(self.limit.burst, self._left + (now - self._counted) * self.rate)
        self._counted = now
        steps = int((now - self._changed) / CLEAN)
        if steps > 0:
            self.rate = min(self.limit.per_second, self.rate + steps * GROWTH)
            self._changed += steps * CLEAN
