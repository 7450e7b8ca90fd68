"""Two drills side by side: each measure of the first and the second, and by how much the second
differs.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.markup import escape

from deploytool.core.drill.judge import Judgement

SECONDS, COUNT, SHARE = "s", "", "%"
COUNTS = ("failed", "misrouted", "flaps")  # what a movement measures that is no duration


@dataclass(frozen=True)
class Compared:
    """One measure of two drills, None where it was not measured. `unit`: seconds, a count, or a
    share from 0 to 1.
    """

    measure: str
    unit: str
    first: float | None
    second: float | None

    @property
    def difference(self) -> float | None:
        """The second less the first."""
        return None if self.first is None or self.second is None else self.second - self.first


def compared(first: Judgement, second: Judgement) -> list[Compared]:
    """Every measure, named as its place in drill.json."""
    left, right = dict(_measures(first)), dict(_measures(second))
    return [Compared(name, unit, value, right[name][1]) for name, (unit, value) in left.items()]


def _measures(judgement: Judgement) -> Iterator[tuple[str, tuple[str, float | None]]]:
    for movement, found in (("failover", judgement.failover), ("failback", judgement.failback)):
        for name, value in asdict(found).items():
            yield f"{movement}.{name}", (COUNT if name in COUNTS else SECONDS, value)
    requests = judgement.requests
    yield "requests.total", (COUNT, requests.total)
    yield "requests.failed", (COUNT, requests.failed)
    yield "requests.failed_share", (SHARE, requests.failed_share)
    for phase, latency in judgement.latency.items():
        for name, value in asdict(latency).items():
            yield f"latency.{phase}.{name}", (SECONDS, value)


def comparison_document(
    first: dict[str, Any], second: dict[str, Any], rows: list[Compared]
) -> dict[str, Any]:
    """Both drills' documents and the differences, seconds to a millisecond."""
    numbers = ("first", "second", "difference")
    return {
        "first": first,
        "second": second,
        "differences": {
            each.measure: {
                name: None
                if (value := getattr(each, name)) is None
                else round(value, 3 if each.unit == SECONDS else 6)
                for name in numbers
            }
            for each in rows
        },
    }


def comparison_lines(first: Judgement, second: Judgement, rows: list[Compared]) -> Iterator[str]:
    """The same as a table; a measure that neither has is left out."""
    for name, judgement in (("first", first), ("second", second)):
        yield f"{name:8}[bold]{judgement.verdict.upper()}[/]  {escape('; '.join(judgement.reasons))}"
    yield f"{'':26}{'first':>12}{'second':>12}{'difference':>12}"
    for each in rows:
        if each.first is not None or each.second is not None:
            cells = (
                _shown(each.first, each.unit),
                _shown(each.second, each.unit),
                _shown(each.difference, each.unit, "+"),
            )
            yield f"{each.measure:26}" + "".join(f"{cell:>12}" for cell in cells)


def _shown(value: float | None, unit: str, sign: str = "") -> str:
    match value, unit:
        case None, _:
            return "-"
        case float() | int(), "%":
            return f"{value:{sign}.1%}"
        case _, "s":
            return f"{value:{sign}.3f} s"
        case _:
            return f"{value:{sign}g}"
