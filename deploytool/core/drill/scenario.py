"""What a drill does and how closely it looks: its rates, its deadlines, its objectives. Pure."""

from dataclasses import dataclass

from deploytool.core.route53.timing import FailoverTime


@dataclass(frozen=True)
class Scenario:
    """The settings of a drill. Seconds are true seconds: on a local cloud ten of them pass in one
    at speed 10.

    `client_interval`, `dns_interval` and `health_interval` lie between two probes of one lane.
    `lasting` good answers in a row count as a lasting change. A failover is watched for `hold` more
    seconds. `patience` is how long a failover or a failback may take before the drill gives up on
    it; None: one and a half times what the rules predict, and half a minute more.
    """

    fault: str = "health-check"
    client_interval: float = 1.0
    dns_interval: float = 1.0
    health_interval: float = 2.0
    lasting: int = 5
    hold: float = 10.0
    patience: float | None = None

    def patience_for(self, expected: FailoverTime) -> float:
        """How long to wait for a failover or a failback, in seconds."""
        return self.patience if self.patience is not None else 1.5 * expected.total + 30.0
