"""A drill's record in the account: the steps that undo it. Pure.

The record is written before anything is touched, so that any machine can restore.

The guard's function (lambda/drill_guard/guard.py) reads the same JSON: a change here is a new
SCHEMA_VERSION and a change there. A new step is only a change there: a guard that does not know it
undoes the other steps and keeps the record.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import get_args

from deploytool.core.errors import DeploytoolError
from deploytool.core.serialization import by_type_name, decode_typed, encode_typed

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class RestoreHealthCheck:
    """Set the health check's `inverted` back to this."""

    health_check_id: str
    inverted: bool


@dataclass(frozen=True)
class RestoreConcurrency:
    """Set the function's reserved concurrency back to this. None: it had no reservation."""

    region: str
    function_name: str
    reserved: int | None


@dataclass(frozen=True)
class RestoreMapping:
    """Create this base path mapping again when it is missing.

    `base_path` is as the API writes it, `(none)` for the root.
    """

    region: str
    domain: str
    base_path: str
    rest_api_id: str
    stage: str


@dataclass(frozen=True)
class RestoreEdge:
    """Let the local cloud's edge of this region serve again."""

    region: str


@dataclass(frozen=True)
class RestoreSwitch:
    """Release the stage's switch in this region, and note that traffic is returning.

    A switch that `deploytool failover` holds meanwhile is left: somebody moved traffic on purpose.
    """

    region: str
    project: str
    stage: str


UndoStep = RestoreHealthCheck | RestoreConcurrency | RestoreMapping | RestoreEdge | RestoreSwitch

_STEP_TYPES: Mapping[str, type[UndoStep]] = by_type_name(get_args(UndoStep))


@dataclass(frozen=True)
class DrillRecord:
    """A drill under way.

    `holder` names the user and the host that run it. `started` is its start, and `until` the time
    at which the guard restores, both ISO 8601 in UTC. `undo` has the steps in their order.
    """

    schema_version: int
    drill_id: str
    fault: str
    stage: str
    holder: str
    started: str
    until: str
    undo: tuple[UndoStep, ...]

    def to_json(self) -> str:
        """Return the record as compact JSON. Each step has its `type`."""
        undo = [encode_typed(step) for step in self.undo]
        return json.dumps({**asdict(self), "undo": undo}, separators=(",", ":"))


class DrillUnderWay(DeploytoolError):
    """Another drill is under way. The error has its record.

    `selector` are the options with which `restore` finds it, by default those of the record's stage.
    """

    def __init__(self, record: DrillRecord, selector: str = "") -> None:
        message = (
            f"a drill ({record.fault}) is under way since {record.started}, by {record.holder}"
        )
        selector = selector or f"--stage {record.stage}"
        hint = f"if it no longer runs, restore what it left: deploytool restore {selector}"
        super().__init__(message, hint=hint)
        self.record = record


def record_name(project: str, stage: str) -> str:
    """Return the name of the SSM parameter of a stage's record, in the secondary region."""
    return f"/deploytool/{project}/{stage}/drill"


def parse_record(text: str, where: str) -> DrillRecord:
    """Return the record in `text`, which was read from `where`.

    Raises DeploytoolError when this version cannot read it.
    """
    try:
        document = json.loads(text)
        version = document["schema_version"]
        if version == SCHEMA_VERSION:
            undo = tuple(decode_typed(_STEP_TYPES, step) for step in document["undo"])
            return DrillRecord(**{**document, "undo": undo})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = "correct the health check by hand, then delete that parameter"
        raise DeploytoolError(
            f"the drill's record {where} cannot be read: {error!r}", hint=hint
        ) from error

    hint = "restore with the version of deploytool that started the drill, or a newer one"
    message = (
        f"the drill's record {where} has schema version {version}; this one reads {SCHEMA_VERSION}"
    )
    raise DeploytoolError(message, hint=hint)
