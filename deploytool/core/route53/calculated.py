"""Calculated health checks, and which settings each type of health check takes. Pure.

Sources: Route 53 Developer Guide, "How Amazon Route 53 determines whether a health check is
healthy" and "Values that you specify when you create or update health checks"; API reference of
HealthCheckConfig.
"""

from collections.abc import Iterable

from deploytool.core.route53.health import HealthCheckConfig

CALCULATED = "CALCULATED"
CLOUDWATCH_METRIC = "CLOUDWATCH_METRIC"

# The Developer Guide says 255 in one place and 256 in another.
MOST_CHILDREN = 255


def is_calculated_healthy(config: HealthCheckConfig, children: Iterable[bool]) -> bool:
    """Return the verdict on a calculated health check from the verdicts on its children.

    It is healthy when at least HealthThreshold of the children are. So a threshold of 0 is always
    healthy, and one above the number of children never is. A child's verdict is the one after its
    own Disabled and Inverted: a disabled child counts as healthy. A disabled calculated check is
    healthy. Inverted swaps the verdict last.
    """
    enough_are_healthy = sum(children) >= config.health_threshold
    healthy = config.disabled or enough_are_healthy
    return healthy != config.inverted


def monitors_endpoint(config: HealthCheckConfig) -> bool:
    """Return whether checkers check an endpoint for this health check."""
    return config.type not in (CALCULATED, CLOUDWATCH_METRIC)
