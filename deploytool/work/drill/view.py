"""What a drill knows at a moment: who serves, who is healthy, and what is missing."""

import threading

from deploytool.core.drill.history import FRESH_CLIENT, Event, region_lane
from deploytool.core.drill.live_state import LiveState
from deploytool.core.service.service import Service


class View:
    """The state of a drill, which its threads read and write.

    `dns_lanes` is the number of name servers and resolvers that are asked.
    """

    def __init__(self, service: Service, live_state: LiveState, dns_lanes: int) -> None:
        self._service = service
        self._live_state = live_state
        self._dns_lanes = dns_lanes
        self._lock = threading.Lock()

    def observe(self, event: Event) -> None:
        """Take in one event."""
        with self._lock:
            self._live_state.observe(event)

    def failed_share(self, region: str) -> float:
        """Return the share, from 0 to 1, of the last requests to a region that failed."""
        with self._lock:
            return self._live_state.failed_share(region_lane(region))

    def serves(self, region: str) -> bool:
        """Return whether all of DNS and the fresh client are at the region."""
        with self._lock:
            answers = self._live_state.answered()
            served_by = self._live_state.served_by(FRESH_CLIENT)
        everywhere = len(answers) == self._dns_lanes and set(answers.values()) == {region}
        return everywhere and served_by == region

    def primary_is_healthy(self) -> bool:
        """Return whether the check of the primary's endpoint is healthy."""
        with self._lock:
            return self._live_state.health.healthy is True

    def standby_serves(self) -> bool:
        """Return whether the secondary's own endpoint works and the primary's check is healthy.

        Without these a drill would do harm. Route 53 counts an endpoint as healthy while more than
        18 % of its checkers do (Developer Guide, "How Amazon Route 53 determines whether a health
        check is healthy"). Of checkers all over the world one may always be flaky.
        """
        with self._lock:
            last = self._live_state.last_served(region_lane(self._service.secondary))
            serves = last is not None and last.good and last.region == self._service.secondary
            _, checkers = self._live_state.health.checkers
            return serves and checkers > 0 and self._live_state.health.healthy is True

    def complaint(self) -> str:
        """Return why there is no steady state."""
        with self._lock:
            complaints = self._live_state.failures()
            is_healthy = self._live_state.health.healthy is True
            healthy, checkers = self._live_state.health.checkers
            answers = self._live_state.answered()
        if not is_healthy or not checkers:
            complaints.append(f"{healthy} of {checkers} health checkers say healthy")
        if not complaints:
            others = {str(region) for region in answers.values()} - {self._service.primary}
            if others:
                complaints.append(f"DNS answers with {' and '.join(sorted(others))}")
        return "; ".join(complaints) or "the primary did not serve enough requests in a row"
