"""The conditions that a region's edge can be in: `edge` describes what clients see of each."""

from dataclasses import dataclass
from typing import Literal, get_args

from deploytool.core.errors import InputError

EdgeState = Literal["serving", "refusing", "blackholed", "slow", "failing"]
SLOW_SECONDS = 3.0  # longer than the 2 s in which a health checker wants the status
_STATES: tuple[EdgeState, ...] = get_args(EdgeState)
_MOST_SECONDS = 3600.0


@dataclass(frozen=True)
class Condition:
    """What a client meets; `seconds`: how late a slow edge answers, 0 in every other state."""

    state: EdgeState
    seconds: float = 0.0


def parse_condition(state: object, seconds: object = 0.0) -> Condition:
    """Raises InputError. A slow edge with 0 seconds gets `SLOW_SECONDS`."""
    known = next((each for each in _STATES if each == state), None)
    if known is None:
        raise InputError(f"state {state!r}: an edge can be {', '.join(_STATES)}")
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not 0 <= seconds <= _MOST_SECONDS
    ):
        raise InputError(f"seconds {seconds!r}: must be a number, 0 to {_MOST_SECONDS:.0f}")
    if seconds and known != "slow":
        raise InputError(f"seconds: only a slow edge takes them, not one that is {known}")
    return Condition(known, float(seconds or SLOW_SECONDS) if known == "slow" else 0.0)
