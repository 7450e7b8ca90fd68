"""The picture of a drill: lanes over time, coloured by the region that answered, with the expected
and the measured drawn in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import svg

from deploytool.core.drill.judge import Judgement
from deploytool.core.drill.measures import Movement, client_span
from deploytool.core.drill.parsed_history import ParsedHistory, Window
from deploytool.render.report.figures import epoch, seconds
from deploytool.render.report.lanes import Kind, Lane, Lanes, Stretch
from deploytool.render.report.svg import (
    LEFT,
    RIGHT,
    WIDTH,
    bar,
    box,
    line,
    patterns,
    shortened,
    text,
    tooltip,
)

# Heights in pixels: of a lane, of a checker's lane, between lanes, of a heading
ROW, THIN, GAP, HEAD = 18.0, 10.0, 4.0, 26.0
TICKS = 12  # at most so many on the axis
STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
MOST_CHECKERS = 32  # that still have a lane each
ROOM = 0.08  # of the time, right of its end: for the words of a bound that stands there
LETTER = 6.6  # about the width of one, in pixels


@dataclass
class _Drawing:
    """Elements so far, and where the next row goes. `begin` and `end` bound the time, `zero` is its
    origin.
    """

    begin: float
    end: float
    zero: float
    regions: tuple[str, ...]
    y: float = 40.0
    elements: list[svg.Element] = field(default_factory=list)

    def x(self, at: float) -> float:
        return LEFT + (at - self.begin) / (self.end - self.begin) * (WIDTH - LEFT - RIGHT)

    def add(self, *elements: svg.Element) -> None:
        self.elements.extend(elements)

    def heading(self, words: str) -> None:
        self.add(text(0, self.y + 17, words, "heading"))
        self.y += HEAD

    def label(self, words: str, height: float = ROW) -> None:
        self.add(
            text(
                LEFT - 10,
                self.y + height / 2 + 4,
                shortened(words),
                "end" if height >= ROW else "small end",
            )
        )

    def lane(self, lane: Lane, words: str, height: float = ROW) -> None:
        """A row of stretches."""
        self.label(words, height)
        self.add(box(LEFT, self.y, WIDTH - LEFT - RIGHT, height, "track"))
        for each in lane.stretches:
            self.stretch(each, words, height)
        self.y += height + GAP

    def stretch(self, each: Stretch, words: str, height: float) -> None:
        left, width = self.x(each.start), max(self.x(each.end) - self.x(each.start), 1.5)
        what = each.text or str(each.kind)
        title = f"{words}: {what if each.kind is not Kind.FAILED else f'failed, {what}'}"
        title += f", from {each.start - self.zero:.1f} to {each.end - self.zero:.1f} s ({each.probes} probes)"
        shade = self.shade(each)
        self.add(*bar(left, self.y, width, height, shade, tooltip(title)))
        if height >= ROW and len(what) * LETTER + 12 < width:
            self.add(text(left + 6, self.y + 13, what, f"on {shade}-ink"))

    def shade(self, each: Stretch) -> str:
        """The name of a stretch's colour and pattern."""
        if each.kind is Kind.SERVED:
            return (
                f"region{self.regions.index(each.text)}" if each.text in self.regions else "unknown"
            )
        return str(each.kind)


def picture(judgement: Judgement, found: Lanes) -> str:
    """The picture as an SVG element for a page that has the colours of page.css."""
    facts, bound = judgement.history, judgement.expected.total
    windows = [each for each in (facts.failover, facts.failback) if each.start is not None]
    begin, last = facts.events[0].at, facts.events[-1].at
    end = max([last, *(each.start + bound for each in windows if each.start is not None)])
    drawing = _Drawing(
        begin,
        max(end, begin + 1.0) + ROOM * (end - begin),
        epoch(judgement),
        _regions(found, facts),
    )
    _expected(drawing, judgement, windows)
    _fault(drawing, judgement)
    _health(drawing, found)
    for heading, group in {
        "Authoritative name servers": found.name_servers,
        "Resolvers": found.resolvers,
        "Clients": found.clients,
        "Each region's own endpoint": found.regions,
    }.items():
        if group:
            drawing.heading(heading)
            for lane in group:
                drawing.lane(lane, lane.name.partition(":")[2])
    height = drawing.y + 30
    under = list(_axis(drawing, last))
    summary = f"{judgement.verdict}: {'; '.join(judgement.reasons)}"
    return svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, WIDTH, height),
        class_=["picture"],
        extra={"role": "img", "aria-labelledby": "picture-title picture-desc"},
        elements=[
            tooltip("What every observer saw over time", "picture-title"),
            svg.Desc(
                id="picture-desc",
                text=tooltip(f"{summary}. The table below the picture holds the same.").text,
            ),
            patterns(),
            *under,
            *drawing.elements,
            *_marks(drawing, facts),
        ],
    ).as_str()


def _regions(found: Lanes, facts: ParsedHistory) -> tuple[str, ...]:
    """Primary, secondary, and whatever else answered."""
    seen = {
        each.text
        for lane in found.answering()
        for each in lane.stretches
        if each.kind is Kind.SERVED
    }
    return (
        facts.started.primary,
        facts.started.secondary,
        *sorted(seen - {facts.started.primary, facts.started.secondary}),
    )


def _expected(drawing: _Drawing, judgement: Judgement, windows: Sequence[Window]) -> None:
    if not windows:
        return
    drawing.heading("Measured and expected")
    for window in windows:
        start = window.start or 0.0
        movement = judgement.failover if window.name == "failover" else judgement.failback
        drawing.add(*_measured(drawing, window, movement, client_span(judgement.history, window)))
        drawing.y += ROW + GAP
        likely, bound = judgement.likely[window.name].client, judgement.expected.total
        low, median, high = (
            drawing.x(start + each) for each in (likely.least, likely.median, likely.most)
        )
        limit, middle = drawing.x(start + bound), drawing.y + ROW / 2
        words = f"likely {likely.least:.0f} to {likely.most:.0f} s, median {likely.median:.0f} s, bound {bound:.0f} s"
        drawing.label(f"{window.name} expected")
        drawing.add(
            box(
                drawing.x(start),
                drawing.y + 2,
                limit - drawing.x(start),
                ROW - 4,
                "bound",
                tooltip(words),
            ),
            line(low, middle, high, middle, "likely"),
            *(line(each, middle - 5, each, middle + 5, "likely") for each in (low, high)),
            line(median, middle - 6, median, middle + 6, "median"),
            line(limit, drawing.y - 1, limit, drawing.y + ROW + 1, "limit"),
            *_beside(limit, drawing.y + 13, f"bound {bound:.0f} s"),
        )
        drawing.y += ROW + GAP


def _measured(
    drawing: _Drawing, window: Window, movement: Movement, span: tuple[float, float] | None
) -> Iterator[svg.Element]:
    start, y = window.start or 0.0, drawing.y
    drawing.label(f"{window.name} measured")
    if span is None:
        yield text(
            drawing.x(start) + 6, y + 13, f"the client did not reach {window.to} for good", "note"
        )
    else:
        left, right = drawing.x(span[0]), drawing.x(span[1])
        yield box(
            left,
            y + 10,
            max(right - left, 1.5),
            6,
            "took",
            tooltip(f"client: {seconds(movement.client)}"),
        )
        yield from _beside(right, y + 16, f"client {seconds(movement.client)}")
    for name, value, letter in (
        ("detection", movement.detection, "D"),
        ("last name server", movement.dns, "N"),
    ):
        if value is not None:
            at = drawing.x(start + value)
            yield svg.G(
                class_=["mark"],
                elements=[
                    tooltip(f"{name}: {seconds(value)}"),
                    line(at, y, at, y + ROW, "tick"),
                    _letter(at, y, letter),
                ],
            )


def _letter(at: float, y: float, letter: str) -> svg.Element:
    """D stands left of its tick, N right: they are often at the same second."""
    return (
        text(at - 3, y + 8, letter, "small end")
        if letter == "D"
        else text(at + 3, y + 8, letter, "small halo")
    )


def _beside(x: float, y: float, words: str) -> Iterator[svg.Element]:
    """Words right of a place, left of it where the picture ends."""
    if x + len(words) * LETTER + 8 < WIDTH:
        yield text(x + 6, y, words, "note")
    else:
        yield text(x - 6, y, words, "note end halo")


def _fault(drawing: _Drawing, judgement: Judgement) -> None:
    facts = judgement.history
    if facts.injected is None:
        return
    drawing.heading("Fault")
    name = judgement.started.scenario.fault
    until = facts.failback.start if facts.failback.start is not None else facts.events[-1].at
    drawing.label(name)
    left = drawing.x(facts.injected)
    drawing.add(box(LEFT, drawing.y, WIDTH - LEFT - RIGHT, ROW, "track"))
    drawing.add(
        *bar(
            left,
            drawing.y,
            max(drawing.x(until) - left, 1.5),
            ROW,
            "fault",
            tooltip(f"{name} in force"),
        )
    )
    drawing.add(text(left + 6, drawing.y + 13, "in force", "on fault-ink"))
    drawing.y += ROW + GAP


def _health(drawing: _Drawing, found: Lanes) -> None:
    if not found.verdict.stretches:
        return
    drawing.heading("Health check")
    drawing.lane(found.verdict, "verdict")
    drawing.label("healthy checkers")
    drawing.add(box(LEFT, drawing.y, WIDTH - LEFT - RIGHT, ROW, "track"))
    ends = [at for at, _, _ in found.healthy[1:]] + [found.verdict.stretches[-1].end]
    for (at, healthy, total), end in zip(found.healthy, ends, strict=True):
        left, width, part = (
            drawing.x(at),
            drawing.x(end) - drawing.x(at),
            ROW * healthy / max(total, 1),
        )
        title = tooltip(f"{healthy} of {total} checkers healthy from {at - drawing.zero:.1f} s")
        drawing.add(box(left, drawing.y + ROW - part, width, part, "share", title))
        words = f"{healthy} of {total}"
        if len(words) * LETTER + 8 < width:
            drawing.add(text(left + 5, drawing.y + 13, words, "note halo"))
    drawing.y += ROW + GAP
    if len(found.checkers) <= MOST_CHECKERS:
        for lane in found.checkers:
            drawing.lane(lane, f"checker {lane.name}", THIN)


def _axis(drawing: _Drawing, last: float) -> Iterator[svg.Element]:
    span, bottom = drawing.end - drawing.begin, drawing.y + 4
    step = next((each for each in STEPS if span / each <= TICKS), STEPS[-1])
    tick = -((drawing.zero - drawing.begin) // step) * step
    while drawing.zero + tick <= drawing.end:
        x = drawing.x(drawing.zero + tick)
        yield line(x, 34, x, bottom, "grid")
        yield text(x, bottom + 16, f"{tick:g} s", "tick-label middle")
        tick += step
    if last < drawing.end:
        x = drawing.x(last)
        yield line(x, 34, x, bottom, "grid over")


def _marks(drawing: _Drawing, facts: ParsedHistory) -> Iterator[svg.Element]:
    """When the fault was injected and undone, through all lanes."""
    if facts.injected is not None:
        x = drawing.x(facts.injected)
        yield line(x, 24, x, drawing.y + 4, "moment")
        yield text(
            x + 4, 20, "fault injected", "moment-label middle" if x > LEFT + 50 else "moment-label"
        )
    if facts.failback.start is not None:
        x = drawing.x(facts.failback.start)
        yield line(x, 24, x, drawing.y + 4, "moment")
        yield text(
            x, 20, f"restored, {facts.failback.start - drawing.zero:.1f} s", "moment-label middle"
        )
