"""Which region the clients of each custom domain connect to, over all edges."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ClientMoved:
    """A connection for a custom domain reached another region than the connection before it.

    `old` and `new` are regions, `at` is in cloud seconds.
    """

    name: str
    old: str
    new: str
    at: float


class Arrivals:
    """Remembers the region of the latest connection for each custom domain.

    `now` returns cloud seconds; `on_move` is called when the region changes.
    """

    def __init__(self, now: Callable[[], float], on_move: Callable[[ClientMoved], None]) -> None:
        self._now = now
        self._on_move = on_move
        self._latest: dict[str, str] = {}

    def record(self, name: str, region: str) -> None:
        """Record that a client named this domain in a TLS handshake with this region's edge."""
        previous = self._latest.get(name)
        self._latest[name] = region
        if previous is not None and previous != region:
            self._on_move(ClientMoved(name, previous, region, self._now()))
