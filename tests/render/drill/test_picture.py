"""The layout of the pictures in a drill's report."""

from collections.abc import Callable

import pytest

from deploytool.core.drill.history import Event
from deploytool.core.drill.judge import judge
from deploytool.core.drill.simulation import Range
from deploytool.render.drill.figures import Figure
from deploytool.render.report.canvas import LEFT, RIGHT, WIDTH, TimeScale
from deploytool.render.report.gauge import gauges
from deploytool.render.report.lanes import lanes
from deploytool.render.report.picture import Picture, picture

History = Callable[..., list[Event]]


def picture_of(events: list[Event]) -> Picture:
    judgement = judge(events)
    return picture(judgement, lanes(judgement.history))


@pytest.mark.parametrize("until", [1.0, 10.0, 40.0, 90.0, 1_000.0])
def test_every_shape_lies_within_the_picture(history: History, until: float) -> None:
    """Wherever a drill was killed, no box is outside, or has a negative size."""
    drawn = picture_of(history(until=until))
    for box in drawn.boxes:
        assert box.width >= 0
        assert box.height >= 0
        assert box.x >= LEFT
        assert box.x + box.width <= WIDTH
        assert box.y + box.height <= drawn.height


def test_the_axis_counts_from_the_injection(history: History) -> None:
    """The tick of the injection is 0, and those before it are negative."""
    drawn = picture_of(history())
    ticks = [label.text for label in drawn.labels if label.classes.startswith("tick-label")]
    assert ticks == ["0 s", "20 s", "40 s", "60 s", "80 s", "100 s", "120 s"]


def test_the_injection_and_the_restore_are_moments(history: History) -> None:
    """Each is a line through all lanes; a drill that injected nothing has none."""
    assert len(picture_of(history()).moments) == 2
    assert picture_of(history(until=10.0)).moments == ()


def test_a_time_scale_fills_the_width() -> None:
    """The first second is right of the labels, the last one at the right margin."""
    scale = TimeScale(begin=10.0, end=110.0, zero=30.0)
    assert scale.x(10.0) == LEFT
    assert scale.x(110.0) == WIDTH - RIGHT
    assert scale.since_zero(25.0) == "-5.0"


def test_gauges_share_a_scale() -> None:
    """The same duration is at the same place in every gauge, and a missing one has no place."""
    likely = Range(10.0, 20.0, 30.0)
    first, second = gauges(
        [
            Figure("failover", "client", 50.0, likely, 65.0),
            Figure("failback", "client", None, likely, 40.0),
        ]
    )
    assert (first.least, first.median, first.most) == (second.least, second.median, second.most)
    assert first.bound > second.bound
    assert first.measured is not None
    assert first.measured < first.bound
    assert second.measured is None
