"""The fault unmap: the primary's custom domain names answer 403 although its API works."""

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import RestoreMapping, UndoStep
from deploytool.core.errors import DrillRefused
from deploytool.core.service.ports import ApiMapping
from deploytool.core.service.service import Service


class Unmap:
    """Removes the base path mappings of both domain names of the primary.

    Clients use the friendly name; the health check watches the region's own name. There are two
    because Route 53's checkers send the name that they look up as Host, and the friendly name
    follows the failover.
    """

    name = "unmap"
    proves = "that the health check covers the path of the clients: domain name and mapping"
    blast_radius = "every client of the primary gets 403 until it has moved to the secondary"
    by_inverting = False
    by_switch = False
    guarded = True
    attempt = 0.0

    def __init__(self, ports: DrillPorts, service: Service) -> None:
        self._mappings = ports.mappings
        self._region = service.primary
        if self._region in service.http_apis:
            # Base path mappings are of version 1 of API Gateway, which has none for an HTTP API.
            raise DrillRefused(
                f"the fault unmap needs a REST API, and {self._region} has an HTTP API",
                hint="choose another fault, like --fault throttle",
            )
        self._domains = (service.domain, service.regional_domains[service.primary])

    def undo(self) -> tuple[UndoStep, ...]:
        """Return a step for every mapping that either name has now."""
        steps: list[UndoStep] = []
        for domain in self._domains:
            mappings = self._mappings.of(self._region, domain)
            steps += [self._step(domain, mapping) for mapping in mappings]
        return tuple(steps)

    def inject(self) -> None:
        """Remove the mappings of both names."""
        for domain in self._domains:
            for mapping in self._mappings.of(self._region, domain):
                self._mappings.delete(self._region, domain, mapping.base_path)

    def calls(self) -> tuple[str, ...]:
        """Return one call for each name."""
        return tuple(
            f"apigateway:DeleteBasePathMapping of {domain} in {self._region}"
            for domain in self._domains
        )

    def _step(self, domain: str, mapping: ApiMapping) -> RestoreMapping:
        return RestoreMapping(
            self._region, domain, mapping.base_path, mapping.rest_api_id, mapping.stage
        )
