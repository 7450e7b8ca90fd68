"""The primary's health check inverted: DNS fails over, though nothing is broken."""

from deploytool.core.errors import StaleVersion
from deploytool.core.ports import Environment
from deploytool.core.service import Service

ATTEMPTS = 5  # of a compare-and-swap; who loses that often is not alone


class InvertedHealthCheck:
    """Clients of the primary are not hurt: it serves on, and they go elsewhere."""

    name = "health-check"
    proves = "DNS failover, and the secondary"
    by_inverting = True
    attempt = 0.0

    def __init__(self, environment: Environment, service: Service) -> None:
        self._health_checks, self._id = environment.health_checks, service.health_check_id

    def inject(self) -> None:
        """Invert it. Raises StaleVersion when somebody else changed it meanwhile."""
        found = self._health_checks.get(self._id)
        self._health_checks.set_inverted(self._id, inverted=True, version=found.version)

    def restore(self) -> None:
        """Write Inverted false, also where it reads so already.

        Each write makes a new HealthCheckVersion: an injection that is still on its way (its answer was cut off) asks for the old
        one, and is refused from then on.
        """
        for attempt in range(ATTEMPTS):
            found = self._health_checks.get(self._id)
            try:
                self._health_checks.set_inverted(self._id, inverted=False, version=found.version)
            except StaleVersion:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return

    def is_restored(self) -> bool:
        """Whether it is not inverted."""
        return not self._health_checks.get(self._id).config.inverted
