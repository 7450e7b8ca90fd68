"""The records that the function reads and writes, as JSON in parameters of Systems Manager. Pure.

`deploytool/core/failover/records.py` describes them, and `deploytool/core/drill/record.py` the
drill's: a change there is a new schema version and a change here.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

SCHEMA_VERSION = 1  # of every record

# The ways in which traffic comes to move.
COMMAND = "command"
AUTOMATIC = "automatic"
DRILL = "drill"

# Of a record of who serves. A parameter of the standard tier has at most 4 KB.
MOST_CHANGES = 20
MOST_BYTES = 4096
_LONGEST_TEXT = 500  # characters of JSON for `who` and for `why`, with the quotation marks


@dataclass(frozen=True)
class Standby:
    """What the function needs of a stage: the domain, who answers for it, and each region's target."""

    domain: str
    primary: str
    secondary: str
    name_servers: tuple[str, ...]
    targets: dict[str, str]  # region -> the name to which the domain's record of it points


@dataclass(frozen=True)
class Switch:
    """The wanted state of the switch: who put it there, when, why and how."""

    held: bool
    since: str
    who: str
    why: str
    how: str
    returning: bool = False


@dataclass(frozen=True)
class Change:
    """A change of who serves."""

    at: str
    region: str
    how: str
    who: str = ""
    why: str = ""


@dataclass(frozen=True)
class Serving:
    """Who serves: the changes, the newest last, and the time of the last look."""

    seen: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Drill:
    """A drill under way: who runs it, and its fault."""

    holder: str
    fault: str


def parse_standby(text: str) -> Standby:
    """Read the `standby` record. Raises ValueError for another schema version."""
    record = _document(text)
    return Standby(
        domain=record["domain"],
        primary=record["primary"],
        secondary=record["secondary"],
        name_servers=tuple(record["name_servers"]),
        targets=dict(record["targets"]),
    )


def parse_switch(text: str) -> Switch:
    """Read the `switch` record. Raises ValueError for another schema version."""
    record = _document(text)
    return Switch(
        held=record["held"],
        since=record["since"],
        who=record["who"],
        why=record["why"],
        how=record["how"],
        returning=record["returning"],
    )


def parse_serving(text: str) -> Serving:
    """Read the `serving` record. Raises ValueError for another schema version."""
    record = _document(text)
    changes = [Change(**change) for change in record["changes"]]
    return Serving(record["seen"], tuple(changes))


def parse_drill(text: str) -> Drill:
    """Read what is needed of the drill's record. Raises ValueError for another schema version."""
    record = _document(text)
    return Drill(record["holder"], record["fault"])


def _document(text: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(text)
    version = record["schema_version"]
    if version != SCHEMA_VERSION:
        raise ValueError(f"unknown schema version {version}")
    return record


def switch_json(switch: Switch) -> str:
    """Return the `switch` record as compact JSON."""
    return _json(switch)


def serving_json(serving: Serving) -> str:
    """Return the `serving` record as compact JSON of at most 4 KB, without its oldest changes."""
    changes = [_shortened(change) for change in serving.changes[-MOST_CHANGES:]]
    while True:
        text = _json(Serving(serving.seen, tuple(changes)))
        if len(text.encode()) <= MOST_BYTES:
            return text
        changes.pop(0)


def _json(record: Switch | Serving) -> str:
    document = {"schema_version": SCHEMA_VERSION, **asdict(record)}
    return json.dumps(document, separators=(",", ":"))


def _shortened(change: Change) -> Change:
    """Cut long texts, so that the newest change alone always fits."""
    return Change(
        change.at,
        change.region,
        change.how,
        _shortened_text(change.who),
        _shortened_text(change.why),
    )


def _shortened_text(text: str) -> str:
    """Cut a text so that its JSON, where one character can take twelve, is short enough."""
    if len(json.dumps(text)) <= _LONGEST_TEXT:
        return text

    shortened = text[:_LONGEST_TEXT]
    while len(json.dumps(shortened + "...")) > _LONGEST_TEXT:
        shortened = shortened[:-1]
    return shortened + "..."
