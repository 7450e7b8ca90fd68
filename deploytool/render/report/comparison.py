"""Two drills side by side: each measure of both, and the difference between them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, assert_never

from deploytool.core.drill.judge import Judgement
from deploytool.render.drill.result import drill_document
from deploytool.render.text import escape

COUNTS = ("failed", "misrouted", "flaps")  # the measures of a movement that are no durations


class Unit(Enum):
    """The unit of a measure. A share is a number from 0 to 1."""

    SECONDS = "s"
    COUNT = ""
    SHARE = "%"


@dataclass(frozen=True)
class MeasurePair:
    """One measure of two drills. A value is None where it was not measured."""

    measure: str
    unit: Unit
    first: float | None
    second: float | None

    @property
    def difference(self) -> float | None:
        """The second value minus the first."""
        if self.first is None or self.second is None:
            return None
        return self.second - self.first


def _pairs(first: Judgement, second: Judgement) -> list[MeasurePair]:
    """Return every measure of both drills, named by its place in drill.json."""
    second_values = {name: value for name, _, value in _measures(second)}
    return [
        MeasurePair(name, unit, value, second_values[name])
        for name, unit, value in _measures(first)
    ]


def _measures(judgement: Judgement) -> Iterator[tuple[str, Unit, float | None]]:
    movements = {"failover": judgement.failover, "failback": judgement.failback}
    for movement, measures in movements.items():
        for name, value in asdict(measures).items():
            unit = Unit.COUNT if name in COUNTS else Unit.SECONDS
            yield f"{movement}.{name}", unit, value

    requests = judgement.requests
    yield "requests.total", Unit.COUNT, requests.total
    yield "requests.failed", Unit.COUNT, requests.failed
    yield "requests.failed_share", Unit.SHARE, requests.failed_share

    for phase, latency in judgement.latency.items():
        for name, value in asdict(latency).items():
            yield f"latency.{phase}.{name}", Unit.SECONDS, value


def comparison_document(first: Judgement, second: Judgement) -> dict[str, Any]:
    """Return both drills' documents and the differences, seconds rounded to a millisecond."""
    differences = {
        pair.measure: {
            "first": _rounded(pair.first, pair.unit),
            "second": _rounded(pair.second, pair.unit),
            "difference": _rounded(pair.difference, pair.unit),
        }
        for pair in _pairs(first, second)
    }
    return {
        "first": drill_document(first),
        "second": drill_document(second),
        "differences": differences,
    }


def _rounded(value: float | None, unit: Unit) -> float | None:
    if value is None:
        return None
    if unit is Unit.SECONDS:
        return round(value, 3)
    # Counts are whole numbers; a share of 100,000 requests needs six digits
    return round(value, 6)


def comparison_lines(first: Judgement, second: Judgement) -> Iterator[str]:
    """Yield both verdicts and a table of the measures, with rich's markup.

    A measure that neither drill has is left out.
    """
    for name, judgement in (("first", first), ("second", second)):
        reasons = escape("; ".join(judgement.reasons))
        yield f"{name:8}[bold]{judgement.verdict.upper()}[/]  {reasons}"

    yield f"{'':26}{'first':>12}{'second':>12}{'difference':>12}"
    for pair in _pairs(first, second):
        if pair.first is None and pair.second is None:
            continue
        left = _cell(pair.first, pair.unit)
        right = _cell(pair.second, pair.unit)
        difference = _cell(pair.difference, pair.unit, sign="+")
        yield f"{pair.measure:26}{left:>12}{right:>12}{difference:>12}"


def _cell(value: float | None, unit: Unit, sign: str = "") -> str:
    """Show a value with its unit; `sign` is a sign option of Python's format language."""
    if value is None:
        return "-"
    match unit:
        case Unit.SHARE:
            return f"{value:{sign}.1%}"
        case Unit.SECONDS:
            return f"{value:{sign}.3f} s"
        case Unit.COUNT:
            return f"{value:{sign}g}"
        case _:
            assert_never(unit)
