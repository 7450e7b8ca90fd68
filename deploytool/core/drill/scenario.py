"""The settings of a drill: its fault, its probe rates and its deadlines. Pure."""

from dataclasses import dataclass

from deploytool.core.route53.timing import FailoverTime


@dataclass(frozen=True)
class Scenario:
    """The settings of a drill.

    Seconds are of the target's clock: on a local cloud at speed 10, ten of them pass in one second
    of wall time.

    `client_interval`, `dns_interval` and `health_interval` are the times between two probes of one
    lane. The health check is not read more often than its checkers check. A change counts as
    lasting after `lasting` good answers in a row. After a failover the drill observes for `hold`
    more seconds. `patience` is how long a failover or a failback may take
    before the drill stops waiting. None means one and a half times what follows from published
    numbers, and an allowance for what AWS publishes no number for.
    """

    fault: str = "health-check"
    client_interval: float = 1.0
    dns_interval: float = 1.0
    health_interval: float = 2.0
    lasting: int = 5
    hold: float = 10.0
    patience: float | None = None

    def patience_for(self, expected: FailoverTime) -> float:
        """Return how long to wait for a failover or a failback, in seconds."""
        if self.patience is not None:
            return self.patience
        return 1.5 * expected.published + expected.allowance + 30.0
