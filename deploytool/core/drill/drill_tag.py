"""The tag of a health check that says which drill has inverted it, and what to restore. Pure.

It stands in for the record of a stage (see `record`) where deploytool has deployed nothing. A value
has at most 256 characters (Route 53 API reference, Tag), and only those that every service of AWS
takes in a tag: letters, digits, spaces and _ . : / = + - @ (Tagging User Guide, "Tag naming limits
and requirements").
"""

import re
from dataclasses import dataclass

from deploytool.core.drill.record import SCHEMA_VERSION, DrillRecord, RestoreHealthCheck
from deploytool.core.errors import DeploytoolError

TAG = "deploytool:drill"
FAULT = "health-check"
MOST_HOLDER = 100  # characters

_REFUSED = re.compile(r"[^A-Za-z0-9_.:/=+@-]")
_VALUE = re.compile(
    r"id=(?P<id>\S+) inverted=(?P<inverted>true|false) version=(?P<version>\d{1,18})"
    r" started=(?P<started>\S+) by=(?P<by>\S*)"
)


@dataclass(frozen=True)
class DrillTag:
    """What the tag says: the drill, and the health check as it was before.

    `version` is the HealthCheckVersion, `started` the time of day (ISO 8601), `holder` who drills.
    """

    drill_id: str
    inverted: bool
    version: int
    started: str
    holder: str

    def to_text(self) -> str:
        """Return the tag's value."""
        holder = _REFUSED.sub("_", self.holder)[:MOST_HOLDER]
        inverted = str(self.inverted).lower()
        return (
            f"id={self.drill_id} inverted={inverted} version={self.version}"
            f" started={self.started} by={holder}"
        )

    def record(self, health_check_id: str) -> DrillRecord:
        """Return the same as the record of a drill."""
        return DrillRecord(
            schema_version=SCHEMA_VERSION,
            drill_id=self.drill_id,
            fault=FAULT,
            stage="",
            holder=self.holder,
            started=self.started,
            until="",
            undo=(RestoreHealthCheck(health_check_id, self.inverted),),
        )


def parse_drill_tag(text: str, health_check_id: str) -> DrillTag:
    """Return what the value of a tag says. Raises DeploytoolError when this version cannot read it."""
    match = _VALUE.fullmatch(text)
    if match is None:
        raise DeploytoolError(
            f"the tag {TAG} of health check {health_check_id} cannot be read: {text}",
            hint="set Inverted of the health check as it was before the drill by hand, then delete"
            " the tag",
        )
    return DrillTag(
        drill_id=match["id"],
        inverted=match["inverted"] == "true",
        version=int(match["version"]),
        started=match["started"],
        holder=match["by"],
    )
