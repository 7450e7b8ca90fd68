"""Simulates a failover many times by Route 53's rules, to tell which durations are likely.

The upper bound (timing.py) tells what is possible. A measured 61 s is easier to judge beside "35 to
104 s, median 66". Pure: the random numbers have a fixed seed.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from deploytool.core.route53.alarms import EVALUATION_INTERVAL
from deploytool.core.route53.health import CheckerState, HealthCheckConfig, checkers_for, is_healthy
from deploytool.core.route53.timing import PROPAGATION_SECONDS, SWITCH_PERIOD

RUNS = 1_000
NAME_SERVERS = 4  # of a hosted zone


@dataclass(frozen=True)
class Range:
    """The least, the median and the most of all runs, in seconds."""

    least: float
    median: float
    most: float


@dataclass(frozen=True)
class SimulatedMovement:
    """The durations of a simulated failover or failback.

    `detection` lasts until the health check's verdict changes, `dns` until the last name server
    answers with the other region, `client` until a client is served by it.
    """

    detection: Range
    dns: Range
    client: Range


def simulate_movement(
    config: HealthCheckConfig,
    *,
    by_inverting: bool,
    failing: bool,
    attempt: float = 0.0,
    dns_ttl: float = 60.0,
    runs: int = RUNS,
) -> SimulatedMovement:
    """Simulate `runs` failovers, or failbacks without `failing`.

    `attempt` is how long one check of the endpoint takes, in seconds. A check of a silent endpoint
    takes as long as its time limit, and the next check waits for its end. The checkers are not
    coordinated, so each has a random phase. Each name server learns the verdict within the
    propagation time (our estimate, see timing.py). The resolver of the client may hold an answer of
    any age below its TTL.
    """
    rng = random.Random(1)  # noqa: S311  # reproducible, and no secret
    return _simulated(
        _movement(rng, config, attempt, dns_ttl, by_inverting=by_inverting, failing=failing)
        for _ in range(runs)
    )


def _simulated(movements: Iterable[tuple[float, float, float]]) -> SimulatedMovement:
    detections, dns, clients = zip(*movements, strict=True)
    return SimulatedMovement(_range(detections), _range(dns), _range(clients))


def simulate_switch(*, held: bool, dns_ttl: float = 60.0, runs: int = RUNS) -> SimulatedMovement:
    """Simulate `runs` movements by the switch: to the secondary when `held`, else back.

    The data point falls anywhere into a period of the switch's alarm. To hold, that period has to
    end; to release, the next one too, because the first may have a 1 already. Route 53 evaluates the
    data at any time within one interval after that (our reading, see timing.py).
    """
    rng = random.Random(1)  # noqa: S311  # reproducible, and no secret

    def detection() -> float:
        periods = rng.uniform(0.0, SWITCH_PERIOD) + (0.0 if held else SWITCH_PERIOD)
        return periods + rng.uniform(0.0, EVALUATION_INTERVAL)

    return _simulated(_followed(rng, detection(), dns_ttl) for _ in range(runs))


def _movement(
    rng: random.Random,
    config: HealthCheckConfig,
    attempt: float,
    dns_ttl: float,
    *,
    by_inverting: bool,
    failing: bool,
) -> tuple[float, float, float]:
    detection = 0.0
    if not by_inverting:
        detection = _detection(rng.uniform, config, attempt, failing=failing)
    return _followed(rng, detection, dns_ttl)


def _followed(rng: random.Random, detection: float, dns_ttl: float) -> tuple[float, float, float]:
    """Return the seconds until the verdict changes, all name servers follow, a client follows."""
    slowest_name_server = max(rng.uniform(0.0, PROPAGATION_SECONDS) for _ in range(NAME_SERVERS))
    dns = detection + slowest_name_server
    # The client's resolver cached the old answer at any time before the change.
    remaining_ttl = rng.uniform(0.0, dns_ttl)
    return detection, dns, dns + remaining_ttl


def _detection(
    uniform: Callable[[float, float], float],
    config: HealthCheckConfig,
    attempt: float,
    *,
    failing: bool,
) -> float:
    """Return the second at which the verdict changes.

    From second zero on, every check has the opposite of its earlier result.
    """
    states = [CheckerState(healthy=failing) for _ in checkers_for(config)]
    phases = [uniform(0.0, config.request_interval) for _ in states]

    # A check that takes longer than the interval delays the next one until its end.
    period = max(config.request_interval, attempt)
    results: list[tuple[float, int]] = []
    for index, phase in enumerate(phases):
        for number in range(config.failure_threshold):
            results.append((phase + number * period + attempt, index))

    # The verdict is computed again after each result, in the order of time.
    before = is_healthy(config, states)
    for at, index in sorted(results):
        states[index] = states[index].observe(not failing, config.failure_threshold)
        if is_healthy(config, states) is not before:
            return at

    # Every checker has reached its threshold, so the rules do not allow this.
    raise AssertionError("all checkers changed their state, but the verdict did not change")


def _range(values: Sequence[float]) -> Range:
    ordered = sorted(values)
    return Range(ordered[0], ordered[len(ordered) // 2], ordered[-1])
