"""The live table of a run: a row for each stack, as many as the terminal has room for."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.live import Live
from rich.text import Text

from deploytool.core.ports import Clock
from deploytool.core.project.graph import NodeId
from deploytool.render.marks import STATES, State
from deploytool.render.run.run_state import Row, RunState
from deploytool.render.terminal import Terminal

URGENCY = (State.FAILED, State.RUNNING, State.BLOCKED, State.NOT_STARTED, State.WAITING, State.DONE)
FRAMES = 8  # a second


@dataclass(frozen=True)
class Cells:
    """The cells of a row. All but `note` are aligned; `note` has the rest of the line."""

    stack: str
    region: str
    activity: str
    elapsed: str
    expected: str
    note: Text


def duration(seconds: float) -> str:
    """Show a duration shortly: 4.2 s, 42 s, 3:05, 1:02:03."""
    # The limits are those at which rounding would carry into the next form
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def table(run_state: RunState, now: float, width: int, height: int) -> Text:
    """Draw the table at one moment, at most `width` columns wide and `height` lines high."""
    rows, left_out = fitting(run_state.shown, height - 1)
    lines = _lines(run_state, rows, now)
    if left_out:
        lines.append(Text(f"  and {len(left_out)} more: {counted(left_out)}", "dim"))
    lines.append(Text(last_line(run_state, now), "bold"))
    # Rich would wrap a line that is too wide, and could not redraw the table in place then
    for line in lines:
        line.rstrip()
        line.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines)


def fitting(rows: list[Row], room: int) -> tuple[list[Row], list[Row]]:
    """Divide the rows into those to show and those to leave out, both in the graph's order.

    When there are too many, the urgent ones are shown, and a line is kept for the number of the
    others.
    """
    if len(rows) <= room:
        return rows, []
    by_urgency = sorted(rows, key=lambda row: URGENCY.index(row.state))
    urgent = {row.node for row in by_urgency[: max(room - 1, 0)]}
    shown = [row for row in rows if row.node in urgent]
    left_out = [row for row in rows if row.node not in urgent]
    return shown, left_out


def _lines(run_state: RunState, rows: list[Row], now: float) -> list[Text]:
    cells = [_cells(run_state, row, now) for row in rows]
    stack_width = _widest(row.stack for row in cells)
    region_width = _widest(row.region for row in cells)
    activity_width = _widest(row.activity for row in cells)
    elapsed_width = _widest(row.elapsed for row in cells)
    expected_width = _widest(row.expected for row in cells)

    lines: list[Text] = []
    for row, cell in zip(rows, cells, strict=True):
        mark = STATES[row.state]
        line = Text.assemble(
            (mark.symbol, mark.style),
            f" {cell.stack:{stack_width}}  ",
            (f"{cell.region:{region_width}}  ", "dim"),
            (f"{cell.activity:{activity_width}}  ", mark.style),
            f"{cell.elapsed:>{elapsed_width}} ",
            (f"{cell.expected:{expected_width}}  ", "dim"),
            cell.note,
        )
        lines.append(line)
    return lines


def _widest(texts: Iterable[str]) -> int:
    return max((len(text) for text in texts), default=0)


def _cells(run_state: RunState, row: Row, now: float) -> Cells:
    seconds = row.seconds(now)
    elapsed = "" if seconds is None else duration(seconds)
    expected = ""
    if row.expected and row.state is State.RUNNING:
        expected = f"of ~{duration(row.expected)}"
    return Cells(
        stack=row.node.stack,
        region=row.node.region,
        activity=row.activity,
        elapsed=elapsed,
        expected=expected,
        note=_note(run_state, row),
    )


def _note(run_state: RunState, row: Row) -> Text:
    """Return the cause of a failure, or what the stack waits for."""
    one_line = " ".join(row.note.split())
    match row.state:
        case State.FAILED:
            return Text(one_line, "red")
        case State.BLOCKED:
            return Text(one_line, "yellow")
        case State.NOT_STARTED if row.needs:
            return Text(f"needs {_names(row, row.needs)}", "dim")
        case State.WAITING:
            names = _names(row, run_state.unfinished_needs(row))
            if names:
                return Text(f"for {names}", "dim")
        case _:
            pass
    return Text("")


def _names(row: Row, nodes: Iterable[NodeId]) -> str:
    """Return the names of stacks, with the region where it is another than the row's."""
    names: list[str] = []
    for node in nodes:
        same_region = node.region == row.node.region
        names.append(node.stack if same_region else str(node))
    return ", ".join(names)


def counted(rows: list[Row]) -> str:
    """Count the rows by their state."""
    counts = Counter(row.state for row in rows)
    return ", ".join(f"{counts[state]} {state}" for state in URGENCY if counts[state])


def last_line(run_state: RunState, now: float) -> str:
    """Describe the progress of the run and, where something is known, the time that remains."""
    time = duration(now - run_state.started)
    remaining = run_state.remaining(now)
    if remaining:
        precision = "about" if remaining.exact else "at least"
        time += f", {precision} {duration(remaining.seconds)} more"

    counts = list(run_state.quiet_counts)
    if run_state.shown:
        counts.insert(0, counted(run_state.shown))
    return f"{time}: {', '.join(counts)}"


class _Frame:
    """The table as rich draws it, several times a second, in the terminal's present size."""

    def __init__(self, run_state: RunState, terminal: Terminal, clock: Clock) -> None:
        self._run_state = run_state
        self._terminal = terminal
        self._clock = clock

    def __rich__(self) -> Text:
        size = self._terminal.err.size
        return table(self._run_state, self._clock.now(), size.width, size.height - 1)


@contextmanager
def live_table(terminal: Terminal, run_state: RunState, clock: Clock) -> Iterator[None]:
    """Draw the table while the run goes on. Remove it when nothing had to be done."""
    frame = _Frame(run_state, terminal, clock)
    with Live(frame, console=terminal.err, refresh_per_second=FRAMES) as live:
        try:
            yield
        finally:
            # A transient display is removed when it ends
            live.transient = not run_state.shown
