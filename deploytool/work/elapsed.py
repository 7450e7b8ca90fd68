"""A clock that counts from its creation, for what is measured from a beginning of its own."""

from deploytool.core.ports import Clock


class ElapsedClock:
    """The Clock port, in seconds since its creation. `start` is that moment on the given clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.start = clock.now()

    def now(self) -> float:
        """Return the seconds since the creation."""
        return self._clock.now() - self.start

    def sleep(self, seconds: float) -> None:
        """Sleep on the given clock."""
        self._clock.sleep(seconds)
