"""A rate budget for calls to one service in one region: a token bucket with a variable rate.

The rate is halved when AWS throttles and grows back afterwards. AWS publishes no rates for
CloudFormation. Two calls a second with a burst of four is below the rates at which users have
reported throttling.
"""

from dataclasses import dataclass, field

from deploytool.core.ports import Clock

# After this many seconds without throttling the rate grows by this many calls a second.
GROWTH_INTERVAL = 10.0
GROWTH = 0.2

SLOWEST = 0.1  # calls a second


@dataclass(frozen=True)
class Rate:
    """A number of calls a second, and the number of calls that may be made at once."""

    per_second: float = 2.0
    burst: float = 4.0


@dataclass
class RateBudget:
    """The budget of one region. It is not thread-safe: the caller locks.

    `rate` is the current rate in calls a second. It never exceeds the limit's.
    """

    clock: Clock
    limit: Rate = Rate()
    rate: float = field(init=False)
    _tokens: float = field(init=False)  # calls that may be made now; negative when some must wait
    _refilled_at: float = field(init=False)
    _rate_changed_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.rate = self.limit.per_second
        self._tokens = self.limit.burst
        self._refilled_at = self.clock.now()
        self._rate_changed_at = self.clock.now()

    def reserve(self) -> float:
        """Take one call from the budget; return the seconds to wait before making it."""
        self._refill()
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self.rate)

    def throttled(self) -> None:
        """Halve the rate and drop the calls that were saved up, because AWS throttled a call."""
        self._refill()
        slowest = min(SLOWEST, self.limit.per_second)
        self.rate = max(self.rate / 2, slowest)
        self._tokens = min(self._tokens, 0.0)
        self._rate_changed_at = self.clock.now()

    def _refill(self) -> None:
        now = self.clock.now()
        gained = (now - self._refilled_at) * self.rate
        self._tokens = min(self.limit.burst, self._tokens + gained)
        self._refilled_at = now

        growths = int((now - self._rate_changed_at) / GROWTH_INTERVAL)
        if growths > 0:
            self.rate = min(self.limit.per_second, self.rate + growths * GROWTH)
            self._rate_changed_at += growths * GROWTH_INTERVAL
