"""The state that the probes of a drill show: addresses, served regions, the health check. Pure.

The classes take events one at a time. The drill feeds them while it runs, to know when a phase has
reached its end; the judge feeds them afterwards.
"""

from bisect import insort
from collections import Counter
from collections.abc import Iterable
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


@dataclass
class HealthView:
    """The verdict of the health check, computed from its checkers' results by Route 53's rules.

    GetHealthCheckStatus tells the last result of each checker and its time, but not the checker's
    own state. So each new result is counted here as the checker counts it.
    """

    config: HealthCheckConfig
    states: dict[tuple[str, str, int], CheckerState] = field(default_factory=dict)
    seen: dict[tuple[str, str, int], str] = field(default_factory=dict)
    settings: HealthCheckConfig | None = None

    def observe(self, event: HealthSeen) -> None:
        """Count the new results of an event. A failed reading changes nothing."""
        if event.failure:
            return
        self.settings = replace(self.config, inverted=event.inverted, disabled=event.disabled)
        for key, each in _numbered(event.checkers):
            if key not in self.states:
                self.states[key] = CheckerState(healthy=each.healthy)
            elif self.seen[key] != each.checked:
                self.states[key] = self.states[key].observe(
                    each.healthy, self.config.failure_threshold
                )
            self.seen[key] = each.checked

    @property
    def healthy(self) -> bool | None:
        """The verdict; None before the first reading."""
        return None if self.settings is None else is_healthy(self.settings, self.states.values())

    @property
    def checkers(self) -> tuple[int, int]:
        """How many checkers count the endpoint healthy, and how many there are."""
        return sum(state.healthy for state in self.states.values()), len(self.states)


def _numbered(
    checkers: Iterable[CheckerObservation],
) -> Iterable[tuple[tuple[str, str, int], CheckerObservation]]:
    """Yield each observation with a unique key.

    Checkers with the same region and address are told apart by their order.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for each in checkers:
        yield (each.region, each.address, seen[each.region, each.address]), each
        seen[each.region, each.address] += 1


class LiveState:
    """The last probes of each lane, which tell whether a phase has reached its end."""

    def __init__(self, config: HealthCheckConfig, lasting: int) -> None:
        self._lasting = lasting
        self._book = AddressBook()
        self._health = HealthView(config)
        # The last of each lane, in the order in which they were sent
        self._served: dict[str, list[Served]] = {}
        self._answers: dict[str, DnsAnswered] = {}

    def observe(self, event: Event) -> None:
        """Take in one event. Answers arrive in any order; the probe sent last counts as the last."""
        self._book.learn(event)
        match event:
            case Served():
                served = self._served.setdefault(event.lane, [])
                insort(served, event, key=lambda each: each.sent)
                del served[: -self._lasting]
            case DnsAnswered():
                last = self._answers.get(event.lane, event)
                self._answers[event.lane] = max(last, event, key=lambda each: each.sent)
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
        served = self._served.get(lane, ())
        regions = {each.region if each.good else None for each in served}
        return regions.pop() if len(served) == self._lasting and len(regions) == 1 else None

    def failed_share(self, lane: str) -> float:
        """Return the share of the lane's last `lasting` requests that were not good, from 0 to 1.

        It is 0 before there are so many requests.
        """
        served = self._served.get(lane, ())
        if len(served) < self._lasting:
            return 0.0
        failed = sum(not request.good for request in served)
        return failed / self._lasting

    def last_served(self, lane: str) -> Served | None:
        """Return the lane's last request."""
        served = self._served.get(lane)
        return served[-1] if served else None

    def answered(self) -> dict[str, str | None]:
        """Return the region of each DNS lane's last answer, None where it is not known."""
        return {
            lane: self._book.region_of(answer.addresses) for lane, answer in self._answers.items()
        }

    def failures(self) -> list[str]:
        """Return the failure of each lane whose last probe failed."""
        served = [each[-1] for each in self._served.values()]
        said = [
            f"{each.lane}: {each.failure or f'status {each.status}'}"
            for each in served
            if not each.good
        ]
        return said + [
            f"{each.lane}: {each.failure or each.rcode}"
            for each in self._answers.values()
            if not each.addresses
        ]
