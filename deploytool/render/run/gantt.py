"""A run as a Gantt chart in Mermaid's language, which GitHub draws in Markdown."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from deploytool.render.marks import State
from deploytool.render.run.run_state import Row, RunState

# Without a time zone: Mermaid reads and writes times in its reader's zone, so offsets stay
ORIGIN = datetime(2000, 1, 1)  # noqa: DTZ001
SHORTEST = 0.001  # seconds; Mermaid does not draw a bar without length
HOUR = 3600.0


def gantt(run_state: RunState) -> list[str]:
    """Return the lines of the chart, with a section for each region and a bar for each stack.

    There are no lines when nothing was started: Mermaid refuses an empty chart. Times are moments
    of one day, so that the axis counts from 00:00. Mermaid's grammar gives `:`, `#` and `;` a
    meaning; names of stacks and regions have none of these.
    """
    rows = [row for row in run_state.rows.values() if row.begun is not None]
    if not rows:
        return []
    long_run = run_state.now - run_state.started >= HOUR
    axis_format = "%H:%M:%S" if long_run else "%M:%S"
    return [
        "gantt",
        "    dateFormat YYYY-MM-DD HH:mm:ss.SSS",
        f"    axisFormat {axis_format}",
        "    todayMarker off",
        *_sections(run_state, rows),
    ]


def _sections(run_state: RunState, rows: list[Row]) -> Iterator[str]:
    by_start = sorted(rows, key=lambda row: (row.begun or 0.0, row.node))
    for region in sorted({row.node.region for row in rows}):
        yield f"    section {region}"
        for row in by_start:
            if row.node.region == region:
                yield _bar(run_state, row)


def _bar(run_state: RunState, row: Row) -> str:
    match row.state:
        case State.FAILED:
            tag = "crit, "
        case State.RUNNING:
            tag = "active, "
        case _:
            tag = ""
    seconds = row.seconds(run_state.now) or 0.0
    start = (row.begun or 0.0) - run_state.started
    end = start + max(seconds, SHORTEST)
    return f"    {row.node.stack} {seconds:.1f} s :{tag}{_moment(start)}, {_moment(end)}"


def _moment(seconds: float) -> str:
    moment = ORIGIN + timedelta(seconds=seconds)
    return moment.isoformat(sep=" ", timespec="milliseconds")
