"""The picture of a drill: lanes over time, with the expected and the measured durations.

This module computes the layout; templates/picture.svg.j2 draws it.
"""

from dataclasses import dataclass

from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.parsed_history import ParsedHistory
from deploytool.render.drill.timeline import zero_second
from deploytool.render.report.canvas import (
    GAP,
    LEFT,
    LETTER,
    ROW,
    THIN,
    WIDTH,
    Box,
    Canvas,
    Label,
    Line,
    TimeScale,
)
from deploytool.render.report.durations import add_durations
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

    add_durations(canvas, judgement)
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
    bounds = (
        (history.failover, judgement.expected.failover),
        (history.failback, judgement.expected.failback),
    )
    for window, bound in bounds:
        if window.start is not None:
            end = max(end, window.start + bound.total)

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


def _fault(canvas: Canvas, judgement: Judgement) -> None:
    """Add a row: from when until when the fault was in force."""
    history = judgement.history
    if history.injected is None:
        return
    fault = judgement.started.scenario.fault
    restored = history.fault_restored
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


def _moment(canvas: Canvas, moments: list[Line], at: float, text: str) -> None:
    """Add a line at a second of the drill, and its label with that second."""
    x = canvas.scale.x(at)
    moments.append(Line(x, MOMENT_TOP, x, canvas.y + GAP, "moment"))
    label = f"{text}, {canvas.scale.since_zero(at)} s"
    canvas.labels.append(Label(x, 20, label, "moment-label middle"))


def _moments(canvas: Canvas, history: ParsedHistory) -> list[Line]:
    """Return lines through all lanes where something was done, and add their labels.

    These are the injection, the restore, and the explicit failback where there is one.
    """
    moments: list[Line] = []
    bottom = canvas.y + GAP
    if history.injected is not None:
        x = canvas.scale.x(history.injected)
        moments.append(Line(x, MOMENT_TOP, x, bottom, "moment"))
        # A centred label near the left edge would cover the column of labels
        classes = "moment-label middle" if x > LEFT + 50 else "moment-label"
        canvas.labels.append(Label(x + 4, 20, "fault injected", classes))

    if history.fault_restored is not None:
        _moment(canvas, moments, history.fault_restored, "restored")
    if history.stay is not None and history.failback.start is not None:
        _moment(canvas, moments, history.failback.start, "failback")
    return moments
