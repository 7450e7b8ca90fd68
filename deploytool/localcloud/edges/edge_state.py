"""The states that a region's edge can be in; `edge` describes what clients see in each."""

from dataclasses import dataclass
from typing import Literal, get_args

from deploytool.core.errors import InputError

EdgeCondition = Literal["serving", "refusing", "blackholed", "slow", "failing"]

# Seconds that a slow edge answers late by default: longer than the 2 s in which a health checker
# expects the status.
SLOW_SECONDS = 3.0
_CONDITIONS: tuple[EdgeCondition, ...] = get_args(EdgeCondition)
_LONGEST_DELAY = 3600.0


@dataclass(frozen=True)
class EdgeState:
    """The condition of an edge, and how many seconds late a slow edge answers (else 0)."""

    condition: EdgeCondition
    seconds: float = 0.0


@dataclass(frozen=True)
class EdgeChanged:
    """The state of a region's edge changed, at a moment in cloud seconds."""

    region: str
    old: EdgeState
    new: EdgeState
    at: float


def parse_edge_state(condition: object, seconds: object = 0.0) -> EdgeState:
    """Return the state of these two values, or raise InputError.

    A slow edge with 0 seconds answers SLOW_SECONDS late.
    """
    known = next((name for name in _CONDITIONS if name == condition), None)
    if known is None:
        raise InputError(f"condition {condition!r}: an edge can be {', '.join(_CONDITIONS)}")

    delay = _parse_delay(seconds)
    if known != "slow":
        if delay:
            raise InputError(f"seconds: only a slow edge has them, not one that is {known}")
        return EdgeState(known)
    return EdgeState(known, delay or SLOW_SECONDS)


def _parse_delay(seconds: object) -> float:
    # bool is a subclass of int.
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InputError(f"seconds {seconds!r}: must be a number")
    # NaN fails both comparisons.
    if not 0 <= seconds <= _LONGEST_DELAY:
        raise InputError(f"seconds {seconds!r}: must be a number, 0 to {_LONGEST_DELAY:.0f}")
    return float(seconds)
