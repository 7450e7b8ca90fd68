"""A history taken apart once, for measures and checkers to look at. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploytool.core.drill.history import (
    FRESH,
    DnsAnswered,
    DrillAborted,
    DrillEnded,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    HealthSeen,
    Served,
)
from deploytool.core.drill.live_state import AddressBook, HealthView
from deploytool.core.errors import InputError
from deploytool.core.route53.timing import FailoverTime, expected_failover
from deploytool.core.route53.zone import ALIAS_TTL


@dataclass(frozen=True)
class HealthTurned:
    """The verdict on the health check turned."""

    at: float
    healthy: bool


@dataclass(frozen=True)
class Window:
    """The part of a history in which one movement happens: from `start` until `end`, away from one
    region and to another.
    """

    name: str
    start: float | None
    end: float
    away: str
    to: str

    def holds(self, at: float) -> bool:
        """Whether a second is in it."""
        return self.start is not None and self.start <= at < self.end

    def covers(self, probe: Served | DnsAnswered) -> bool:
        """Whether a probe tells of it: sent in it, and answered before its end. An answer from
        beyond may tell of what came then, a failure was under way here.
        """
        return self.holds(probe.sent) and (probe.at < self.end or bool(probe.failure))


class ParsedHistory:
    """Everything that is read off a history. Raises InputError when it does not begin with
    drill_started.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        if not events or not isinstance(events[0], DrillStarted):
            raise InputError(
                "the history does not begin with drill_started: it is not a drill's, or its first lines are lost"
            )
        self.started = events[0]
        self.events = sorted(events, key=lambda event: (event.at, getattr(event, "lane", "")))
        self.ended = any(isinstance(event, DrillEnded) for event in events)
        self.aborted = [event.reason for event in events if isinstance(event, DrillAborted)]
        self.touched = any(isinstance(event, FaultInjecting) for event in events)
        self.restored = any(isinstance(event, FaultRestored) and event.verified for event in events)
        self.injected = self._first_at(FaultInjected)
        self.book = AddressBook()
        for event in self.events:
            self.book.learn(event)
        started, end = self.started, self.events[-1].at + 1.0
        restoring = self._first_at(FaultRestoring)
        self.failover = Window(
            "failover",
            self.injected,
            end if restoring is None else restoring,
            started.primary,
            started.secondary,
        )
        self.failback = Window(
            "failback", self._first_at(FaultRestored), end, started.secondary, started.primary
        )
        ttls = [event.ttl for event in self.answers("name-server:") if event.ttl is not None]
        self.dns_ttl = float(max(ttls, default=ALIAS_TTL))

    def phases(self) -> dict[str, Window]:
        """Before the fault, during and after it."""
        before = Window(
            "before",
            0.0,
            math.inf if self.injected is None else self.injected,
            "",
            self.started.primary,
        )
        return {"before": before, "during": self.failover, "after": self.failback}

    def served(self, lane: str = FRESH) -> list[Served]:
        """A client's requests in the order in which they were sent: one that was answered late
        tells of an earlier time.
        """
        return sorted(
            (each for each in self.events if isinstance(each, Served) and each.lane == lane),
            key=_sent,
        )

    def answers(self, prefix: str) -> list[DnsAnswered]:
        """What the DNS lanes of a kind answered, `name-server:` or `resolver:`, in the order in
        which they were asked.
        """
        return sorted(
            (
                each
                for each in self.events
                if isinstance(each, DnsAnswered) and each.lane.startswith(prefix)
            ),
            key=_sent,
        )

    def verdicts(self) -> Iterator[HealthTurned]:
        """Each turn of the health check's verdict, its first one too."""
        view, before = HealthView(self.started.health_check.config), None
        for event in self.events:
            if isinstance(event, HealthSeen):
                view.observe(event)
                if view.healthy is not None and view.healthy is not before:
                    before = view.healthy
                    yield HealthTurned(event.at, view.healthy)

    def expected(self) -> FailoverTime:
        """The bound that Route 53's rules predict, from the live settings of the health check and
        the TTL that was answered.
        """
        started = self.started
        return expected_failover(
            started.health_check.config,
            by_inverting=started.by_inverting,
            dns_ttl=self.dns_ttl,
            attempt=started.attempt,
        )

    def _first_at(self, kind: type[Event]) -> float | None:
        return next((event.at for event in self.events if isinstance(event, kind)), None)


def _sent(event: Served | DnsAnswered) -> float:
    return event.sent
