"""The timeline of a drill: its notable events, without the single probes. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from deploytool.core.drill.history import DnsAnswered, Event, HealthSeen, ObserverLate, Served
from deploytool.core.drill.parsed_history import HealthTurned, ParsedHistory


@dataclass(frozen=True)
class LaneMoved:
    """From second `at` on another region serves the probes of a lane.

    The region is None when a probe failed, or when the region of its address is not known.
    """

    at: float
    lane: str
    region: str | None


TimelineEvent = Event | LaneMoved | HealthTurned


def timeline(history: ParsedHistory) -> tuple[TimelineEvent, ...]:
    """Return the notable events in the order of their time."""
    events: list[TimelineEvent] = []
    for event in history.events:
        if not isinstance(event, Served | DnsAnswered | HealthSeen | ObserverLate):
            events.append(event)

    events += history.verdicts()
    events += _lane_moves(history)
    return tuple(sorted(events, key=lambda event: event.at))


def _lane_moves(history: ParsedHistory) -> Iterator[LaneMoved]:
    regions: dict[str, str | None] = {}
    # A late answer tells about the time at which the probe was sent.
    for probe in history.probes:
        region = _region(history, probe)
        if probe.lane not in regions or regions[probe.lane] != region:
            regions[probe.lane] = region
            yield LaneMoved(probe.sent, probe.lane, region)


def _region(history: ParsedHistory, probe: Served | DnsAnswered) -> str | None:
    match probe:
        case DnsAnswered():
            return history.address_book.region_of(probe.addresses)
        case Served():
            return probe.good_region
