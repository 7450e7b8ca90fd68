"""The history of a drill to render: written by hand, with every kind of lane."""

from collections.abc import Callable

import pytest

from deploytool.core.drill.history import (
    FRESH_CLIENT,
    KEPT_CONNECTION_CLIENT,
    DnsAnswered,
    DrillEnded,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    HealthSeen,
    PhaseBegan,
    Served,
    name_server_lane,
    region_lane,
    resolver_lane,
)
from deploytool.core.drill.scenario import Scenario
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.route53.health import CheckerObservation, HealthCheck, HealthCheckConfig

EAST, WEST = "us-east-1", "us-west-2"
ADDRESS = {EAST: "192.0.2.1", WEST: "192.0.2.2"}
STARTED = DrillStarted(
    1.0, 1, "0.1.0", "2026-01-01T00:00:00+00:00", "simulated", 1.0, "dev", "dev.example.com", "/v1", EAST, WEST,
    by_inverting=True, attempt=0.0, scenario=Scenario(), objectives=Objectives(),
    health_check=HealthCheck("check", 1, HealthCheckConfig("HTTPS", request_interval=10, failure_threshold=3)),
    name_servers=("ns-1", "ns-2"), resolvers=("resolver",),
)  # fmt: skip
INJECTED, RESTORED, END = 20.0, 80.0, 140


def _served(at: float, lane: str, region: str) -> Event:
    return Served(at - 0.05, at, lane, ADDRESS[region], 200, region, "1")


def _answered(at: float, lane: str, region: str) -> Event:
    return DnsAnswered(at - 0.01, at, lane, "NOERROR", (ADDRESS[region],), 60)


def _health(at: float) -> Event:
    checkers = tuple(
        CheckerObservation(region, "192.0.2.9", healthy=True, status="200", checked=f"{at}")
        for region in ("us-east-1", "eu-west-1")
    )
    return HealthSeen(at, 2, inverted=INJECTED <= at < RESTORED, checkers=checkers)


def _second(second: int, *, failing: bool) -> list[Event]:
    """Return what all lanes saw in one second.

    DNS follows after 2 seconds, the client after 38 seconds, and 33 on the way back.
    """

    def region(delay: float, back: float) -> str:
        return WEST if INJECTED + delay <= second < RESTORED + back else EAST

    at = second + 0.5
    client: Event = _served(at, FRESH_CLIENT, region(38, 33))
    if failing and 50 <= second < 53:
        client = Served(at - 0.05, at, FRESH_CLIENT, ADDRESS[EAST], failure="timeout")
    return [
        client,
        _served(at + 0.1, KEPT_CONNECTION_CLIENT, EAST),
        _served(at + 0.2, region_lane(EAST), EAST),
        _served(at + 0.2, region_lane(WEST), WEST),
        _answered(at + 0.3, name_server_lane("ns-1"), region(1, 1)),
        _answered(at + 0.3, name_server_lane("ns-2"), region(2, 2)),
        _answered(at + 0.3, resolver_lane("resolver"), region(37, 32)),
        *([_health(at + 0.4)] if second % 2 == 0 else []),
    ]


@pytest.fixture
def history() -> Callable[..., list[Event]]:
    """Return a function that returns the events in order.

    `failing` makes three requests time out. `until` cuts the history short at a second, as when the
    drill was killed.
    """

    def build(
        *, failing: bool = False, until: float = 1_000.0, started: DrillStarted = STARTED
    ) -> list[Event]:
        events: list[Event] = [
            started,
            PhaseBegan(1.1, "steady-state"),
            FaultInjecting(19.9, "health-check"),
        ]
        events += [FaultInjected(INJECTED), PhaseBegan(20.1, "failover"), FaultRestoring(79.9)]
        events += [
            FaultRestored(RESTORED, verified=True),
            PhaseBegan(80.1, "failback"),
            DrillEnded(float(END)),
        ]
        for second in range(2, END - 1):
            events += _second(second, failing=failing)
        events.sort(key=lambda event: event.at)
        return [event for event in events if event.at <= until]

    return build
