"""The picture of a drill: lanes over time, with the expected and the measured durations.

This module computes the layout; templates/picture.svg.j2 draws it.
"""

from dataclasses import dataclass

from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.measures import Movement, client_span
from deploytool.core.drill.parsed_history import ParsedHistory, Window
from deploytool.core.drill.simulation import Range
from deploytool.render.drill.figures import seconds
from deploytool.render.drill.timeline import zero_second
from deploytool.render.report.canvas import (
    GAP,
    LEFT,
    LETTER,
    NARROWEST,
    ROW,
    THIN,
    WIDTH,
    Box,
    Canvas,
    Label,
    Line,
    TimeScale,
)
from deploytool.render.report.lanes import Kind, Lanes

MOST_TICKS = 12  # on the axis
TICK_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)  # seconds
MOST_CHECKERS = 32  # with more checkers, none has a lane of its own
MARGIN = 0.08  # of the time, added after its end: room for the label of a bound there
AXIS_TOP = 34.0
MOMENT_TOP = 24.0


@dataclass(frozen=True)
class Picture:
    """Everything that the template draws. Sizes are in pixels.

    The shapes are drawn in the order of these fields, so that the labels are on top.
    """

    width: float
    height: float
    description: str
    grid: tuple[Line, ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    moments: tuple[Line, ...]
    labels: tuple[Label, ...]


def picture(judgement: Judgement, lanes: Lanes) -> Picture:
    """Lay out the picture of a drill. `lanes` are those of the judgement's history."""
    history = judgement.history
    canvas = Canvas(_time_scale(judgement), _regions(lanes, history))

    _durations(canvas, judgement)
    _fault(canvas, judgement)
    _health(canvas, lanes)
    groups = {
        "Authoritative name servers": lanes.name_servers,
        "Resolvers": lanes.resolvers,
        "Clients": lanes.clients,
        "Each region's own endpoint": lanes.regions,
    }
    for heading, group in groups.items():
        if group:
            canvas.heading(heading)
        for lane in group:
            canvas.lane(lane, lane.name.partition(":")[2])

    grid = _axis(canvas, last=history.events[-1].at)
    moments = _moments(canvas, history)
    reasons = "; ".join(judgement.reasons)
    return Picture(
        width=WIDTH,
        height=canvas.y + 30,
        description=f"{judgement.verdict}: {reasons}. A table below has the same data.",
        grid=tuple(grid),
        boxes=tuple(canvas.boxes),
        lines=tuple(canvas.lines),
        moments=tuple(moments),
        labels=tuple(canvas.labels),
    )


def _time_scale(judgement: Judgement) -> TimeScale:
    """Return a scale that shows the whole history and the bounds of both movements."""
    history = judgement.history
    begin = history.events[0].at
    end = history.events[-1].at
    for window in (history.failover, history.failback):
        if window.start is not None:
            end = max(end, window.start + judgement.expected.total)

    margin = MARGIN * (end - begin)
    # A history of a single event has no duration, and the scale divides by it
    return TimeScale(begin, max(end, begin + 1.0) + margin, zero_second(judgement))


def _regions(lanes: Lanes, history: ParsedHistory) -> tuple[str, ...]:
    """Return the primary, the secondary, and the other regions that answered."""
    expected = (history.started.primary, history.started.secondary)
    answered: set[str] = set()
    for lane in lanes.answering():
        answered.update(part.text for part in lane.stretches if part.kind is Kind.SERVED)
    return (*expected, *sorted(answered.difference(expected)))


def _durations(canvas: Canvas, judgement: Judgement) -> None:
    """Add the measured and the expected duration of each movement that was started."""
    history = judgement.history
    movements = (
        (history.failover, judgement.failover),
        (history.failback, judgement.failback),
    )
    # An injection that failed is undone too: then there is a failback without a failover
    if history.failover.start is None and history.failback.start is None:
        return
    canvas.heading("Measured and expected")
    for window, movement in movements:
        if window.start is not None:
            span = client_span(history, window)
            _measured(canvas, window, window.start, movement, span)
            likely = judgement.likely[window.name].client
            _expected(canvas, window.name, window.start, likely, judgement.expected.total)


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
        f" median {likely.median:.0f} s, bound {bound:.0f} s"
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
    canvas.note(limit, canvas.y + 13, f"bound {bound:.0f} s")
    canvas.next_row()


def _fault(canvas: Canvas, judgement: Judgement) -> None:
    """Add a row: from when until when the fault was in force."""
    history = judgement.history
    if history.injected is None:
        return
    fault = judgement.started.scenario.fault
    restored = history.failback.start
    end = history.events[-1].at if restored is None else restored

    canvas.heading("Fault")
    canvas.row_label(fault)
    canvas.track()
    canvas.bar(history.injected, end, "fault", f"{fault} in force")
    x = canvas.scale.x(history.injected) + 6
    canvas.labels.append(Label(x, canvas.y + 13, "in force", "on fault-ink"))
    canvas.next_row()


def _health(canvas: Canvas, lanes: Lanes) -> None:
    """Add the verdict of the health check, the share of healthy checkers, and each checker."""
    if not lanes.verdict.stretches:
        return
    canvas.heading("Health check")
    canvas.lane(lanes.verdict, "verdict")

    canvas.row_label("healthy checkers")
    canvas.track()
    # Each count is valid until the next one
    ends = [count.at for count in lanes.healthy[1:]]
    ends.append(lanes.verdict.stretches[-1].end)
    for count, end in zip(lanes.healthy, ends, strict=True):
        left = canvas.scale.x(count.at)
        width = canvas.scale.x(end) - left
        # The bar grows from the bottom of the row with the share of healthy checkers
        height = ROW * count.healthy / max(count.total, 1)
        text = f"{count.healthy} of {count.total}"
        tooltip = f"{text} checkers healthy from {canvas.scale.since_zero(count.at)} s"
        canvas.boxes.append(Box(left, canvas.y + ROW - height, width, height, "share", tooltip))
        if len(text) * LETTER + 8 < width:
            canvas.labels.append(Label(left + 5, canvas.y + 13, text, "note halo"))
    canvas.next_row()

    if len(lanes.checkers) <= MOST_CHECKERS:
        for lane in lanes.checkers:
            canvas.lane(lane, f"checker {lane.name}", THIN)


def _axis(canvas: Canvas, last: float) -> list[Line]:
    """Add the labels of the time axis, and return its grid. `last` is the last event's second."""
    scale = canvas.scale
    bottom = canvas.y + GAP
    step = _tick_step(scale.end - scale.begin)

    # The first multiple of the step that is not before the begin of the picture
    tick = -step * int((scale.zero - scale.begin) // step)
    grid: list[Line] = []
    while scale.zero + tick <= scale.end:
        x = scale.x(scale.zero + tick)
        grid.append(Line(x, AXIS_TOP, x, bottom, "grid"))
        canvas.labels.append(Label(x, bottom + 16, f"{tick:g} s", "tick-label middle"))
        tick += step

    # The picture continues after the drill: a bound can lie later than the last event
    if last < scale.end:
        x = scale.x(last)
        grid.append(Line(x, AXIS_TOP, x, bottom, "grid over"))
    return grid


def _tick_step(span: float) -> int:
    """Return the seconds between two ticks of an axis that is `span` seconds long."""
    for step in TICK_STEPS:
        if span / step <= MOST_TICKS:
            return step
    return TICK_STEPS[-1]


def _moments(canvas: Canvas, history: ParsedHistory) -> list[Line]:
    """Return lines through all lanes at the injection and at the restore, and add their labels."""
    moments: list[Line] = []
    bottom = canvas.y + GAP
    if history.injected is not None:
        x = canvas.scale.x(history.injected)
        moments.append(Line(x, MOMENT_TOP, x, bottom, "moment"))
        # A centred label near the left edge would cover the column of labels
        classes = "moment-label middle" if x > LEFT + 50 else "moment-label"
        canvas.labels.append(Label(x + 4, 20, "fault injected", classes))

    restored = history.failback.start
    if restored is not None:
        x = canvas.scale.x(restored)
        moments.append(Line(x, MOMENT_TOP, x, bottom, "moment"))
        text = f"restored, {canvas.scale.since_zero(restored)} s"
        canvas.labels.append(Label(x, 20, text, "moment-label middle"))
    return moments
