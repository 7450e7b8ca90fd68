"""The measurements as values, as JSON and as a table. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

_SHORT_RUN = 10.0  # seconds: of a shorter run, calls a minute say nothing


@dataclass(frozen=True)
class Measurement:
    """The figures of one tool in one case.

    `runs` are wall seconds, one for each run. They are empty when the case could not be measured,
    and `note` says why. `critical_path` is the least seconds that the case can take, 0 when there
    is no such limit. `calls` are those of one run, by operation.
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
        if not self.runs or not self.critical_path:
            return None
        return self.seconds / self.critical_path

    @property
    def total_calls(self) -> int:
        """The calls of one run."""
        return sum(self.calls.values())

    @property
    def calls_a_minute(self) -> float:
        """The calls of one run, divided by its minutes."""
        return 60 * self.total_calls / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain values, also the derived ones."""
        ratio = self.ratio
        return {
            **asdict(self),
            "runs": [round(seconds, 3) for seconds in self.runs],
            "seconds": round(self.seconds, 3),
            "ratio": round(ratio, 4) if ratio else None,
            "total_calls": self.total_calls,
        }


HEADINGS = ("case", "tool", "wall (s)", "over critical path", "API calls", "calls a minute", "note")
_NUMBERS = range(2, 6)  # the columns that are aligned to the right


def rows(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """Return the cells of the table."""
    return [_row(measurement) for measurement in measurements]


def _row(measurement: Measurement) -> tuple[str, ...]:
    if not measurement.runs:
        figures = ("-", "-", "-", "-")
    else:
        figures = _figures(measurement)
    return (measurement.case, measurement.tool, *figures, measurement.note)


def _figures(measurement: Measurement) -> tuple[str, str, str, str]:
    long = measurement.seconds >= _SHORT_RUN
    seconds = f"{measurement.seconds:.1f}" if long else f"{measurement.seconds:.2f}"
    ratio = f"{measurement.ratio:.3f}" if measurement.ratio else ""

    calls = ""
    calls_a_minute = ""
    if measurement.calls:
        calls = str(measurement.total_calls)
        if long:
            calls_a_minute = f"{measurement.calls_a_minute:.0f}"
    return seconds, ratio, calls, calls_a_minute


def text_table(measurements: Sequence[Measurement]) -> str:
    """Return the table for a terminal."""
    cells = [HEADINGS, *rows(measurements)]
    widths = []
    for column in range(len(HEADINGS)):
        widths.append(max(len(row[column]) for row in cells))

    lines = []
    for row in cells:
        aligned = []
        for column, cell in enumerate(row):
            width = widths[column]
            aligned.append(cell.rjust(width) if column in _NUMBERS else cell.ljust(width))
        lines.append("  ".join(aligned).rstrip())
    return "\n".join(lines)


def markdown_table(measurements: Sequence[Measurement]) -> str:
    """Return the table for docs/benchmarks.md."""
    heading, *body = [f"| {' | '.join(row)} |" for row in [HEADINGS, *rows(measurements)]]
    return "\n".join([heading, "|---|---|--:|--:|--:|--:|---|", *body])
