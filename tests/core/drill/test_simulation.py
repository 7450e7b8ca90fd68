"""Simulated failovers stay within the bound and are reproducible."""

import pytest

from deploytool.core.drill.simulation import simulate_movement
from deploytool.core.route53.health import HealthCheckConfig
from deploytool.core.route53.timing import expected_failover


@pytest.mark.parametrize("interval", [10, 30])
@pytest.mark.parametrize("threshold", [1, 3, 10])
@pytest.mark.parametrize("failing", [True, False])
@pytest.mark.parametrize("attempt", [0.0, 4.0, 25.0])
def test_every_run_is_within_the_bound(
    interval: int, threshold: int, attempt: float, *, failing: bool
) -> None:
    """The bound is valid for a failover and a failback, of a real fault and of an inverted check."""
    config = HealthCheckConfig("HTTPS", request_interval=interval, failure_threshold=threshold)
    for by_inverting in (True, False):
        simulated = simulate_movement(
            config, by_inverting=by_inverting, failing=failing, attempt=attempt, runs=200
        )
        bound = expected_failover(config, by_inverting=by_inverting, attempt=attempt)
        assert simulated.detection.most <= bound.detection
        assert simulated.dns.most <= bound.dns
        assert simulated.client.most <= bound.total
        assert simulated.client.least <= simulated.client.median <= simulated.client.most


def test_a_failover_is_detected_later_than_a_failback() -> None:
    """Nearly all checkers must fail, but two of eleven are enough to recover: the 18 % rule."""
    config = HealthCheckConfig("HTTPS", request_interval=10, failure_threshold=3)
    there = simulate_movement(config, by_inverting=False, failing=True, runs=300)
    back = simulate_movement(config, by_inverting=False, failing=False, runs=300)
    assert 20.0 < back.detection.median < 25.0 < there.detection.median < 30.0


def test_the_same_settings_give_the_same_result() -> None:
    """The seed is fixed, so that a report judged again shows the same figures."""
    config = HealthCheckConfig("HTTPS")
    assert simulate_movement(
        config, by_inverting=False, failing=True, runs=50
    ) == simulate_movement(config, by_inverting=False, failing=True, runs=50)
