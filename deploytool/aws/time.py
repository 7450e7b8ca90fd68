"""The time of day by AWS's clock, as each answer of an API has it in its `Date` header.

What several machines decide by the time of day must not hang on the clock of one of them: whether a
lease is still valid, and when the guard of a drill restores.
"""

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

# The header has whole seconds, rounded down
HALF_A_SECOND = 0.5


class AwsTime:
    """The time of day of the last answer, and the seconds since then. Safe in several threads.

    `monotonic` gives seconds that no change of the machine's clock touches. `local` is the machine's
    time of day, in Unix seconds, which counts until the first answer.
    """

    def __init__(self, monotonic: Callable[[], float], local: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._local = local
        self._last: tuple[float, float] | None = None  # Unix seconds, and the monotonic second

    def now(self) -> float:
        """Return the time of day in Unix seconds."""
        last = self._last
        if last is None:
            return self._local()
        answered, at = last
        return answered + self._monotonic() - at

    @property
    def is_known(self) -> bool:
        """Whether an answer has told the time."""
        return self._last is not None

    def observe(self, response_dict: Mapping[str, Any] | None = None, **_: object) -> None:
        """Read the time of an answer: a handler of botocore's event `response-received`."""
        date = (response_dict or {}).get("headers", {}).get("date")
        if not date:
            return
        try:
            answered = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError, OverflowError):
            return  # not AWS's, as of a proxy
        self._last = (answered + HALF_A_SECOND, self._monotonic())
