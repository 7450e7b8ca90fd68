"""The primary's base path mappings removed: its custom domain names answer 403, the API behind them
is well.
"""

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import RestoreMapping, UndoStep
from deploytool.core.service.service import Service


class Unmapped:
    """Both of the region's names lose their mapping: the friendly one, which clients use, and its
    own, which is watched.

    They are two because Route 53's checkers send the name they look up as Host, and the friendly
    one follows the failover.
    """

    name = "unmap"
    proves = "the health check watches the way that clients go: through domain name and mapping"
    blast_radius = "every client of the primary sees 403 until it has moved"
    by_inverting = False
    guarded = True
    attempt = 0.0

    def __init__(self, ports: DrillPorts, service: Service) -> None:
        self._mappings, self._region = ports.mappings, service.primary
        self._domains = (service.domain, service.regional_domains[service.primary])

    def undo(self) -> tuple[UndoStep, ...]:
        """Every mapping that either name has now."""
        return tuple(
            RestoreMapping(self._region, domain, each.base_path, each.rest_api_id, each.stage)
            for domain in self._domains
            for each in self._mappings.of(self._region, domain)
        )

    def inject(self) -> None:
        """Remove them."""
        for domain in self._domains:
            for each in self._mappings.of(self._region, domain):
                self._mappings.delete(self._region, domain, each.base_path)

    def calls(self) -> tuple[str, ...]:
        """One a name."""
        return tuple(
            f"apigateway:DeleteBasePathMapping of {domain} in {self._region}"
            for domain in self._domains
        )


FAULT = Unmapped
