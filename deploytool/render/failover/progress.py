"""The progress of a movement: a table on a terminal, lines in a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deploytool.core.failover.events import Event
from deploytool.render.failover.lines import MoveLines
from deploytool.render.terminal import Terminal


@contextmanager
def move_progress(terminal: Terminal) -> Iterator[Callable[[Event], None]]:
    """Show the progress while the context lasts. Yields the listener for the events."""
    if not terminal.live:
        yield MoveLines(terminal)
        return
    # A log does not need what draws
    from deploytool.render.failover.live import live_table  # noqa: PLC0415

    with live_table(terminal) as listener:
        yield listener
