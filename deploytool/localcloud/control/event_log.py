"""What really happened in a running cloud, and when."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, assert_never

from deploytool.localcloud.clock import CloudClock
from deploytool.localcloud.dns.nameserver import AnswerChanged
from deploytool.localcloud.edges.arrivals import ClientMoved
from deploytool.localcloud.edges.edge_state import EdgeChanged
from deploytool.localcloud.health.monitor import HealthChanged
from deploytool.localcloud.ministack.api_state import ApiChanged

Event = AnswerChanged | HealthChanged | EdgeChanged | ApiChanged | ClientMoved


class EventLog:
    """The events since the start of the cloud, by kind, oldest first."""

    def __init__(self, clock: CloudClock) -> None:
        self._clock = clock
        self._answers: list[AnswerChanged] = []
        self._verdicts: list[HealthChanged] = []
        self._edges: list[EdgeChanged] = []
        self._apis: list[ApiChanged] = []
        self._clients: list[ClientMoved] = []

    def record(self, event: Event) -> None:
        """Add an event to the log of its kind."""
        match event:
            case AnswerChanged():
                self._answers.append(event)
            case HealthChanged():
                self._verdicts.append(event)
            case EdgeChanged():
                self._edges.append(event)
            case ApiChanged():
                self._apis.append(event)
            case ClientMoved():
                self._clients.append(event)
            case _:
                assert_never(event)

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Return the logs as plain values.

        Each event has its moment twice: `at` in cloud seconds, and `monotonic` in seconds of
        `time.monotonic()`, which all processes of a machine share.
        """
        return {
            "answers": self._to_json(self._answers),
            "verdicts": self._to_json(self._verdicts),
            "edges": self._to_json(self._edges),
            "apis": self._to_json(self._apis),
            "clients": self._to_json(self._clients),
        }

    def _to_json(self, events: Sequence[Event]) -> list[dict[str, Any]]:
        # `at` becomes `monotonic` only here: an event needs no second clock.
        return [{**asdict(event), "monotonic": self._clock.monotonic(event.at)} for event in events]
