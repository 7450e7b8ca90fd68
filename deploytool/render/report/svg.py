"""The few shapes that the pictures of a report are made of. Colours are the page's (page.css), by
class.
"""

from html import escape

import svg

# Of a picture in pixels: all of it, its labels, its right margin
WIDTH, LEFT, RIGHT = 1160.0, 190.0, 16.0
# What has a pattern beside its colour
PATTERNED = ("region1", "region2", "unhealthy", "failed", "unknown", "fault")


def text(x: float, y: float, words: str, classes: str) -> svg.Text:
    """Words that may come from anywhere: svg.py does not escape them."""
    return svg.Text(x=round(x, 1), y=round(y, 1), text=escape(words), class_=classes.split())


def tooltip(words: str, id_: str | None = None) -> svg.Title:
    """What a browser shows on hovering, and a screen reader says."""
    return svg.Title(text=escape(words), id=id_)


def box(
    x: float, y: float, width: float, height: float, classes: str, title: svg.Title | None = None
) -> svg.Rect:
    """A rectangle."""
    return svg.Rect(
        x=round(x, 1),
        y=round(y, 1),
        width=round(max(width, 0.0), 1),
        height=round(height, 1),
        class_=classes.split(),
        elements=[title] if title else None,
    )


def line(x1: float, y1: float, x2: float, y2: float, classes: str) -> svg.Line:
    """A straight line."""
    return svg.Line(
        x1=round(x1, 1), y1=round(y1, 1), x2=round(x2, 1), y2=round(y2, 1), class_=classes.split()
    )


def bar(
    x: float, y: float, width: float, height: float, shade: str, title: svg.Title
) -> list[svg.Element]:
    """A rectangle in a colour, and over it that colour's pattern: colour is never alone."""
    elements: list[svg.Element] = [box(x, y, width, height, shade, title)]
    if shade in PATTERNED:
        over = box(x, y, width, height, "pattern")
        over.fill = f"url(#{shade})"
        elements.append(over)
    return elements


def patterns() -> svg.Defs:
    """Stripes one way and the other, upright ones, crosses and dots."""
    drawn = {
        "region1": "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4",
        "region2": "M0,4 h8",
        "unhealthy": "M4,0 v8",
        "failed": "M0,0 l8,8 M8,0 l-8,8",
        "unknown": "M3,4 h2",
        "fault": "M-2,6 l4,4 M0,0 l8,8 M6,-2 l4,4",
    }
    return svg.Defs(
        elements=[
            svg.Pattern(
                id=name,
                width=8,
                height=8,
                patternUnits="userSpaceOnUse",
                elements=[svg.G(class_=[f"{name}-lines"], elements=[svg.Path(extra={"d": d})])],
            )
            for name, d in drawn.items()
        ]
    )


def shortened(words: str, most: int = 27) -> str:
    """A label that fits its column."""
    return words if len(words) <= most else words[: most - 1] + "…"
