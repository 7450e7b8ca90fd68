"""The live table of a run: a row a stack, as many as the terminal has room for."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.text import Text

from deploytool.core.ports import Clock
from deploytool.core.project.graph import NodeId
from deploytool.render.run.run_state import Row, RunState, State
from deploytool.render.terminal import Terminal

MARKS = {
    State.DONE: ("✓", "green"),
    State.FAILED: ("✗", "red"),
    State.RUNNING: ("●", "yellow"),
    State.BLOCKED: ("‖", "yellow"),
    State.WAITING: ("·", "dim"),
    State.NOT_STARTED: ("-", "dim"),
}
URGENCY = (State.FAILED, State.RUNNING, State.BLOCKED, State.NOT_STARTED, State.WAITING, State.DONE)
FRAMES = 8  # a second
COLUMNS = 5  # that are aligned; what follows takes what room is left


def duration(seconds: float) -> str:
    """Seconds as people say them: 4.2 s, 42 s, 3:05, 1:02:03."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    )


def fitting(rows: list[Row], room: int) -> tuple[list[Row], list[Row]]:
    """The rows to show, in the graph's order, and those left out: when there are too many, the
    urgent ones come first.
    """
    if len(rows) <= room:
        return rows, []
    kept = set(
        sorted(range(len(rows)), key=lambda index: URGENCY.index(rows[index].state))[
            : max(room - 1, 0)
        ]
    )
    return [rows[index] for index in sorted(kept)], [
        row for index, row in enumerate(rows) if index not in kept
    ]


def table(board: RunState, now: float, width: int, room: int) -> Text:
    """The table at one moment, at most `width` columns wide and `room` lines high."""
    rows, left_out = fitting(board.shown, room - 1)
    cells = [_cells(board, row, now) for row in rows]
    widths = [max((len(line[column]) for line in cells), default=0) for column in range(COLUMNS)]
    lines = [_line(row, line, widths) for row, line in zip(rows, cells, strict=True)]
    if left_out:
        lines.append(Text(f"  and {len(left_out)} more: {counted(left_out)}", "dim"))
    lines.append(Text(last_line(board, now), "bold"))
    for line in lines:
        line.rstrip()
        line.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines)


def _cells(board: RunState, row: Row, now: float) -> tuple[str, str, str, str, str, Text]:
    seconds = row.seconds(now)
    return (
        row.node.stack,
        row.node.region,
        row.said,
        "" if seconds is None else duration(seconds),
        f"of ~{duration(row.expected)}" if row.expected and row.state is State.RUNNING else "",
        _note(board, row),
    )


def _line(row: Row, cells: tuple[str, str, str, str, str, Text], widths: list[int]) -> Text:
    (mark, style), (stack, region, said, elapsed, expected, note) = MARKS[row.state], cells
    return Text.assemble(
        (mark, style),
        f" {stack:{widths[0]}}  ",
        (f"{region:{widths[1]}}  ", "dim"),
        (f"{said:{widths[2]}}  ", style),
        f"{elapsed:>{widths[3]}} ",
        (f"{expected:{widths[4]}}  ", "dim"),
        note,
    )


def _note(board: RunState, row: Row) -> Text:
    """What is worth knowing beside a row: the cause of a failure, or what it waits for."""
    if row.state in (State.FAILED, State.BLOCKED):
        return Text(" ".join(row.note.split()), "red" if row.state is State.FAILED else "yellow")
    if row.state is State.NOT_STARTED and row.needs:
        return Text(f"needs {_names(row, list(row.needs))}", "dim")
    if row.state is State.WAITING and (needs := board.unfinished_needs(row)):
        return Text(f"for {_names(row, needs)}", "dim")
    return Text("")


def _names(row: Row, nodes: list[NodeId]) -> str:
    """Names of stacks; the region only where it is another than the row's."""
    return ", ".join(node.stack if node.region == row.node.region else str(node) for node in nodes)


def counted(rows: list[Row]) -> str:
    """How many rows are in each state."""
    counts = Counter(row.state for row in rows)
    return ", ".join(f"{counts[state]} {state}" for state in URGENCY if counts[state])


def last_line(board: RunState, now: float) -> str:
    """How far the run is and, where something is known of it, how long it will still take."""
    said = [counted(board.shown), *board.quiet]
    remaining = board.remaining(now)
    more = (
        f", {'about' if remaining[1] else 'at least'} {duration(remaining[0])} more"
        if remaining
        else ""
    )
    return f"{duration(now - board.started)}{more}: {', '.join(filter(None, said))}"


class _Frame:
    """What rich draws again and again."""

    def __init__(self, board: RunState, terminal: Terminal, clock: Clock) -> None:
        self.board, self.terminal, self.clock = board, terminal, clock

    def __rich__(self) -> Text:
        size = self.terminal.err.size
        return table(self.board, self.clock.now(), size.width, size.height - 1)


@contextmanager
def live_table(terminal: Terminal, board: RunState, clock: Clock) -> Iterator[None]:
    """Draw the board for as long as the run goes on; when nothing had to be done, leave nothing on
    the screen.
    """
    with Live(
        _Frame(board, terminal, clock), console=terminal.err, refresh_per_second=FRAMES
    ) as live:
        try:
            yield
        finally:
            live.transient = not board.shown
