"""A drill's history, parsed once for the measures, the checkers and the reports. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, TypeVar

from deploytool.core.drill.bounds import Bounds, expected_movements
from deploytool.core.drill.history import (
    FRESH_CLIENT,
    SWITCH_BY_FAULT,
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
    PhaseBegan,
    Served,
    SwitchHeld,
    SwitchReleased,
    SwitchReleasing,
)
from deploytool.core.drill.live_state import AddressBook, HealthView
from deploytool.core.errors import InputError
from deploytool.core.route53.zone import ALIAS_TTL

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class HealthTurned:
    """The verdict of the health check changed. drill.json names the event `health_turned`."""

    at: float
    healthy: bool


@dataclass(frozen=True)
class Window:
    """The part of a history in which traffic moves from the region `away` to the region `to`.

    `start` and `end` are in seconds since the drill began. `start` is None when the movement was
    never begun. `by_switch`: the switch moves the traffic, and not the check of the endpoint.
    `is_before`: the fault begins at the end, so that a later failure may be its effect.
    """

    name: str
    start: float | None
    end: float
    away: str
    to: str
    by_switch: bool = False
    is_before: bool = False

    def contains(self, at: float) -> bool:
        """Return whether a second lies in the window."""
        return self.start is not None and self.start <= at < self.end

    def covers(self, probe: Served | DnsAnswered) -> bool:
        """Return whether a probe tells something about the movement.

        It was sent in the window and answered before the end: an answer after the end may show the
        next movement. A failure counts however late it is noticed, because its request was under
        way in the window; before the fault it counts like every other answer.
        """
        answered_in_time = probe.at < self.end or (bool(probe.failure) and not self.is_before)
        return self.contains(probe.sent) and answered_in_time


@dataclass(frozen=True)
class ParsedHistory:
    """A history and what is derived from it. `events` are in the order of their time."""

    started: DrillStarted
    events: tuple[Event, ...]

    @classmethod
    def from_events(cls, events: Sequence[Event]) -> Self:
        """Parse events in any order after the first one, which has to be drill_started.

        Raises InputError when it is not.
        """
        if not events or not isinstance(events[0], DrillStarted):
            raise InputError(
                "the history does not begin with drill_started: it is not the history of a drill,"
                " or its first lines are lost"
            )
        # Probes are written as they end. The lane decides between events of the same time, so that
        # the order of the lines does not change the judgement.
        ordered = sorted(events, key=lambda event: (event.at, getattr(event, "lane", "")))
        return cls(events[0], tuple(ordered))

    @cached_property
    def ended(self) -> bool:
        """Whether the drill reached its end."""
        return self._first(DrillEnded) is not None

    @cached_property
    def abort_reasons(self) -> tuple[str, ...]:
        """Why the drill was aborted; empty when it was not."""
        return tuple(event.reason for event in self.events if isinstance(event, DrillAborted))

    @cached_property
    def fault_attempted(self) -> bool:
        """Whether the fault may have been injected, even if the injection did not return."""
        return self._first(FaultInjecting) is not None

    @cached_property
    def waited_for_failover(self) -> bool:
        """Whether the drill waited for the failover until its end.

        A drill that was stopped or killed meanwhile did not. It is certain where a later phase
        began.
        """
        later = {"holding", "staying", "failback"}
        begun = {event.phase for event in self.events if isinstance(event, PhaseBegan)}
        return self.ended or not later.isdisjoint(begun)

    @cached_property
    def restored(self) -> bool:
        """Whether the fault was undone, the switch released, and both verified."""
        undone = any(isinstance(event, FaultRestored) and event.verified for event in self.events)
        return undone and (not self.switch_held or self._released)

    @cached_property
    def switch_held(self) -> bool:
        """Whether the drill held the switch after the failover."""
        return self._first(SwitchHeld) is not None

    @cached_property
    def _released(self) -> bool:
        return any(isinstance(event, SwitchReleased) and event.verified for event in self.events)

    @cached_property
    def injected(self) -> float | None:
        """The second at which the fault was in force; None when it never was."""
        return self._time_of_first(FaultInjected)

    @cached_property
    def probes(self) -> list[Served | DnsAnswered]:
        """All probes in the order in which they were sent."""
        probes = [event for event in self.events if isinstance(event, Served | DnsAnswered)]
        return sorted(probes, key=lambda probe: probe.sent)

    @cached_property
    def address_book(self) -> AddressBook:
        """The region of each address, learnt from the whole history."""
        book = AddressBook()
        for event in self.events:
            book.learn(event)
        return book

    @cached_property
    def failover(self) -> Window:
        """From the injection until the drill begins to restore."""
        end = self._time_of_first(FaultRestoring)
        if end is None:
            # The drill was killed before it could restore.
            end = self._end
        return Window(
            name="failover",
            start=self.injected,
            end=end,
            away=self.started.primary,
            to=self.started.secondary,
            by_switch=self.started.switch == SWITCH_BY_FAULT,
        )

    @cached_property
    def fault_restored(self) -> float | None:
        """The second at which the fault was undone; None when it was not."""
        return self._time_of_first(FaultRestored)

    @cached_property
    def stay(self) -> Window | None:
        """From the restore until the explicit failback. None where the switch was not held.

        Traffic is expected to stay with the secondary.
        """
        start = self.fault_restored
        if not self.switch_held or start is None:
            return None
        end = self._time_of_first(SwitchReleasing)
        if end is None:
            end = self._end
        return Window("stay", start, end, self.started.primary, self.started.secondary)

    @cached_property
    def failback(self) -> Window:
        """From the explicit failback, or else from the restore, until the end of the history."""
        beginning = SwitchReleased if self.switch_held else FaultRestored
        return Window(
            name="failback",
            start=self._time_of_first(beginning),
            end=self._end,
            away=self.started.secondary,
            to=self.started.primary,
            by_switch=self.switch_held or self.failover.by_switch,
        )

    @cached_property
    def phases(self) -> dict[str, Window]:
        """The windows before, during and after the fault. While traffic stays is during it."""
        # Without an injection, the whole drill is before it. With one, the fault may be in force from
        # the beginning of the injection on.
        injecting = self._time_of_first(FaultInjecting)
        end = math.inf if injecting is None else injecting
        before = Window("before", 0.0, end, "", self.started.primary, is_before=True)
        during = self.failover
        if self.stay is not None:
            during = replace(during, end=self.stay.end)
        return {"before": before, "during": during, "after": self.failback}

    @cached_property
    def dns_ttl(self) -> float:
        """The longest TTL that a name server answered, in seconds."""
        answers = self.answers("name-server:")
        # Failures have no TTL. Without any answer, Route 53's fixed TTL of an alias record applies.
        ttls = [answer.ttl for answer in answers if answer.ttl is not None]
        return float(max(ttls, default=ALIAS_TTL))

    @cached_property
    def expected(self) -> Bounds:
        """The expected times of both movements.

        They follow from the live settings of the health check and the TTL that was answered.
        """
        started = self.started
        return expected_movements(
            started.health_check.config,
            by_inverting=started.by_inverting,
            attempt=started.attempt,
            switch=started.switch,
            dns_ttl=self.dns_ttl,
        )

    def served(self, lane: str = FRESH_CLIENT) -> list[Served]:
        """Return a client's requests in the order in which they were sent.

        The order of the answers differs: a late answer tells about an earlier time.
        """
        return [probe for probe in self.probes if isinstance(probe, Served) and probe.lane == lane]

    def answers(self, prefix: str) -> list[DnsAnswered]:
        """Return the answers of the lanes with a prefix, in the order in which they were asked.

        The prefix is `name-server:` or `resolver:`.
        """
        answers: list[DnsAnswered] = []
        for probe in self.probes:
            if isinstance(probe, DnsAnswered) and probe.lane.startswith(prefix):
                answers.append(probe)
        return answers

    def verdicts(self) -> Iterator[HealthTurned]:
        """Yield each change of the health check's verdict; the first known verdict is one too."""
        view = HealthView(self.started.health_check.config)
        verdict: bool | None = None
        for event in self.events:
            if not isinstance(event, HealthSeen):
                continue
            view.observe(event)
            if view.healthy is not None and view.healthy is not verdict:
                verdict = view.healthy
                yield HealthTurned(event.at, verdict)

    @property
    def _end(self) -> float:
        """The end of the last window. Windows are half-open, so it lies after the last event."""
        return self.events[-1].at + 1.0

    def _time_of_first(self, kind: type[Event]) -> float | None:
        event = self._first(kind)
        return None if event is None else event.at

    def _first(self, kind: type[E]) -> E | None:
        for event in self.events:
            if isinstance(event, kind):
                return event
        return None
