"""A run as a Gantt picture in Mermaid's language, which GitHub draws in Markdown: a section a
region, a bar a stack.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from deploytool.render.run.run_state import Row, RunState, State

ORIGIN = datetime(2000, 1, 1)  # noqa: DTZ001  # a day of no time zone: Mermaid reads and writes its reader's, so offsets stay
SHORTEST = 0.001  # seconds; a bar without length is none


def gantt(board: RunState) -> list[str]:
    """The lines of the picture; none when nothing was begun.

    Times stand as moments of one day, so that the axis counts from 00:00. Mermaid's grammar gives
    `:`, `#` and `;` a meaning; names of stacks and regions have none of these.
    """
    rows = [row for row in board.rows.values() if row.begun is not None]
    if not rows:
        return []
    return [
        "gantt",
        "    dateFormat YYYY-MM-DD HH:mm:ss.SSS",
        f"    axisFormat {'%H:%M:%S' if board.now - board.started >= 3600 else '%M:%S'}",
        "    todayMarker off",
        *_sections(board, rows),
    ]


def _sections(board: RunState, rows: list[Row]) -> Iterator[str]:
    for region in sorted({row.node.region for row in rows}):
        yield f"    section {region}"
        own = [row for row in rows if row.node.region == region]
        for row in sorted(own, key=lambda row: (row.begun or 0.0, row.node)):
            seconds = row.seconds(board.now) or 0.0
            begun = (row.begun or 0.0) - board.started
            tag = {State.FAILED: "crit, ", State.RUNNING: "active, "}.get(row.state, "")
            end = _moment(begun + max(seconds, SHORTEST))
            yield f"    {row.node.stack} {seconds:.1f} s :{tag}{_moment(begun)}, {end}"


def _moment(seconds: float) -> str:
    return (ORIGIN + timedelta(seconds=seconds)).isoformat(sep=" ", timespec="milliseconds")
