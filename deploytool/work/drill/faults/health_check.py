"""The primary's health check inverted: DNS fails over, though nothing is broken."""

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import RestoreHealthCheck, UndoStep
from deploytool.core.service.service import Service


class InvertedHealthCheck:
    """Clients of the primary are not hurt: it serves on, and they go elsewhere."""

    name = "health-check"
    proves = "DNS failover, and the secondary"
    blast_radius = "none: the primary serves on while clients move away from it"
    by_inverting = True
    guarded = True
    attempt = 0.0

    def __init__(self, ports: DrillPorts, service: Service) -> None:
        self._health_checks, self._id = ports.health_checks, service.health_check_id
        self._found = self._health_checks.get(self._id)

    def undo(self) -> tuple[UndoStep, ...]:
        """Back to what it was when this was made."""
        return (RestoreHealthCheck(self._id, self._found.config.inverted),)

    def inject(self) -> None:
        """Invert it. Raises StaleVersion when it was changed since this was made.

        By somebody else, or by the guard: a drill that was put to sleep past its guard's patience
        breaks nothing when it wakes.
        """
        self._health_checks.set_inverted(self._id, inverted=True, version=self._found.version)

    def calls(self) -> tuple[str, ...]:
        """The one call."""
        return (
            f"route53:UpdateHealthCheck {self._id} Inverted=true, if its HealthCheckVersion is still the one read",
        )


FAULT = InvertedHealthCheck
