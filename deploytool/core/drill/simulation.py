"""What a drill may be expected to measure: the same scenario drawn a thousand times by Route 53's
rules. Pure, with a seed.

A bound says what is possible, this says what is likely: "61 s" reads differently beside "35 to 104
s, median 66".
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploytool.core.route53.health import CheckerState, HealthCheckConfig, checkers_for, is_healthy
from deploytool.core.route53.timing import PROPAGATION_SECONDS

RUNS = 1_000
NAME_SERVERS = 4  # of a hosted zone


@dataclass(frozen=True)
class Range:
    """Of all runs the least, the median and the most, in seconds."""

    least: float
    median: float
    most: float


@dataclass(frozen=True)
class SimulatedMovement:
    """The ranges of one movement: until the verdict turns, until the last name server answers so,
    until a client is there.
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
    """Draw `runs` movements. `failing`: a failover, else the failback.

    `attempt` is how long one check of the endpoint takes, in seconds: until its time limit where
    the endpoint is silent; the next one waits for its end. Checkers have phases of their own and
    are not coordinated; each name server hears of the verdict within the propagation time (our
    guess, see timing.py); the client's resolver holds an answer of any age below its TTL.
    """
    rng = random.Random(1)  # noqa: S311  # reproducible, and no secret
    drawn = [
        _movement(rng, config, attempt, dns_ttl, by_inverting=by_inverting, failing=failing)
        for _ in range(runs)
    ]
    return SimulatedMovement(*(_range([each[part] for each in drawn]) for part in range(3)))


def _movement(
    rng: random.Random,
    config: HealthCheckConfig,
    attempt: float,
    dns_ttl: float,
    *,
    by_inverting: bool,
    failing: bool,
) -> tuple[float, float, float]:
    detection = 0.0 if by_inverting else _detection(rng.uniform, config, attempt, failing=failing)
    dns = detection + max(rng.uniform(0.0, PROPAGATION_SECONDS) for _ in range(NAME_SERVERS))
    return detection, dns, dns + rng.uniform(0.0, dns_ttl)


def _detection(
    uniform: Callable[[float, float], float],
    config: HealthCheckConfig,
    attempt: float,
    *,
    failing: bool,
) -> float:
    """When the verdict turns if from second zero on every check has the other result than
    before.
    """
    states = [CheckerState(healthy=failing) for _ in checkers_for(config)]
    phases = [uniform(0.0, config.request_interval) for _ in states]
    step = max(config.request_interval, attempt)
    results = sorted(
        (phase + number * step + attempt, index)
        for index, phase in enumerate(phases)
        for number in range(config.failure_threshold)
    )
    before = is_healthy(config, states)
    for at, index in results:
        states[index] = states[index].observe(not failing, config.failure_threshold)
        if is_healthy(config, states) is not before:
            return at
    # The rules do not allow it
    raise AssertionError("every checker has turned, and the verdict has not")


def _range(values: Sequence[float]) -> Range:
    ordered = sorted(values)
    return Range(ordered[0], ordered[len(ordered) // 2], ordered[-1])
