"""A small picture of one duration: the measured one beside the likely range and the bound.

This module computes the layout; templates/gauge.svg.j2 draws it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from deploytool.render.drill.figures import Figure, likely_range, seconds

# Pixels; the template draws on the same width. The edge leaves room for half of a dot
WIDTH = 300.0
EDGE = 6.0


@dataclass(frozen=True)
class Gauge:
    """Places along the gauge in pixels. `measured` is None when nothing was measured."""

    description: str
    least: float
    median: float
    most: float
    bound: float
    measured: float | None


def gauges(figures: Sequence[Figure]) -> list[Gauge]:
    """Lay out a gauge for each figure, all on the same scale."""
    # At least a second, because the scale divides by it
    longest = 1.0
    for figure in figures:
        longest = max(longest, figure.bound, figure.likely.most, figure.measured or 0.0)
    return [_gauge(figure, longest) for figure in figures]


def _gauge(figure: Figure, longest: float) -> Gauge:
    likely = figure.likely

    def x(value: float) -> float:
        return EDGE + value / longest * (WIDTH - 2 * EDGE)

    return Gauge(
        description=(
            f"{figure.movement}, {figure.name}: measured {seconds(figure.measured)},"
            f" likely {likely_range(likely)}, expected {seconds(figure.bound)}"
        ),
        least=x(likely.least),
        median=x(likely.median),
        most=x(likely.most),
        bound=x(figure.bound),
        measured=None if figure.measured is None else x(figure.measured),
    )
