"""The progress of a drill: strips of answers on a terminal, lines in a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deploytool.core.drill.history import Event
from deploytool.render.drill.lines import DrillLines
from deploytool.render.terminal import Terminal


@contextmanager
def drill_progress(terminal: Terminal) -> Iterator[Callable[[Event], None]]:
    """Show the progress of a drill while the context lasts. Yields the listener for its events."""
    if not terminal.live:
        yield DrillLines(terminal)
        return
    # A log does not need what draws
    from deploytool.render.drill.live import live_strips  # noqa: PLC0415

    with live_strips(terminal) as listener:
        yield listener
