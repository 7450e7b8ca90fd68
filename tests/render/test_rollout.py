"""The events of a rollout as lines."""

import pytest

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.events import (
    RegionNotReady,
    RegionPassed,
    RolloutEvents,
    RolloutOrdered,
    RolloutUnordered,
    StackHeld,
    StageUnnamed,
)
from deploytool.render.run.lines import line_of

EAST, WEST = "us-east-1", "us-west-2"


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            RolloutOrdered(1.0, EAST, WEST, serving=True),
            "us-east-1 serves: us-west-2 is updated first",
        ),
        (
            RolloutOrdered(1.0, EAST, WEST, serving=False),
            "no region answers; us-east-1 is assumed to be the active one",
        ),
        (
            RolloutUnordered(1.0, (EAST, WEST)),
            "--parallel: us-east-1 and us-west-2 are both changed without a check",
        ),
        (
            StageUnnamed(1.0, "dev.example.com"),
            "neither dev.example.com nor a region's own name has an address",
        ),
        (
            StackHeld(1.0, NodeId("lambda", EAST), WEST),
            "lambda@us-east-1     [dim]waits until us-west-2 has passed its check",
        ),
        (
            RegionNotReady(1.0, "https://x/v1", "answers 500", 58.4),
            "https://x/v1 answers 500; 58 s left to pass its check",
        ),
        (
            RegionPassed(1.0, "https://x/v1", WEST, "abc"),
            "https://x/v1 has passed its check[/], version abc",
        ),
    ],
)
def test_lines(event: RolloutEvents, text: str) -> None:
    """Each event is a line that begins with the time since the start of the run."""
    line = line_of(event, 0.5, 20)
    assert line is not None
    assert line.startswith("    0.5 s  ")
    assert text in line
