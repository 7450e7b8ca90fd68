"""The fault health-check: DNS fails over although the primary works."""

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import RestoreHealthCheck, UndoStep
from deploytool.core.service.service import Service
from deploytool.work.health_checks import read_new


class InvertedHealthCheck:
    """Inverts the primary's health check (Route 53's `Inverted`)."""

    name = "health-check"
    proves = "DNS failover, and the secondary"
    blast_radius = (
        "no client is affected: the primary continues to serve while clients move to the secondary"
    )
    by_inverting = True
    by_switch = False
    guarded = True
    attempt = 0.0

    def __init__(self, ports: DrillPorts, service: Service) -> None:
        self._health_checks = ports.health_checks
        self._id = service.health_check_id
        self._before = read_new(self._health_checks, ports.probes.clock, self._id)

    def undo(self) -> tuple[UndoStep, ...]:
        """Return the step that writes the value of `Inverted` from before the fault."""
        return (RestoreHealthCheck(self._id, self._before.config.inverted),)

    def inject(self) -> None:
        """Invert the health check. Raises StaleVersion when it was changed since it was read.

        The guard changes it too. So a drill on a machine that was suspended for longer than the
        guard waits breaks nothing when the machine resumes.
        """
        self._health_checks.set_inverted(self._id, inverted=True, version=self._before.version)

    def calls(self) -> tuple[str, ...]:
        """Return the one call."""
        call = f"route53:UpdateHealthCheck {self._id} Inverted=true"
        return (f"{call}, if its HealthCheckVersion is still the one read",)
