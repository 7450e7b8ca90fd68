"""The health monitor: runs the checkers of every health check and knows the verdicts.

Checkers check endpoints. Health checks on alarms watch metrics, and calculated ones count their
children. Settings keep true seconds, and the checkers use the cloud's clock. `clock.wall_limits` gives their
time limits.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.route53.calculated import (
    CALCULATED,
    CLOUDWATCH_METRIC,
    is_calculated_healthy,
    monitors_endpoint,
)
from deploytool.core.route53.health import (
    Attempt,
    CheckResult,
    HealthCheck,
    HealthCheckConfig,
    is_healthy,
    judge_check,
    same_endpoint,
)
from deploytool.core.route53.zone import NotSupported
from deploytool.localcloud.clock import CloudClock, wall_limits
from deploytool.localcloud.dns.nameserver import NameServer
from deploytool.localcloud.dns.resolution import ResolutionFailed, UncachedResolver
from deploytool.localcloud.health.alarm_watch import AlarmWatch
from deploytool.localcloud.health.attempt import Dial
from deploytool.localcloud.health.checkers import Checker, CheckerGroup, TimedObservation
from deploytool.localcloud.health.supported import unsupported_reason
from deploytool.localcloud.ports import ControlPlane, MetricData

_POLL_SECONDS = 0.2  # of wall time, between two reads of the control plane's health checks


@dataclass(frozen=True)
class HealthChanged:
    """The verdict on a health check changed, at a moment in cloud seconds."""

    health_check_id: str
    healthy: bool
    at: float


class HealthMonitor:
    """Runs the checkers of every health check of the control plane. It is the cloud's HealthView.

    `dial` makes one attempt (see `attempt.EndpointDial`). `metrics` has the data of alarms.
    `on_change` is called when a verdict changes. `rng` draws the phase of each checker: checkers
    are not coordinated with one another. A change of configuration acts on the verdict at once, and
    on the checking within 0.2 s of wall time.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        clock: CloudClock,
        dial: Dial,
        metrics: MetricData,
        *,
        on_change: Callable[[HealthChanged], None] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._control_plane = control_plane
        self._clock = clock
        self._dial = dial
        self._metrics = metrics
        self._on_change = on_change
        self._rng = rng or random.Random()  # noqa: S311  # it spreads checks over time
        authority = NameServer(control_plane, self).respond
        self._resolver = UncachedResolver(authority, control_plane)
        self._groups: dict[str, CheckerGroup] = {}
        self._watches: dict[str, AlarmWatch] = {}
        # The last verdict on each health check, to notice when it changes.
        self._reported: dict[str, bool] = {}
        self._poller: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start to follow the control plane's health checks, in the running event loop."""
        self._reconcile()
        self._poller = _start_task(self._poll())

    def refresh(self) -> None:
        """Read the control plane's health checks now, not at the next poll.

        Call it only from the event loop's thread.
        """
        if self._poller is not None:
            self._reconcile()

    async def stop(self) -> None:
        """Stop every checker. Idempotent."""
        tasks: list[asyncio.Task[None]] = []
        for group in self._groups.values():
            tasks.extend(checker.task for checker in group.checkers if checker.task is not None)
        if self._poller is not None:
            tasks.append(self._poller)
        self._groups.clear()
        self._poller = None

        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def is_healthy(self, health_check_id: str) -> bool:
        """Return the verdict now, with Inverted and Disabled applied.

        A health check that does not exist counts as healthy (our reading; AWS says that its state
        cannot be predicted). Raises NotSupported for one that the local cloud cannot run.
        """
        return self._verdict(health_check_id, self._control_plane.health_checks())

    def _verdict(self, health_check_id: str, checks: Mapping[str, HealthCheck]) -> bool:
        check = checks.get(health_check_id)
        if check is None:
            return True
        config = check.config
        reason = unsupported_reason(config)
        if reason is not None:
            raise NotSupported(reason)

        if config.type == CALCULATED:
            # The children are no calculated checks themselves: Route 53 refuses that.
            children = [self._verdict(child, checks) for child in config.child_health_checks]
            return is_calculated_healthy(config, children)

        # A health check that the next poll will find has no checkers yet, and no data.
        if config.type == CLOUDWATCH_METRIC:
            return self._watches.get(health_check_id, AlarmWatch()).is_healthy(config)
        group = self._groups.get(health_check_id)
        return is_healthy(config, ()) if group is None else group.is_healthy(config)

    def observations(self, health_check_id: str) -> tuple[TimedObservation, ...]:
        """Return the last observation of each checker that has one (GetHealthCheckStatus)."""
        checkers = self._checkers(health_check_id)
        return tuple(checker.last for checker in checkers if checker.last is not None)

    def last_failure(self, health_check_id: str) -> tuple[TimedObservation, ...]:
        """Return the last failed check of each checker (GetHealthCheckLastFailureReason)."""
        checkers = self._checkers(health_check_id)
        return tuple(checker.last_failure for checker in checkers if checker.last_failure)

    def _checkers(self, health_check_id: str) -> tuple[Checker, ...]:
        group = self._groups.get(health_check_id)
        return () if group is None else group.checkers

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            self._reconcile()

    def _reconcile(self) -> None:
        """Run checkers for exactly the health checks of the control plane, with their settings."""
        checks = {
            id_: check
            for id_, check in self._control_plane.health_checks().items()
            if unsupported_reason(check.config) is None
        }

        for id_ in self._groups.keys() - checks.keys():
            self._groups.pop(id_).cancel()
        for id_ in self._watches.keys() - checks.keys():
            del self._watches[id_]
        for id_ in self._reported.keys() - checks.keys():
            del self._reported[id_]

        for id_, check in checks.items():
            if monitors_endpoint(check.config):
                self._update(id_, check.config)
            elif check.config.type == CLOUDWATCH_METRIC:
                self._watches.setdefault(id_, AlarmWatch()).follow(check, self._metrics)
        for id_ in checks:
            self._report_verdict(id_)

    def _update(self, id_: str, config: HealthCheckConfig) -> None:
        """Let the checkers of a health check follow its configuration."""
        group = self._groups.get(id_)
        if group is None:
            self._start(id_, config)
        elif not same_endpoint(group.config, config) or group.config.disabled != config.disabled:
            # Another endpoint is a new health check, and so is one that is enabled again.
            group.cancel()
            self._start(id_, config)
        elif group.config != config:
            group.change_config(config)
            self._start_checkers(id_, group)

    def _start(self, id_: str, config: HealthCheckConfig) -> None:
        group = CheckerGroup(config)
        self._start_checkers(id_, group)
        self._groups[id_] = group

    def _start_checkers(self, id_: str, group: CheckerGroup) -> None:
        """Start the checkers of a group that do not run yet."""
        for checker in group.checkers:
            if checker.task is None:
                checker.task = _start_task(self._run_checker(id_, group, checker))

    async def _run_checker(self, id_: str, group: CheckerGroup, checker: Checker) -> None:
        """Check once in each request interval, starting at a random phase."""
        interval = group.config.request_interval
        await self._clock.sleep(self._rng.uniform(0, interval))
        due = self._clock.now()
        while True:
            result = await self._check(group.config)
            ended = self._clock.now()
            checker.record(result, group.config.failure_threshold, ended)
            self._report_verdict(id_)
            # A check that took longer than the interval is followed by one check, not by two.
            due = max(due + interval, ended)
            await self._clock.sleep(due - self._clock.now())

    async def _check(self, config: HealthCheckConfig) -> CheckResult:
        limits = wall_limits(config, self._clock.speed)
        try:
            address = config.ip_address or self._resolver.addresses(config.fqdn)[0]
        except ResolutionFailed as error:
            attempt = Attempt(failure=f"DNS resolution failed: {error}")
        else:
            attempt = await self._dial(config, address, limits)
        return judge_check(config, attempt, limits)

    def _report_verdict(self, id_: str) -> None:
        """Call `on_change` when the verdict has changed, or that of a calculated check above it.

        The first verdict on a health check is no change, nor is its deletion.
        """
        checks = self._control_plane.health_checks()
        if id_ not in checks:
            return
        self._report(id_, checks)
        for parent, check in checks.items():
            if id_ in check.config.child_health_checks:
                self._report(parent, checks)

    def _report(self, id_: str, checks: Mapping[str, HealthCheck]) -> None:
        healthy = self._verdict(id_, checks)
        previous = self._reported.get(id_)
        self._reported[id_] = healthy
        if self._on_change is not None and previous is not None and previous != healthy:
            self._on_change(HealthChanged(id_, healthy, self._clock.now()))


def _start_task(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task whose failure is reported at once.

    Nothing awaits an endless task, and a checker that stopped silently would read as healthy.
    """
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_report_failure)
    return task


def _report_failure(task: asyncio.Task[None]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        context = {"message": "a health checker failed", "exception": error, "task": task}
        task.get_loop().call_exception_handler(context)
