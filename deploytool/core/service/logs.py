"""Events of a stage's log groups, in both regions. Pure."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# What the runtime writes around each call, where a function's system logs are not off
_NOISE = re.compile(r"(INIT_START|START|END|REPORT) ")
_ERROR = re.compile(
    r'\b(ERROR|CRITICAL|Traceback|\w*Error:|\w*Exception:|Task timed out)|"errorType"'
)


@dataclass(frozen=True, order=True)
class LogEvent:
    """A line of a log. `time` is in Unix seconds; `id` tells it from all others of its group."""

    time: float
    region: str
    group: str
    id: str
    text: str

    @property
    def source(self) -> str:
        """The name of the function, the last part of the group's name."""
        return self.group.rpartition("/")[2]

    @property
    def message(self) -> str:
        """The text without the JSON that Lambda puts around what a function prints."""
        text = self.text.rstrip("\n")
        try:
            document: Any = json.loads(text)
            message = document["message"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return text
        parts = [document.get("level"), document.get("errorType"), message]
        return " ".join(part for part in parts if isinstance(part, str) and part)

    @property
    def is_noise(self) -> bool:
        """Whether the runtime wrote it about an ordinary call."""
        return _NOISE.match(self.text) is not None

    @property
    def is_error(self) -> bool:
        """Whether it tells of a failure."""
        return _ERROR.search(self.text) is not None


def in_order(events: Iterable[LogEvent]) -> list[LogEvent]:
    """Return events in the order of time, without those that the runtime wrote about calls."""
    return sorted(event for event in set(events) if not event.is_noise)
