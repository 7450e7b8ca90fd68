"""The health checkers: they check the endpoints of every health check, each on its own schedule,
and hold the verdicts.

Settings keep true seconds, the checkers live by the cloud's clock. Time limits are true seconds
divided by the speed, but never below 1.0 s of wall time: the machine's own latency (TLS, a
function's start) does not shrink with the cloud's seconds. So above a speed of about 10 an endpoint
that lets checks time out is found out later than on AWS, counted in the cloud's seconds; one that
refuses or answers with errors is not.
"""

import asyncio
import ipaddress
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from deploytool.core.route53.health import (
    STATUS_SECONDS,
    Attempt,
    CheckerObservation,
    CheckerState,
    CheckResult,
    HealthCheckConfig,
    TimeLimits,
    carry_over,
    checkers_for,
    is_healthy,
    judge_check,
    same_endpoint,
    time_limits,
)
from deploytool.core.route53.zone import NotSupported
from deploytool.localcloud.clock import CloudClock
from deploytool.localcloud.dns import resolver
from deploytool.localcloud.dns.nameserver import NameServer
from deploytool.localcloud.health.attempt import Dial
from deploytool.localcloud.ports import ControlPlane

LEAST_LIMIT = 1.0  # seconds of wall time
CHECKER_ADDRESS = "127.0.0.1"  # where the checkers really check from
_POLL_SECONDS = 0.2  # of wall time, between looks at what health checks there are
_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")


@dataclass(frozen=True)
class HealthChanged:
    """The verdict on a health check is no longer what it was; cloud seconds."""

    health_check_id: str
    healthy: bool
    at: float


@dataclass(frozen=True)
class TimedObservation(CheckerObservation):
    """An observation, and the cloud second in which its check ended."""

    at: float


def supported(config: HealthCheckConfig) -> str | None:
    """Why the local cloud cannot run a health check, to refuse it when it is created; None when it
    can.
    """
    reasons = {
        f"health checks of type {config.type} are not supported on the local cloud, only {', '.join(_TYPES)}": (
            config.type not in _TYPES
        ),
        f"RequestInterval must be 10 or 30, not {config.request_interval}": config.request_interval
        not in (10, 30),
        f"FailureThreshold must be 1 to 10, not {config.failure_threshold}": not 1
        <= config.failure_threshold
        <= 10,
        "a health check needs a FullyQualifiedDomainName or an IPAddress": not config.fqdn
        and not config.ip_address,
        f"IPAddress is not an IP address: {config.ip_address}": bool(config.ip_address)
        and not _is_address(config.ip_address),
        f"a health check of type {config.type} needs a SearchString": (
            config.type.endswith("_STR_MATCH") and not config.search_string
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def wall_limits(config: HealthCheckConfig, speed: float) -> TimeLimits:
    """The time limits of one attempt in wall seconds: see the module's docstring."""

    def wall(seconds: float | None) -> float | None:
        return None if seconds is None else max(seconds / speed, LEAST_LIMIT)

    true = time_limits(config)
    return TimeLimits(max(true.connect / speed, LEAST_LIMIT), wall(true.response), wall(true.body))


def wall_delay(seconds: float, speed: float) -> float:
    """How many wall seconds late an answer is that is `seconds` late: stretched as the limit for
    the status is, so that at any speed it meets or misses that limit as it would on AWS.
    """
    return seconds * max(STATUS_SECONDS / speed, LEAST_LIMIT) / STATUS_SECONDS


@dataclass
class _Checker:
    """One checker of one health check. Replaced values only, so that a reader in another thread
    sees whole ones.
    """

    region: str
    state: CheckerState = field(default_factory=CheckerState)
    last: TimedObservation | None = None
    last_failure: TimedObservation | None = None

    def note(self, result: CheckResult, threshold: int, at: float) -> None:
        self.state = self.state.observe(result.success, threshold)
        self.last = TimedObservation(
            self.region, CHECKER_ADDRESS, self.state.healthy, result.status, at
        )
        if not result.success:
            self.last_failure = self.last


@dataclass
class _Watch:
    """A health check while it is being checked."""

    config: HealthCheckConfig
    checkers: tuple[_Checker, ...]
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class HealthMonitor:
    """Runs the checkers of every health check of the control plane; it is the cloud's HealthView.

    `dial` makes one attempt (see `dial.EndpointDial`), `on_change` hears of each verdict that
    turns, `rng` draws each checker's phase: they are not coordinated with one another. Changes of
    configuration act on the verdict at once, on the checking within 0.2 s of wall time.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        clock: CloudClock,
        dial: Dial,
        *,
        on_change: Callable[[HealthChanged], None] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._control_plane = control_plane
        self._clock = clock
        self._dial = dial
        self._on_change = on_change
        self._rng = rng or random.Random()  # noqa: S311 - it spreads checks over time and keeps no secret
        self._authority = NameServer(control_plane, self).respond
        self._watches: dict[str, _Watch] = {}
        self._told: dict[str, bool] = {}
        self._poller: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch what health checks there are, in the running event loop."""
        self._reconcile()
        self._poller = _spawn(self._poll())

    def refresh(self) -> None:
        """Take over what health checks there are now, instead of at the next look. Only from the
        event loop's thread.
        """
        if self._poller is not None:
            self._reconcile()

    async def stop(self) -> None:
        """End every check. Idempotent."""
        tasks = [task for watch in self._watches.values() for task in watch.tasks]
        self._watches.clear()
        if self._poller is not None:
            tasks.append(self._poller)
            self._poller = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def is_healthy(self, health_check_id: str) -> bool:
        """The verdict now, Inverted and Disabled applied.

        One that does not exist counts as healthy (our reading; AWS says that its state cannot be
        predicted). Raises NotSupported for one that the local cloud cannot run.
        """
        check = self._control_plane.health_checks().get(health_check_id)
        if check is None:
            return True
        if (reason := supported(check.config)) is not None:
            raise NotSupported(reason)
        watch = self._watches.get(health_check_id)
        if watch is None:
            return is_healthy(check.config, ())
        return is_healthy(
            check.config,
            [carry_over(watch.config, check.config, checker.state) for checker in watch.checkers],
        )

    def observations(self, health_check_id: str) -> tuple[TimedObservation, ...]:
        """The last observation of each checker that has made one (GetHealthCheckStatus)."""
        watch = self._watches.get(health_check_id)
        return tuple(checker.last for checker in watch.checkers if checker.last) if watch else ()

    def last_failure(self, health_check_id: str) -> tuple[TimedObservation, ...]:
        """The last failed check of each checker that has had one
        (GetHealthCheckLastFailureReason).
        """
        watch = self._watches.get(health_check_id)
        return (
            tuple(checker.last_failure for checker in watch.checkers if checker.last_failure)
            if watch
            else ()
        )

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            self._reconcile()

    def _reconcile(self) -> None:
        """Watch what the control plane has now: begin, end, or take over changed settings."""
        checks = {
            id_: check
            for id_, check in self._control_plane.health_checks().items()
            if supported(check.config) is None
        }
        for id_ in self._watches.keys() - checks.keys():
            self._end(id_)
            self._told.pop(id_, None)
        for id_, check in checks.items():
            watch = self._watches.get(id_)
            if watch is None:
                self._begin(id_, check.config)
            elif (
                not same_endpoint(watch.config, check.config)
                or watch.config.disabled != check.config.disabled
            ):
                self._end(id_)
                self._begin(id_, check.config)
            elif watch.config != check.config:
                for checker in watch.checkers:
                    checker.state = carry_over(watch.config, check.config, checker.state)
                watch.config = check.config
            self._tell(id_)

    def _begin(self, id_: str, config: HealthCheckConfig) -> None:
        regions = () if config.disabled else checkers_for(config)
        watch = _Watch(config, tuple(_Checker(region) for region in regions))
        watch.tasks.extend(
            _spawn(self._check_forever(id_, watch, checker)) for checker in watch.checkers
        )
        self._watches[id_] = watch

    def _end(self, id_: str) -> None:
        for task in self._watches.pop(id_).tasks:
            task.cancel()

    async def _check_forever(self, id_: str, watch: _Watch, checker: _Checker) -> None:
        """One checker's life: a check each request interval, from a phase of its own."""
        interval = watch.config.request_interval
        await self._clock.sleep(self._rng.uniform(0, interval))
        due = self._clock.now()
        while True:
            result = await self._check(watch.config)
            checker.note(result, watch.config.failure_threshold, self._clock.now())
            self._tell(id_)
            # A check that took longer is followed by the next, not by two
            due = max(due + interval, self._clock.now())
            await self._clock.sleep(due - self._clock.now())

    async def _check(self, config: HealthCheckConfig) -> CheckResult:
        limits = wall_limits(config, self._clock.speed)
        try:
            address = (
                config.ip_address
                or resolver.addresses(self._authority, self._control_plane, config.fqdn)[0]
            )
        except resolver.ResolutionFailed as error:
            attempt = Attempt(failure=f"DNS resolution failed: {error}")
        else:
            attempt = await self._dial(config, address, limits)
        return judge_check(config, attempt, limits)

    def _tell(self, id_: str) -> None:
        """Let `on_change` know when the verdict has turned. A health check's first verdict is no
        change, nor is its end.
        """
        if id_ not in self._control_plane.health_checks():
            return
        healthy = self.is_healthy(id_)
        before = self._told.get(id_)
        self._told[id_] = healthy
        if self._on_change is not None and before is not None and before != healthy:
            self._on_change(HealthChanged(id_, healthy, self._clock.now()))


def _spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task whose failure is reported at once: an endless one is awaited by nobody, and silence
    would read as healthy.
    """
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        context = {"message": "a health checker died", "exception": error, "task": task}
        task.get_loop().call_exception_handler(context)
