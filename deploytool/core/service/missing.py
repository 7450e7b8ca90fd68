"""What a command could not tell or do, because an API of AWS did not answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Missing:
    """A part of an answer or of the work, the region whose API did not answer, and how."""

    what: str
    region: str
    reason: str
