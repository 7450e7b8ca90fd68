"""Reads health checks that Route 53 may not know everywhere yet."""

from deploytool.core.errors import NoSuchHealthCheck
from deploytool.core.ports import Clock
from deploytool.core.route53.health import HealthCheck
from deploytool.core.service.ports import HealthChecks

ATTEMPTS = 5
PAUSE = 3.0  # seconds of the target's clock between two attempts


def read_new(health_checks: HealthChecks, clock: Clock, health_check_id: str) -> HealthCheck:
    """Return a health check that may have been created a moment ago.

    "New health checks must propagate to Route 53 health checkers" (Developer Guide, "Viewing health
    check status"), and until then a reading may end with NoSuchHealthCheck (our reading). Raises
    NoSuchHealthCheck when it still does after a few attempts.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return health_checks.get(health_check_id)
        except NoSuchHealthCheck:
            clock.sleep(PAUSE)
    return health_checks.get(health_check_id)
