"""Decides when a state that is polled is reported: when it changes, and then from time to time."""

from collections.abc import Hashable

REPORT_INTERVAL = 30.0  # seconds after which an unchanged state is reported again


class Reports:
    """Remembers the last report about each subject of a run."""

    def __init__(self) -> None:
        # The state that was reported, and the second of the clock in which it was.
        self._last: dict[Hashable, tuple[str, float]] = {}

    def is_due(self, subject: Hashable, state: str, now: float) -> bool:
        """Return whether to report a state now. If so, the report counts as made."""
        if subject in self._last:
            last_state, last_at = self._last[subject]
            if state == last_state and now - last_at < REPORT_INTERVAL:
                return False
        self._last[subject] = (state, now)
        return True
