"""A small picture of one duration: the measured beside what is likely and its bound."""

import svg

from deploytool.render.report.figures import Figure, likely_words, seconds
from deploytool.render.report.svg import box, line, tooltip

WIDTH, HEIGHT, EDGE = 300.0, 22.0, 6.0  # pixels


def gauge(figure: Figure, most: float) -> str:
    """An SVG element whose right edge is `most` seconds."""
    middle = HEIGHT / 2

    def x(value: float) -> float:
        return EDGE + value / most * (WIDTH - 2 * EDGE)

    likely = figure.likely
    words = f"{figure.movement}, {figure.name}: measured {seconds(figure.measured)}"
    words += f", likely {likely_words(likely)}, bound {seconds(figure.bound)}"
    elements: list[svg.Element] = [
        tooltip(words),
        line(EDGE, middle, WIDTH - EDGE, middle, "grid"),
        box(x(likely.least), middle - 5, x(likely.most) - x(likely.least), 10, "band"),
        line(x(likely.median), middle - 5, x(likely.median), middle + 5, "median"),
        line(x(figure.bound), 2, x(figure.bound), HEIGHT - 2, "limit"),
    ]
    if figure.measured is not None:
        elements.append(svg.Circle(cx=round(x(figure.measured), 1), cy=middle, r=5, class_=["dot"]))
    viewbox = svg.ViewBoxSpec(0, 0, WIDTH, HEIGHT)
    return svg.SVG(
        viewBox=viewbox, class_=["gauge"], extra={"role": "img"}, elements=elements
    ).as_str()
