"""The seam inside the local cloud: what the data plane (name server, checkers, edges) reads of the
control plane.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.zone import HostedZone


class ControlPlane(Protocol):
    """A view of the emulator's state; each call answers what holds now. Cheap: called for each
    query.
    """

    def hosted_zones(self) -> Sequence[HostedZone]:
        """Every public hosted zone with its record sets."""
        ...

    def health_checks(self) -> Mapping[str, HealthCheck]:
        """Every health check by id."""
        ...

    def aws_names(self) -> Mapping[str, str]:
        """IPv4 addresses of the names that AWS itself would answer for: API Gateway's regional
        target names (to their region's edge) and the zones' name servers (to 127.0.0.1). Keys are
        lower case with a final dot.
        """
        ...


class HealthView(Protocol):
    """What the checkers found; the name server and GetHealthCheckStatus read it."""

    def is_healthy(self, health_check_id: str) -> bool: ...
