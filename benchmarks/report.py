"""What was measured, as values, as JSON and as a table. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """One tool's figures in one case. `runs` are wall seconds, one a run, empty when it could not
    be measured: `note` says why.

    `calls` are those of one run, by operation; `critical_path` the least seconds that the case can
    take, 0 where none is meant.
    """

    case: str
    tool: str
    runs: tuple[float, ...] = ()
    critical_path: float = 0.0
    calls: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    @property
    def seconds(self) -> float:
        """The median of the runs."""
        return median(self.runs) if self.runs else 0.0

    @property
    def ratio(self) -> float | None:
        """Wall time over the critical path."""
        return self.seconds / self.critical_path if self.runs and self.critical_path else None

    @property
    def total_calls(self) -> int:
        return sum(self.calls.values())

    @property
    def calls_a_minute(self) -> float:
        return 60 * self.total_calls / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values, the derived ones with them."""
        derived = {
            "seconds": round(self.seconds, 3),
            "ratio": round(self.ratio, 4) if self.ratio else None,
        }
        return {
            **asdict(self),
            "runs": [round(each, 3) for each in self.runs],
            **derived,
            "total_calls": self.total_calls,
        }


HEADINGS = ("case", "tool", "wall (s)", "over critical path", "API calls", "calls a minute", "note")


def rows(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """The table's cells."""
    return [_row(each) for each in measurements]


def _row(found: Measurement) -> tuple[str, ...]:
    if not found.runs:
        return (found.case, found.tool, "-", "-", "-", "-", found.note)
    seconds = f"{found.seconds:.1f}" if found.seconds >= 10 else f"{found.seconds:.2f}"
    ratio = f"{found.ratio:.3f}" if found.ratio else ""
    called = bool(found.calls)
    # Of a short run it says nothing
    rate = f"{found.calls_a_minute:.0f}" if called and found.seconds >= 10 else ""
    return (
        found.case,
        found.tool,
        seconds,
        ratio,
        str(found.total_calls) if called else "",
        rate,
        found.note,
    )


def text_table(measurements: Sequence[Measurement]) -> str:
    """For a terminal."""
    cells = [HEADINGS, *rows(measurements)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    numbers = range(2, 6)
    lines = [
        "  ".join(
            cell.rjust(width) if n in numbers else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def markdown_table(measurements: Sequence[Measurement]) -> str:
    """For docs/benchmarks.md."""
    body = [f"| {' | '.join(row)} |" for row in [HEADINGS, *rows(measurements)]]
    return "\n".join([body[0], "|---|---|--:|--:|--:|--:|---|", *body[1:]])
