"""The clock, and how time limits and delays scale with its speed."""

from dataclasses import replace

import pytest

from deploytool.core.route53.health import HealthCheckConfig, TimeLimits
from deploytool.localcloud.clock import CloudClock, scale_delay, wall_limits

HTTPS = HealthCheckConfig("HTTPS", fqdn="us-east-1.dev.example.com")
MATCH = replace(HTTPS, type="HTTPS_STR_MATCH", search_string="us-east-1")


def test_clock() -> None:
    """The clock passes `speed` cloud seconds in one wall second; a speed must be positive."""
    wall = iter([5.0, 5.0, 7.0])
    clock = CloudClock(10, time=lambda: next(wall))
    assert [clock.now(), clock.now()] == [0.0, 20.0]
    with pytest.raises(ValueError, match="positive"):
        CloudClock(0, time=lambda: 0.0)


@pytest.mark.parametrize(
    ("config", "speed", "limits"),
    [
        (HTTPS, 1, TimeLimits(4, 2)),
        (HTTPS, 3, TimeLimits(4 / 3, 1)),
        (MATCH, 60, TimeLimits(1, 1, 1)),
        (replace(HTTPS, type="TCP"), 5, TimeLimits(2)),
    ],
)
def test_wall_limits(config: HealthCheckConfig, speed: float, limits: TimeLimits) -> None:
    """Time limits shrink with the speed, but not below one second of wall time."""
    assert wall_limits(config, speed) == limits


@pytest.mark.parametrize("speed", [1, 2, 10, 60])
def test_scale_delay(speed: float) -> None:
    """At any speed a late answer meets or misses the checkers' limit as it does at real time."""
    limit = wall_limits(HTTPS, speed).response
    assert limit is not None
    assert scale_delay(1.9, speed) < limit < scale_delay(2.1, speed)
    assert scale_delay(3.0, 1) == 3.0
