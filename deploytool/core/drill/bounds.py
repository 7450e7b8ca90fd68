"""The longest time that each movement of a drill is expected to take. Pure."""

from dataclasses import dataclass

from deploytool.core.drill.history import SWITCH_AFTER_FAILOVER, SWITCH_BY_FAULT
from deploytool.core.route53.health import HealthCheckConfig
from deploytool.core.route53.timing import (
    LONGEST_PROPAGATION,
    FailoverTime,
    expected_failover,
    expected_switch,
)
from deploytool.core.route53.zone import ALIAS_TTL


@dataclass(frozen=True)
class Bounds:
    """The expected time of the failover and that of the failback."""

    failover: FailoverTime
    failback: FailoverTime


def expected_movements(
    config: HealthCheckConfig,
    *,
    by_inverting: bool,
    attempt: float = 0.0,
    switch: str = "",
    dns_ttl: float = ALIAS_TTL,
) -> Bounds:
    """Return the expected times of a drill's movements.

    `switch` is how the drill uses the stage's switch (see `DrillStarted`). The other parameters are
    those of `expected_failover`.
    """
    by_health_check = expected_failover(
        config, by_inverting=by_inverting, dns_ttl=dns_ttl, attempt=attempt
    )
    if switch == SWITCH_BY_FAULT:
        return Bounds(
            switch_time(held=True, dns_ttl=dns_ttl), switch_time(held=False, dns_ttl=dns_ttl)
        )
    if switch == SWITCH_AFTER_FAILOVER:
        return Bounds(by_health_check, switch_time(held=False, dns_ttl=dns_ttl))
    return Bounds(by_health_check, by_health_check)


def switch_time(*, held: bool, dns_ttl: float = ALIAS_TTL) -> FailoverTime:
    """Return the expected time of a movement by the switch.

    Its detection lasts until the health check on the switch's alarm has changed its verdict.
    """
    time = expected_switch(held=held, dns_ttl=dns_ttl)
    return FailoverTime(
        detection=time.periods + time.evaluation,
        propagation=time.propagation,
        dns_ttl=time.dns_ttl,
        evaluation=time.evaluation,
        # Both terms that are estimates may take longer.
        allowance=2 * LONGEST_PROPAGATION,
    )
