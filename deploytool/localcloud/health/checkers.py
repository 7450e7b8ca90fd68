"""The checkers of one health check, and what each of them has observed."""

import asyncio
from dataclasses import dataclass, field, replace

from deploytool.core.route53.health import (
    CheckerObservation,
    CheckerState,
    CheckResult,
    HealthCheckConfig,
    carry_over,
    checkers_for,
    is_healthy,
)

CHECKER_ADDRESS = "127.0.0.1"  # where the checkers connect from


@dataclass(frozen=True)
class TimedObservation(CheckerObservation):
    """An observation, and the cloud second in which its check ended."""

    at: float


@dataclass
class Checker:
    """One checker of one health check.

    Its values are replaced and never changed, so that a reader in another thread sees whole ones.
    """

    region: str
    state: CheckerState = field(default_factory=CheckerState)
    last: TimedObservation | None = None
    last_failure: TimedObservation | None = None
    task: asyncio.Task[None] | None = None  # what runs it

    def record(self, result: CheckResult, threshold: int, at: float) -> None:
        """Record the result of a check that ended in cloud second `at`."""
        self.state = self.state.observe(result.success, threshold)
        self.last = TimedObservation(
            self.region, CHECKER_ADDRESS, self.state.healthy, result.status, at
        )
        if not result.success:
            self.last_failure = self.last

    def cancel(self) -> None:
        """Stop checking."""
        if self.task is not None:
            self.task.cancel()


class CheckerGroup:
    """The checkers of one health check while it is being checked.

    `config` is the configuration that they check; the control plane may already have a newer one.
    """

    def __init__(self, config: HealthCheckConfig) -> None:
        self.config = config
        regions = () if config.disabled else checkers_for(config)
        self.checkers = tuple(Checker(region) for region in regions)

    def is_healthy(self, config: HealthCheckConfig) -> bool:
        """Return the verdict under this configuration, which may be newer than the checkers'."""
        states = [carry_over(self.config, config, checker.state) for checker in self.checkers]
        return is_healthy(config, states)

    def change_config(self, config: HealthCheckConfig) -> None:
        """Take over a configuration that leaves the endpoint and `disabled` as they are."""
        for checker in self.checkers:
            checker.state = carry_over(self.config, config, checker.state)
        if checkers_for(self.config) != checkers_for(config):
            self._change_regions(config)
        self.config = config

    def _change_regions(self, config: HealthCheckConfig) -> None:
        """Keep the checkers of the regions that stay; make others for the new regions.

        A new checker begins with the verdict that there is. Route 53 lets the checkers of a region
        that was removed continue for a while, so that the endpoint is always checked; our reading
        is that a change of regions changes no verdict by itself.
        """
        healthy = self.is_healthy(replace(self.config, inverted=False))
        remaining = list(self.checkers)
        checkers = []
        for region in checkers_for(config):
            kept = next((checker for checker in remaining if checker.region == region), None)
            if kept is None:
                kept = Checker(region, CheckerState(healthy=healthy))
            else:
                remaining.remove(kept)
            checkers.append(kept)

        for checker in remaining:
            checker.cancel()
        self.checkers = tuple(checkers)

    def cancel(self) -> None:
        """Stop checking."""
        for checker in self.checkers:
            checker.cancel()
