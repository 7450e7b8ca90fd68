"""The state that the probes of a drill show: addresses, served regions, the health check. Pure.

The classes take events one at a time. The drill feeds them while it runs, to know when a phase has
reached its end; the judge feeds them afterwards.
"""

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from deploytool.core.drill.history import DnsAnswered, Event, HealthSeen, Served
from deploytool.core.route53.health import (
    CheckerObservation,
    CheckerState,
    HealthCheckConfig,
    is_healthy,
)


class AddressBook:
    """The region of each address, learnt from the region header of its answers."""

    def __init__(self) -> None:
        self._regions: dict[str, str] = {}

    def learn(self, event: Event) -> None:
        """Take in one event. Only a good answer tells the region of its address."""
        if isinstance(event, Served) and event.good and event.region:
            self._regions[event.address] = event.region

    def region_of(self, addresses: Iterable[str]) -> str | None:
        """Return the region of a DNS answer.

        None when none of its addresses has served yet, or when they belong to several regions.
        """
        regions = {self._regions[address] for address in addresses if address in self._regions}
        if len(regions) != 1:
            return None
        return regions.pop()


def consistent_region(requests: Sequence[Served], count: int) -> str | None:
    """Return the region that served the last `count` requests, all of them well; else None."""
    last = requests[-count:]
    regions = {request.good_region for request in last}
    if len(last) < count or len(regions) != 1:
        return None
    return regions.pop()


# A checker: its region, its address, and its number among those that share both
CheckerKey = tuple[str, str, int]


@dataclass
class HealthView:
    """The verdict of the health check, computed from its checkers' results by Route 53's rules.

    GetHealthCheckStatus tells the last result of each checker and its time, but not the checker's
    own state. So each new result is counted here as the checker counts it.

    `checked` is the time of each checker's last result, `settings` the live settings, which are
    None before the first reading.
    """

    config: HealthCheckConfig
    states: dict[CheckerKey, CheckerState] = field(default_factory=dict)
    checked: dict[CheckerKey, str] = field(default_factory=dict)
    settings: HealthCheckConfig | None = None

    def observe(self, event: HealthSeen) -> None:
        """Count the new results of an event. A failed reading changes nothing."""
        if event.failure:
            return

        self.settings = replace(self.config, inverted=event.inverted, disabled=event.disabled)
        for key, observation in _by_key(event.checkers).items():
            state = self.states.get(key)
            if state is None:
                # The first reading shows no count, so its result is taken for the state.
                self.states[key] = CheckerState(healthy=observation.healthy)
            # The time tells a new result from one that was read before.
            elif self.checked[key] != observation.checked:
                self.states[key] = state.observe(observation.healthy, self.config.failure_threshold)
            self.checked[key] = observation.checked

    @property
    def healthy(self) -> bool | None:
        """The verdict; None before the first reading."""
        if self.settings is None:
            return None
        return is_healthy(self.settings, self.states.values())

    @property
    def checkers(self) -> tuple[int, int]:
        """How many checkers count the endpoint healthy, and how many there are."""
        healthy = sum(state.healthy for state in self.states.values())
        return healthy, len(self.states)


def _by_key(observations: Iterable[CheckerObservation]) -> dict[CheckerKey, CheckerObservation]:
    """Return the observations by checker.

    Checkers with the same region and address are told apart by their order.
    """
    keyed: dict[CheckerKey, CheckerObservation] = {}
    numbers: Counter[tuple[str, str]] = Counter()
    for observation in observations:
        place = (observation.region, observation.address)
        keyed[(*place, numbers[place])] = observation
        numbers[place] += 1
    return keyed


class LiveState:
    """The last probes of each lane, which tell whether a phase has reached its end.

    `lasting` is the number of requests in a row that count as a lasting change.
    """

    def __init__(self, config: HealthCheckConfig, lasting: int) -> None:
        self._lasting = lasting
        self._book = AddressBook()
        self._health = HealthView(config)
        # The last requests of each lane, at most `lasting`, in the order in which they were sent
        self._requests: dict[str, list[Served]] = {}
        # The last answer of each lane
        self._answers: dict[str, DnsAnswered] = {}

    def observe(self, event: Event) -> None:
        """Take in one event. Answers arrive in any order; the last is that of the latest probe."""
        self._book.learn(event)
        match event:
            case Served():
                requests = self._requests.setdefault(event.lane, [])
                insort(requests, event, key=lambda request: request.sent)
                del requests[: -self._lasting]
            case DnsAnswered():
                last = self._answers.get(event.lane)
                if last is None or event.sent > last.sent:
                    self._answers[event.lane] = event
            case HealthSeen():
                self._health.observe(event)
            case _:
                pass

    @property
    def health(self) -> HealthView:
        """The health check's view."""
        return self._health

    def served_by(self, lane: str) -> str | None:
        """Return the region that served all of the lane's last `lasting` requests, or None."""
        return consistent_region(self._requests.get(lane, ()), self._lasting)

    def failed_share(self, lane: str) -> float:
        """Return the share of the lane's last `lasting` requests that were not good, from 0 to 1.

        It is 0 before there are so many requests.
        """
        requests = self._requests.get(lane, ())
        if len(requests) < self._lasting:
            return 0.0
        failed = sum(not request.good for request in requests)
        return failed / self._lasting

    def last_served(self, lane: str) -> Served | None:
        """Return the lane's last request."""
        requests = self._requests.get(lane)
        return requests[-1] if requests else None

    def answered(self) -> dict[str, str | None]:
        """Return the region of each DNS lane's last answer, None where it is not known."""
        regions: dict[str, str | None] = {}
        for lane, answer in self._answers.items():
            regions[lane] = self._book.region_of(answer.addresses)
        return regions

    def failures(self) -> list[str]:
        """Return the failure of each lane whose last probe failed."""
        failures: list[str] = []
        for lane, requests in self._requests.items():
            request = requests[-1]
            if not request.good:
                # A request without a failure has a status: not a 2xx, or no region in its header.
                failures.append(f"{lane}: {request.failure or f'status {request.status}'}")

        for lane, answer in self._answers.items():
            if not answer.addresses:
                failures.append(f"{lane}: {answer.failure or answer.rcode}")
        return failures
