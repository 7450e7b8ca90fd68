"""The rows of a drill's picture that compare the measured with the expected durations."""

from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.measures import Movement, client_span
from deploytool.core.drill.parsed_history import Window
from deploytool.core.drill.simulation import Range
from deploytool.render.drill.figures import seconds
from deploytool.render.report.canvas import NARROWEST, ROW, Box, Canvas, Label, Line


def add_durations(canvas: Canvas, judgement: Judgement) -> None:
    """Add the measured and the expected duration of each movement that was started."""
    history = judgement.history
    movements = (
        (history.failover, judgement.failover, judgement.expected.failover),
        (history.failback, judgement.failback, judgement.expected.failback),
    )
    # An injection that failed is undone too: then there is a failback without a failover
    if history.failover.start is None and history.failback.start is None:
        return
    canvas.heading("Measured and expected")
    for window, movement, bound in movements:
        if window.start is not None:
            span = client_span(history, window)
            _measured(canvas, window, window.start, movement, span)
            likely = judgement.likely[window.name].client
            _expected(canvas, window.name, window.start, likely, bound.total)


def _measured(
    canvas: Canvas,
    window: Window,
    start: float,
    movement: Movement,
    span: tuple[float, float] | None,
) -> None:
    """Add a row: the client's duration as a bar, detection and DNS as ticks.

    `start` is the start of the window. `span` is the client's duration as its first and last
    second, or None when the client did not reach the region.
    """
    canvas.row_label(f"{window.name} measured")
    if span is None:
        x = canvas.scale.x(start) + 6
        text = f"the client did not reach {window.to} for good"
        canvas.labels.append(Label(x, canvas.y + 13, text, "note"))
    else:
        left = canvas.scale.x(span[0])
        right = canvas.scale.x(span[1])
        text = f"client {seconds(movement.client)}"
        width = max(right - left, NARROWEST)
        canvas.boxes.append(Box(left, canvas.y + 10, width, 6, "took", text))
        canvas.note(right, canvas.y + 16, text)

    # The letters stand on different sides, because both ticks are often at the same second
    if movement.detection is not None:
        x = _tick(canvas, start + movement.detection, f"detection: {seconds(movement.detection)}")
        canvas.labels.append(Label(x - 3, canvas.y + 8, "D", "small end"))
    if movement.dns is not None:
        x = _tick(canvas, start + movement.dns, f"last name server: {seconds(movement.dns)}")
        canvas.labels.append(Label(x + 3, canvas.y + 8, "N", "small halo"))
    canvas.next_row()


def _tick(canvas: Canvas, at: float, tooltip: str) -> float:
    """Add a tick to the current row at a second of the drill, and return its place."""
    x = canvas.scale.x(at)
    canvas.lines.append(Line(x, canvas.y, x, canvas.y + ROW, "tick", tooltip))
    return x


def _expected(canvas: Canvas, name: str, start: float, likely: Range, bound: float) -> None:
    """Add a row: the bound as a box, and in it the likely range with its median.

    `bound` and the range are in seconds since `start`.
    """
    left = canvas.scale.x(start)
    least = canvas.scale.x(start + likely.least)
    median = canvas.scale.x(start + likely.median)
    most = canvas.scale.x(start + likely.most)
    limit = canvas.scale.x(start + bound)

    canvas.row_label(f"{name} expected")
    tooltip = (
        f"likely {likely.least:.0f} to {likely.most:.0f} s,"
        f" median {likely.median:.0f} s, at most {bound:.0f} s"
    )
    canvas.boxes.append(Box(left, canvas.y + 2, limit - left, ROW - 4, "bound", tooltip))
    # A box plot: a line from the least to the most with caps, the median, and beyond it the bound
    middle = canvas.y + ROW / 2
    canvas.lines += [
        Line(least, middle, most, middle, "likely"),
        Line(least, middle - 5, least, middle + 5, "likely"),
        Line(most, middle - 5, most, middle + 5, "likely"),
        Line(median, middle - 6, median, middle + 6, "median"),
        Line(limit, canvas.y - 1, limit, canvas.y + ROW + 1, "limit"),
    ]
    canvas.note(limit, canvas.y + 13, f"expected {bound:.0f} s")
    canvas.next_row()
