"""The two ways in which a command moves traffic, and what each writes into the switch. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum

from deploytool.core.errors import DeploytoolError
from deploytool.core.failover.records import (
    COMMAND,
    DRILL,
    SCHEMA_VERSION,
    StandbyRecord,
    SwitchRecord,
    time_text,
)


class Direction(StrEnum):
    """The name of a direction is that of its command."""

    FAILOVER = "failover"
    FAILBACK = "failback"

    @property
    def holds(self) -> bool:
        """Whether the switch holds traffic at the secondary after it."""
        return self is Direction.FAILOVER

    @property
    def opposite(self) -> "Direction":
        """The direction that undoes it."""
        return Direction.FAILBACK if self.holds else Direction.FAILOVER

    def destination(self, standby: StandbyRecord) -> str:
        """Return the region that serves after it."""
        return standby.secondary if self.holds else standby.primary


@dataclass(frozen=True)
class Person:
    """Who moves traffic (user@host), at what time (ISO 8601, UTC), and why."""

    who: str
    now: str
    why: str


def is_set(direction: Direction, record: SwitchRecord | None) -> bool:
    """Return whether the switch already stands as the direction needs it.

    A failover takes over a switch that a drill holds: the drill would release it at its end. A
    failback needs `returning`: without it the function in the standby region would take the
    secondary, which still serves, for a new failover, and hold the switch again.
    """
    if record is None:
        return False
    if direction.holds:
        return record.held and record.how != DRILL
    return not record.held and record.returning


def wanted(direction: Direction, record: SwitchRecord | None, person: Person) -> SwitchRecord:
    """Return the record to write. One that is set already is kept, with who set it and since when.

    So a second run of a command, also after the first one was killed, changes nothing.
    """
    if record is not None and is_set(direction, record):
        return record
    return SwitchRecord(
        schema_version=SCHEMA_VERSION,
        held=direction.holds,
        since=person.now,
        who=person.who,
        why=person.why,
        how=COMMAND,
        returning=not direction.holds,
    )


def arrived(record: SwitchRecord) -> SwitchRecord:
    """Return the record after a failback has ended: the primary has been seen to serve."""
    return replace(record, returning=False)


def check_not_superseded(direction: Direction, record: SwitchRecord | None) -> None:
    """Raise DeploytoolError when someone moved the switch the other way in the meantime.

    The command must not write over it: the last one who decided is right.
    """
    if record is None:
        raise DeploytoolError(
            "the record of the switch was deleted meanwhile: was the stage destroyed?",
            hint="deploytool status shows what there is",
        )
    if record.held == direction.holds:
        return
    moved = "set" if record.held else "released"
    reason = f" ({record.why})" if record.why else ""
    raise DeploytoolError(
        f"the switch was {moved} meanwhile{_origin(record)}{reason}; this {direction} ends here",
        hint=f"find out why, then run deploytool {direction} again",
    )


def _origin(record: SwitchRecord) -> str:
    """Return since when, by whom and how. A switch that holds automatically has no person."""
    who = f" by {record.who}" if record.who else ""
    return f" since {time_text(record.since)}{who} ({record.how})"


def describe(record: SwitchRecord | None) -> str:
    """Return the state of a switch as a sentence: who put it there, since when and why."""
    if record is None:
        return "the switch has never been used"
    reason = f": {record.why}" if record.why else ""
    text = f"{_origin(record)}{reason}"
    if record.held:
        return f"the switch holds traffic at the secondary{text}"
    if record.returning:
        return f"the switch is released{text}; traffic is returning to the primary"
    return f"the switch is released{text}"
