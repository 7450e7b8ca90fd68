"""The canvas of a picture: a time scale, and the shapes drawn on it so far.

Coordinates are in pixels. A shape is a plain value; templates/shapes.svg.j2 turns it into SVG and
escapes its text. `classes` names classes of templates/page.css, which has the colours.
"""

from dataclasses import dataclass, field

from deploytool.render.report.lanes import Kind, Lane, Stretch
from deploytool.render.text import shortened

# The width of the picture, of the column of labels, and of the right margin
WIDTH = 1160.0
LEFT = 190.0
RIGHT = 16.0

# The heights of a lane, of a checker's lane, of the space between lanes, and of a heading
ROW = 18.0
THIN = 10.0
GAP = 4.0
HEAD = 26.0

TOP = 40.0  # room for the labels of the moments above all rows
LETTER = 6.6  # about the width of a letter
NARROWEST = 1.5  # a shorter stretch would not be visible
MOST_LABEL = 27  # letters that fit into the column of labels

# These have a pattern over their colour, so that the picture can be read without colours
PATTERNED = ("region1", "region2", "unhealthy", "failed", "unknown", "fault")


@dataclass(frozen=True)
class Box:
    """A rectangle. `pattern` is the id of a pattern that is drawn over it, or empty."""

    x: float
    y: float
    width: float
    height: float
    classes: str
    tooltip: str = ""
    pattern: str = ""


@dataclass(frozen=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    classes: str
    tooltip: str = ""


@dataclass(frozen=True)
class Label:
    """Text that begins at `x`, or ends or is centred there by its classes; `y` is its baseline."""

    x: float
    y: float
    text: str
    classes: str


@dataclass(frozen=True)
class TimeScale:
    """Maps seconds of the drill to pixels.

    `begin` and `end` bound the time that is shown. `zero` is the second that labels count from.
    """

    begin: float
    end: float
    zero: float

    def x(self, at: float) -> float:
        """Return the place of a second of the drill."""
        share = (at - self.begin) / (self.end - self.begin)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def since_zero(self, at: float) -> str:
        """Return the seconds from `zero` to a second of the drill, as text."""
        return f"{at - self.zero:.1f}"


@dataclass
class Canvas:
    """The shapes so far, and the place `y` of the next row.

    The template draws all boxes below all lines, and those below all labels. `regions` are the
    regions that answered: a region's place in it decides its colour.
    """

    scale: TimeScale
    regions: tuple[str, ...]
    y: float = TOP
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def next_row(self, height: float = ROW) -> None:
        """Continue below a row of this height."""
        self.y += height + GAP

    def heading(self, text: str) -> None:
        """Add a heading above a group of rows."""
        self.labels.append(Label(0, self.y + 17, text, "heading"))
        self.y += HEAD

    def row_label(self, text: str, height: float = ROW) -> None:
        """Add the name of the current row."""
        classes = "end" if height >= ROW else "small end"
        label = Label(LEFT - 10, self.y + height / 2 + 4, shortened(text, MOST_LABEL), classes)
        self.labels.append(label)

    def track(self, height: float = ROW) -> None:
        """Add the background of the current row."""
        self.boxes.append(Box(LEFT, self.y, WIDTH - LEFT - RIGHT, height, "track"))

    def note(self, x: float, y: float, text: str) -> None:
        """Add text to the right of a place, or to its left where the picture ends."""
        if x + len(text) * LETTER + 8 < WIDTH:
            self.labels.append(Label(x + 6, y, text, "note"))
        else:
            self.labels.append(Label(x - 6, y, text, "note end halo"))

    def bar(self, start: float, end: float, shade: str, tooltip: str, height: float = ROW) -> float:
        """Add a coloured bar between two seconds to the current row, and return its width."""
        left = self.scale.x(start)
        width = max(self.scale.x(end) - left, NARROWEST)
        pattern = shade if shade in PATTERNED else ""
        self.boxes.append(Box(left, self.y, width, height, shade, tooltip, pattern))
        return width

    def lane(self, lane: Lane, name: str, height: float = ROW) -> None:
        """Add a row with the stretches of a lane."""
        self.row_label(name, height)
        self.track(height)
        for stretch in lane.stretches:
            self._stretch(stretch, name, height)
        self.next_row(height)

    def _stretch(self, stretch: Stretch, name: str, height: float) -> None:
        result = stretch.text or str(stretch.kind)
        outcome = f"failed, {result}" if stretch.kind is Kind.FAILED else result
        start = self.scale.since_zero(stretch.start)
        end = self.scale.since_zero(stretch.end)
        tooltip = f"{name}: {outcome}, from {start} to {end} s ({stretch.probes} probes)"

        shade = self._shade(stretch)
        width = self.bar(stretch.start, stretch.end, shade, tooltip, height)

        # Text that does not fit is in the tooltip only
        has_room = len(result) * LETTER + 12 < width
        if height >= ROW and has_room:
            x = self.scale.x(stretch.start) + 6
            self.labels.append(Label(x, self.y + 13, result, f"on {shade}-ink"))

    def _shade(self, stretch: Stretch) -> str:
        """Return the class that colours a stretch; its pattern has the same name."""
        if stretch.kind is not Kind.SERVED:
            return str(stretch.kind)
        if stretch.text not in self.regions:
            return str(Kind.UNKNOWN)
        return f"region{self.regions.index(stretch.text)}"
