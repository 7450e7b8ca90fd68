"""The upper bound of a failover's duration, term by term, from the settings. Pure."""

from dataclasses import dataclass

from deploytool.core.route53.health import HealthCheckConfig, time_limits
from deploytool.core.route53.zone import ALIAS_TTL

# "A few seconds" from the last checker's result to every name server: AWS gives no number;
# this one is our estimate.
PROPAGATION_SECONDS = 5.0


@dataclass(frozen=True)
class FailoverTime:
    """The upper bound of a failover's duration in seconds, by term.

    `detection` lasts until enough checkers have changed their opinion. `propagation` is the time to
    aggregate their results and to bring the verdict to the name servers. `dns_ttl` lasts until the
    last cached answer has expired. Clients that keep connections open, or that cache DNS answers
    longer than the TTL, take longer; the bound does not cover them.
    """

    detection: float
    propagation: float
    dns_ttl: float

    @property
    def dns(self) -> float:
        """Seconds until the authoritative name servers answer with the other region."""
        return self.detection + self.propagation

    @property
    def total(self) -> float:
        """The sum of the terms: seconds until clients reach the other region."""
        return self.dns + self.dns_ttl

    def terms(self) -> dict[str, float]:
        """Return each term by name and their sum as `total`, in seconds."""
        return {
            "detection": self.detection,
            "propagation": self.propagation,
            "dns_ttl": self.dns_ttl,
            "total": self.total,
        }


def expected_failover(
    config: HealthCheckConfig,
    *,
    by_inverting: bool = False,
    dns_ttl: float = ALIAS_TTL,
    attempt: float = 0.0,
) -> FailoverTime:
    """Return the longest time that a failover should take.

    The same bound is valid for the failback, because the threshold is the same both ways.

    A real fault is detected within request interval x (failure threshold + 1), plus the time of one
    check that times out (6 s for HTTP and HTTPS). Inverting the health check (`by_inverting`) swaps
    the verdict itself, so that no checker needs to detect anything. `dns_ttl` is in seconds.
    `attempt` is how long one check of the broken endpoint takes, in seconds.

    Sources: Route 53 Developer Guide, "How Amazon Route 53 determines whether a health check is
    healthy" (interval, threshold, time limits) and "Values specific for failover alias records"
    (the TTL of 60 s). With 10 s x 3 it is 111 s; published measurements of such set-ups are 61 s to
    the DNS answer and 83 s to the client (jspoth.com/dr, 2026-04-26) and 45 to 120 s
    (keycloak-benchmark issue 536).
    """
    if by_inverting:
        return FailoverTime(0.0, PROPAGATION_SECONDS, dns_ttl)

    # The fault may begin just after a check, so that a whole interval passes before the first one
    # that fails.
    before_first_failure = config.request_interval

    # A check that takes longer than the interval delays the next one until its end.
    until_threshold = max(config.request_interval, attempt) * config.failure_threshold

    last_check = max(time_limits(config).total, attempt)
    detection = before_first_failure + until_threshold + last_check
    return FailoverTime(detection, PROPAGATION_SECONDS, dns_ttl)
