"""What a history's probes amount to: which region an address is, whom a lane reached, what the
health check's verdict is. Pure.

These are folds over events, fed one at a time: the drill feeds them live to know when it may go on,
the judge afterwards.
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
    """Which region each address is, learnt from the header of what answered there: never guessed
    from the address.
    """

    def __init__(self) -> None:
        self._regions: dict[str, str] = {}

    def learn(self, event: Event) -> None:
        """Take in one event; only good answers teach."""
        if isinstance(event, Served) and event.good and event.region:
            self._regions[event.address] = event.region

    def region_of(self, addresses: Iterable[str]) -> str | None:
        """The region of a DNS answer, None when none of its addresses has served yet or when they
        disagree.
        """
        found = {self._regions[each] for each in addresses if each in self._regions}
        return found.pop() if len(found) == 1 else None


@dataclass
class HealthView:
    """The verdict on the health check, worked out from its checkers' results by Route 53's rules.

    GetHealthCheckStatus tells each checker's last result and when it was made, and not what the
    checker makes of it: each new result is counted here as the checker counts it.
    """

    config: HealthCheckConfig
    states: dict[tuple[str, str, int], CheckerState] = field(default_factory=dict)
    seen: dict[tuple[str, str, int], str] = field(default_factory=dict)
    settings: HealthCheckConfig | None = None

    def observe(self, event: HealthSeen) -> None:
        """Count the results that are new in this event. A failed reading changes nothing."""
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
    """Each observation with a key of its own: checkers that share region and address are told apart
    by their order.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for each in checkers:
        yield (each.region, each.address, seen[each.region, each.address]), each
        seen[each.region, each.address] += 1


class LiveState:
    """What the last probes of each lane say: enough to know whether a phase has reached its end."""

    def __init__(self, config: HealthCheckConfig, lasting: int) -> None:
        self._lasting = lasting
        self._book = AddressBook()
        self._health = HealthView(config)
        # The last of each lane, in the order in which they were sent
        self._served: dict[str, list[Served]] = {}
        self._answers: dict[str, DnsAnswered] = {}

    def observe(self, event: Event) -> None:
        """Take in one event. Probes come back in any order; the one sent last is the lane's
        last.
        """
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
        """The region that served the lane's last `lasting` requests, all of them and well; None
        when that cannot be said.
        """
        served = self._served.get(lane, ())
        regions = {each.region if each.good else None for each in served}
        return regions.pop() if len(served) == self._lasting and len(regions) == 1 else None

    def failed_share(self, lane: str) -> float:
        """The share of the lane's last `lasting` requests that were not good, from 0 to 1; 0 before
        there are so many.
        """
        served = self._served.get(lane, ())
        return (
            sum(not each.good for each in served) / self._lasting
            if len(served) == self._lasting
            else 0.0
        )

    def last_served(self, lane: str) -> Served | None:
        """The lane's last request."""
        served = self._served.get(lane)
        return served[-1] if served else None

    def answered(self) -> dict[str, str | None]:
        """The region that each DNS lane answers with now, None where that cannot be said."""
        return {
            lane: self._book.region_of(answer.addresses) for lane, answer in self._answers.items()
        }

    def failures(self) -> list[str]:
        """What the last probe of each lane complains of."""
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
