"""The ports inside the local cloud: what name server, checkers and edges read of other parts."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from deploytool.core.route53.alarms import AlarmConfiguration, DataPoint
from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.zone import HostedZone


class ControlPlane(Protocol):
    """A view of the emulator's state; each call returns the state at that moment.

    Calls are cheap: there are several for each DNS query.
    """

    def hosted_zones(self) -> Sequence[HostedZone]:
        """Return every public hosted zone with its record sets."""
        ...

    def health_checks(self) -> Mapping[str, HealthCheck]:
        """Return every health check by id."""
        ...

    def aws_names(self) -> Mapping[str, str]:
        """Return the IPv4 addresses of the names that AWS itself would answer for.

        These are API Gateway's regional target names (to their region's edge) and the zones' name
        servers (to 127.0.0.1). Names are in lower case with a final dot.
        """
        ...


class HealthView(Protocol):
    """The verdicts on health checks, which the name server reads."""

    def is_healthy(self, health_check_id: str) -> bool: ...


class MetricData(Protocol):
    """The data of CloudWatch's metrics, which health checks on alarms watch.

    Dates are seconds of Unix time that pass as fast as the cloud's clock.
    """

    def now(self) -> float:
        """Return the date now."""
        ...

    def points(self, region: str, alarm: AlarmConfiguration) -> Sequence[DataPoint]:
        """Return the data points of an alarm's metric in a region."""
        ...
