"""What follows from a look at who serves: the changes that are noted, and when the switch is held.

Pure: from records to records.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from records import AUTOMATIC, DRILL, MOST_CHANGES, Change, Drill, Serving, Switch

MANUAL = "manual"  # the value of FAILBACK with which traffic stays where it went


@dataclass(frozen=True)
class Look:
    """What was seen at a time (ISO 8601, UTC): the region that serves, of these two."""

    at: str
    region: str
    primary: str
    secondary: str


@dataclass(frozen=True)
class Noted:
    """The record after a look, and the change that it adds, if any.

    `is_first` is true when there was no record: then nothing has moved.
    """

    serving: Serving
    change: Change | None
    is_first: bool


def serving_region(
    answers: Iterable[Iterable[str]], servers: int, targets: Mapping[str, Iterable[str]]
) -> str | None:
    """Return the region that serves, None when that cannot be told.

    `answers` are the addresses that name servers gave for the domain, one entry for each that
    answered, of `servers` in all. `targets` has the addresses of each region. Every answer must be
    of the same region, and at least half of the name servers must have answered: while a change
    spreads, nobody can tell.
    """
    seen: list[str | None] = [_region_of(set(addresses), targets) for addresses in answers]
    if not seen or 2 * len(seen) < servers:
        return None
    if len(set(seen)) > 1:
        return None
    return seen[0]


def _region_of(addresses: set[str], targets: Mapping[str, Iterable[str]]) -> str | None:
    """Return the only region that has one of the addresses, None when none or both have."""
    regions = [region for region, known in targets.items() if addresses.intersection(known)]
    return regions[0] if len(regions) == 1 else None


def note(serving: Serving | None, look: Look, switch: Switch | None, drill: Drill | None) -> Noted:
    """Return the record of who serves after a look."""
    changes = serving.changes if serving else ()
    if changes and changes[-1].region == look.region:
        return Noted(Serving(look.at, changes), None, is_first=False)

    change = _change(look, changes, switch, drill)
    kept = (*changes, change)[-MOST_CHANGES:]
    return Noted(Serving(look.at, kept), change, is_first=not changes)


def _change(
    look: Look, earlier: tuple[Change, ...], switch: Switch | None, drill: Drill | None
) -> Change:
    """Return the change to the region that serves, with its cause."""
    if not earlier:
        return Change(look.at, look.region, AUTOMATIC, why="the first look")
    if drill:
        return Change(
            look.at, look.region, DRILL, drill.holder, f"a drill with fault {drill.fault}"
        )

    if switch and _has_moved(switch, look, earlier[-1]):
        return Change(look.at, look.region, switch.how, switch.who, switch.why)
    if look.region == look.secondary:
        return Change(look.at, look.region, AUTOMATIC, why="a health check of the primary failed")
    # The drill's record is deleted when its fault is undone, and traffic returns after that.
    if earlier[-1].how == DRILL:
        return Change(look.at, look.region, DRILL, earlier[-1].who, "after " + earlier[-1].why)
    return Change(look.at, look.region, AUTOMATIC, why="the primary is healthy again")


def _has_moved(switch: Switch, look: Look, last: Change) -> bool:
    """Return whether the switch is the cause of a move: it wants the traffic where it went."""
    if look.region == look.secondary:
        return switch.held
    # A failback may have ended before this look. Then the switch was released after traffic had
    # left.
    was_released = switch.returning or _is_later(switch.since, last.at)
    return not switch.held and was_released


def _is_later(one: str, other: str) -> bool:
    """Return whether a time is later than another one, both ISO 8601 with a time zone."""
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)


def must_hold(
    look: Look, serving: Serving | None, switch: Switch | None, drill: Drill | None, failback: str
) -> bool:
    """Return whether to hold the switch: the secondary serves although nobody asked for it.

    Not while traffic returns after a failback by command: until then the secondary still serves.
    Not before the primary has served either, as `serving` tells: in a new stage the secondary
    serves first when the primary's endpoint is slow to become healthy. That is no failover.
    """
    if failback != MANUAL or look.region != look.secondary or drill:
        return False
    if switch is not None and (switch.held or switch.returning):
        return False
    changes = serving.changes if serving else ()
    return any(change.region == look.primary for change in changes)


def held(look: Look) -> Switch:
    """Return the switch that keeps traffic where an automatic failover moved it."""
    why = f"{look.secondary} served without a command, and failback is manual"
    return Switch(held=True, since=look.at, who="", why=why, how=AUTOMATIC)


def has_returned(look: Look, switch: Switch | None) -> bool:
    """Return whether a failback has ended: the primary serves, as it was to."""
    return switch is not None and switch.returning and look.region == look.primary


def settled(switch: Switch) -> Switch:
    """Return the switch after its failback has ended."""
    return replace(switch, returning=False)
