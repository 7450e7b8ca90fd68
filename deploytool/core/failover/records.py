"""What is kept in the standby region about a stage, each in a parameter of Systems Manager. Pure.

The primary region's API may be down when it is needed, and with us-east-1's the control planes of
Route 53 and IAM. So a failover needs nothing but these parameters, DNS and HTTPS.

The function in the standby region (lambda/switch/switch.py) reads and writes the same JSON: a
change here is a new schema version and a change there.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from deploytool.core.errors import DeploytoolError
from deploytool.core.serialization import decode

SCHEMA_VERSION = 1

# The ways in which traffic comes to move.
COMMAND = "command"
AUTOMATIC = "automatic"
DRILL = "drill"

# The metric of a stage's switch, in CloudWatch of the standby region. Its dimensions are Project and
# Stage; its value is 1 while the switch holds the traffic at the secondary, and 0 otherwise.
NAMESPACE = "deploytool"
METRIC = "FailoverSwitch"

# Bytes of a parameter of the advanced tier; one of the standard tier has at most 4 KB (Systems Manager
# User Guide, "Managing parameter tiers").
LARGEST_VALUE = 8192

MOST_CHANGES = 20  # that a ServingRecord keeps; a parameter of the standard tier has at most 4 KB


@dataclass(frozen=True)
class Deployed:
    """When the stage was last deployed (ISO 8601, UTC), by whom, and from which commit."""

    at: str
    by: str
    commit: str = ""
    tool: str = ""  # the version of deploytool


@dataclass(frozen=True)
class StandbyRecord:
    """What the standby must know of a stage. It has no secrets.

    `regional_domains` has the name of each region's own endpoint, and `targets` the name of API
    Gateway to which the domain's record of each region points (an alias), which tells the addresses
    of that region. `health_check_id` is the check of the primary's endpoint,
    `failover_health_check_id` the calculated one that the primary's record takes, and
    `switch_health_check_id` the one of the switch's alarm. They are empty where there is none.

    `functions` and `rest_apis` are by region. `guard` has the guard's function_arn, role_arn and
    schedules, empty without a guard. `settings` are the stage's settings as text.
    """

    schema_version: int
    project: str
    stage: str
    domain: str
    path: str
    primary: str
    secondary: str
    regional_domains: Mapping[str, str]
    hosted_zone_id: str
    name_servers: tuple[str, ...]
    health_check_id: str
    failover_health_check_id: str
    switch_health_check_id: str
    failback: str  # automatic or manual
    deployed: Deployed
    targets: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    rest_apis: Mapping[str, str] = field(default_factory=dict)
    guard: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SwitchRecord:
    """The wanted state of a stage's switch: who put it there, when (ISO 8601, UTC), why and how.

    While `held`, traffic stays at the secondary whatever the primary's health. `returning` is true
    from a failback until the primary has been seen to serve: until then the secondary serves
    because of the failback's delay, and not because of a new failure.
    """

    schema_version: int
    held: bool
    since: str
    who: str
    why: str
    how: str  # command, automatic or drill
    returning: bool = False


@dataclass(frozen=True)
class ServingChange:
    """A change of who serves, as the function in the standby region saw it."""

    at: str  # ISO 8601, UTC
    region: str
    how: str  # command, automatic or drill
    who: str = ""
    why: str = ""


@dataclass(frozen=True)
class ServingRecord:
    """Who serves, since when and why. Only the function in the standby region writes it.

    `changes` are the last ones, the newest last; the newest tells who serves. `seen` is the time of
    the last look (ISO 8601, UTC), at most a few minutes ago while the function works.
    """

    schema_version: int
    seen: str
    changes: tuple[ServingChange, ...]


@dataclass(frozen=True)
class LastDrill:
    """The stage's last drill: its verdict (pass, fail or inconclusive), and the reasons."""

    schema_version: int
    drill_id: str
    fault: str
    verdict: str
    ended: str  # ISO 8601, UTC
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutputsRecord:
    """The outputs of the stacks in the primary region, as the last deployment left them.

    `outputs` are by stack, then by name. `left_out` names the stacks whose outputs did not fit into
    the parameter. `at` is ISO 8601, UTC.
    """

    schema_version: int
    region: str
    at: str
    outputs: Mapping[str, Mapping[str, str]]
    left_out: tuple[str, ...] = ()


Record = StandbyRecord | SwitchRecord | ServingRecord | LastDrill | OutputsRecord
T = TypeVar("T", StandbyRecord, SwitchRecord, ServingRecord, LastDrill, OutputsRecord)

# The last part of the name of each record's parameter.
PURPOSES: Mapping[type[Record], str] = {
    StandbyRecord: "standby",
    SwitchRecord: "switch",
    ServingRecord: "serving",
    LastDrill: "last-drill",
    OutputsRecord: "outputs",
}


def parameter_name(project: str, stage: str, kind: type[Record]) -> str:
    """Return the name of a record's parameter in the standby region."""
    return f"/deploytool/{project}/{stage}/{PURPOSES[kind]}"


def time_text(moment: str) -> str:
    """Return the time of a record (ISO 8601) for people, like 2026-11-25 12:00:00 UTC.

    A text that is no such time, which somebody wrote by hand, is returned as it is.
    """
    try:
        time = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def to_json(record: Record) -> str:
    """Return a record as compact JSON."""
    return json.dumps(asdict(record), separators=(",", ":"))


def parse(kind: type[T], text: str, where: str) -> T:
    """Return the record in `text`, which was read from `where`.

    Raises DeploytoolError when this version cannot read it.
    """
    try:
        document = json.loads(text)
        version = document["schema_version"]
        if version == SCHEMA_VERSION:
            return decode(kind, document)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DeploytoolError(
            f"{where} cannot be read: {error}",
            hint="delete that parameter; the next deployment or command writes it again",
        ) from error
    raise DeploytoolError(
        f"{where} has schema version {version}; this one reads {SCHEMA_VERSION}",
        hint="use the version of deploytool that deployed the stage, or a newer one",
    )
