"""How long a failover is expected to take at most, term by term, from the settings. Pure.

AWS publishes some of the terms: interval, threshold and time limits of a health check, the TTL of
an alias. It publishes no number for others, which are estimates of ours. A duration beyond the sum
is worth a look. It is no failure: no verdict rests on an estimate.
"""

from dataclasses import dataclass

from deploytool.core.route53.alarms import EVALUATION_INTERVAL
from deploytool.core.route53.health import HealthCheckConfig, time_limits
from deploytool.core.route53.zone import ALIAS_TTL

# "A few seconds" from the last checker's result to every name server: AWS gives no number;
# this one is our estimate.
PROPAGATION_SECONDS = 5.0

# How long a drill allows for what AWS gives no number for, in seconds. It decides when a drill stops
# waiting. A verdict reaches the name servers through the data plane. AWS promises for a global
# endpoint of EventBridge 60 s more than its alarm and its evaluation take (see `expected_switch`).
LONGEST_PROPAGATION = 60.0

# To invert a health check is a change through the control plane. For changes of records AWS says
# "generally within 60 seconds" (Developer Guide, "Editing records"), for those of health checks
# nothing. No client is affected meanwhile, so that a drill can wait.
LONGEST_CONTROL_PLANE = 300.0


@dataclass(frozen=True)
class FailoverTime:
    """How long a failover is expected to take at most, in seconds, by term.

    `detection` lasts until enough checkers have changed their opinion. `propagation` is the time to
    aggregate their results and to bring the verdict to the name servers. `dns_ttl` lasts until the
    last cached answer has expired. Clients that keep connections open, or that cache DNS answers
    longer than the TTL, take longer; the sum does not cover them.

    `propagation` is our estimate, and so is the part `evaluation` of the detection. `allowance` is
    how long to wait at most for what is estimated.
    """

    detection: float
    propagation: float
    dns_ttl: float
    evaluation: float = 0.0
    allowance: float = LONGEST_PROPAGATION

    @property
    def estimated(self) -> float:
        """The seconds of the sum for which AWS publishes no number."""
        return self.evaluation + self.propagation

    @property
    def published(self) -> float:
        """The seconds of the sum that follow from what AWS publishes."""
        return self.total - self.estimated

    @property
    def dns(self) -> float:
        """Seconds until the authoritative name servers answer with the other region."""
        return self.detection + self.propagation

    @property
    def total(self) -> float:
        """The sum of the terms: seconds until clients reach the other region."""
        return self.dns + self.dns_ttl

    def terms(self) -> dict[str, float]:
        """Return each term by name, their sum as `total`, and what of it is `estimated`."""
        return {
            "detection": self.detection,
            "propagation": self.propagation,
            "dns_ttl": self.dns_ttl,
            "total": self.total,
            "estimated": self.estimated,
        }


def expected_failover(
    config: HealthCheckConfig,
    *,
    by_inverting: bool = False,
    dns_ttl: float = ALIAS_TTL,
    attempt: float = 0.0,
) -> FailoverTime:
    """Return the longest time that a failover is expected to take.

    The same is valid for the failback, because the threshold is the same both ways.

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
        return FailoverTime(0.0, PROPAGATION_SECONDS, dns_ttl, allowance=LONGEST_CONTROL_PLANE)

    # The fault may begin just after a check, so that a whole interval passes before the first one
    # that fails.
    before_first_failure = config.request_interval

    # A check that takes longer than the interval delays the next one until its end.
    until_threshold = max(config.request_interval, attempt) * config.failure_threshold

    last_check = max(time_limits(config).total, attempt)
    detection = before_first_failure + until_threshold + last_check
    return FailoverTime(detection, PROPAGATION_SECONDS, dns_ttl)


# Seconds of the period of the switch's alarm. Route 53 takes no shorter one.
SWITCH_PERIOD = 60.0


@dataclass(frozen=True)
class SwitchTime:
    """How long a data point of the switch is expected to take at most to move traffic, in seconds.

    `periods` lasts until every period that counts is complete. `evaluation` is the time until the
    health check evaluates them, our estimate. `propagation` and `dns_ttl` are as for `FailoverTime`.
    """

    periods: float
    evaluation: float
    propagation: float
    dns_ttl: float

    @property
    def estimated(self) -> float:
        """The seconds of the sum for which AWS publishes no number."""
        return self.evaluation + self.propagation

    @property
    def dns(self) -> float:
        """Seconds from the data point until every name server answers with the other region."""
        return self.periods + self.evaluation + self.propagation

    @property
    def total(self) -> float:
        """Seconds from the data point until clients that honour the TTL reach the other region."""
        return self.dns + self.dns_ttl

    def terms(self) -> dict[str, float]:
        """Return each term by name, their sum as `total`, and what of it is `estimated`."""
        return {
            "periods": self.periods,
            "evaluation": self.evaluation,
            "propagation": self.propagation,
            "dns_ttl": self.dns_ttl,
            "total": self.total,
            "estimated": self.estimated,
        }


def expected_switch(*, held: bool, dns_ttl: float = ALIAS_TTL) -> SwitchTime:
    """Return the longest time that a data point of the switch is expected to take to move traffic.

    The alarm has the statistic Maximum, a period of 60 s and one evaluation period.

    - Holding (a data point of 1): the period with the data point breaches. It is complete after at
      most one period.
    - Releasing (a data point of 0): the current period may hold a 1 already, so that only the next
      one is sure to have nothing but 0. It is complete after at most two periods. Some data point
      of 0 must lie in it: the function in the standby region repeats the metric every minute.

    CloudWatch evaluates such an alarm every minute (User Guide, "Evaluating an alarm"). AWS does
    not say how often Route 53 evaluates the data of an alarm, so one more minute is our reading. It
    agrees with the only duration that AWS publishes for a health check on an alarm: EventBridge
    promises that its global endpoints fail over within 360 s, at most 420 s, with an alarm of five
    periods of 60 s (EventBridge User Guide, "Making applications Regional-fault tolerant with
    global endpoints"): 5 x 60 s of data, 60 s until the first of these periods begins, 60 s more.

    Why there is no faster switch with the same properties (no public endpoint, independent of
    us-east-1, keeps its state when the standby region is down, under 2 USD a month):

    - A shorter period needs a high-resolution metric, which Route 53 refuses.
    - A data point with a time in the past counts in a period that is complete already, but the next
      evaluation is the one that sees the current minute too.
    - An endpoint in the standby region with an inverted check moves traffic within about 40 s. It
      must be public, and its health check falls back to healthy when the standby region is down,
      so that the switch loses its state. With HTTPS and an interval of 10 s it costs 2.50 USD.
    - Changing the health check or the record needs Route 53's control plane in us-east-1.
      Accelerated recovery brings back a limited set of its API within about 60 minutes (Developer
      Guide, "Enabling accelerated recovery for managing public DNS records").
    - Routing controls of Application Recovery Controller are charged by the hour for a cluster.
    """
    periods = SWITCH_PERIOD if held else 2 * SWITCH_PERIOD
    return SwitchTime(periods, EVALUATION_INTERVAL, PROPAGATION_SECONDS, dns_ttl)
