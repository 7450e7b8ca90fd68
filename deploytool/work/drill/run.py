"""Runs a drill: steady state, fault, failover, restore, failback; everything observed is emitted,
and judged elsewhere.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from deploytool.core.drill.history import (
    FRESH,
    SCHEMA_VERSION,
    DrillAborted,
    DrillEnded,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    PhaseBegan,
    region_lane,
)
from deploytool.core.drill.live_state import LiveState
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.preflight import reasons_to_refuse
from deploytool.core.drill.record import DrillUnderWay
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import DeploytoolError, DrillRefused
from deploytool.core.ports import Clock
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.route53.timing import expected_failover
from deploytool.core.service.service import Service
from deploytool.work.check import check
from deploytool.work.drill.faults import Fault, make_fault
from deploytool.work.drill.observers import Emit, Observers
from deploytool.work.drill.safety import Safety

LONGEST_NAP = 1.0  # seconds between two looks at whether a phase has reached its end
# Of the secondary's last requests that failed: the drill does more harm than it proves
STOP_AT_SHARE = 0.5
# How often restoring is tried when AWS refuses, and the seconds between
RESTORE_ATTEMPTS, RESTORE_PAUSE = 10, 3.0


@dataclass(frozen=True)
class DrillContext:
    """What the drill itself does not know: our version, the time of day (ISO 8601), the target, who
    runs it and where.

    `with_guard` false leaves out the dead-man's switch.
    """

    tool: str
    wall_time: str
    target: str
    speed: float
    holder: str = ""
    with_guard: bool = True


class _Aborted(Exception):
    """A phase did not reach its end."""


class _Since:
    """A clock that begins at zero."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.start = clock, clock.now()

    def now(self) -> float:
        return self._clock.now() - self.start

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


class _Drill:
    def __init__(
        self,
        ports: DrillPorts,
        service: Service,
        scenario: Scenario,
        fault: Fault,
        context: DrillContext,
        emit: Emit,
    ) -> None:
        self.ports, self.service, self.scenario, self.fault, self.context = (
            ports,
            service,
            scenario,
            fault,
            context,
        )
        self.clock, self.injected = _Since(ports.probes.clock), False
        self.health_check = ports.health_checks.get(service.health_check_id)
        self.servers = tuple(ports.probes.hosted_zones.name_servers(service.hosted_zone_id))
        self.live_state = LiveState(self.health_check.config, scenario.lasting)
        # A check that meets silence ends with its time limit, which the target may have stretched.
        self.attempt = max(fault.attempt, ports.shortest_limit) if fault.attempt else 0.0
        config = self.health_check.config
        self.patience = scenario.patience_for(
            expected_failover(config, by_inverting=fault.by_inverting, attempt=self.attempt)
        )
        self.safety = Safety(ports, service, fault, context.holder, with_guard=context.with_guard)
        self._listener, self._lock, self._over = emit, threading.RLock(), False
        self.observers = Observers(ports, self.clock, service, scenario, self.servers, self.emit)

    def emit(self, event: Event) -> None:
        """Pass an event on; probes emit from threads of their own, so one at a time. What comes
        after the end is left out.
        """
        with self._lock:
            if self._over:
                return
            self._over = isinstance(event, DrillAborted | DrillEnded)
            self.live_state.observe(event)
            self._listener(event)

    def run(self, objectives: Objectives) -> None:
        # How long its phases can take at the most, in seconds of wall time.
        seconds = (3 * self.patience + self.scenario.hold) / self.context.speed
        try:
            self.safety.begin(self.context.wall_time, seconds)
            self.emit(self._started(objectives))
            self._phase(
                "steady-state",
                lambda: self._serves(self.service.primary) and self._standby_serves(),
            )
            self._failover()
            self._phase("failback", lambda: self._serves(self.service.primary))
        except _Aborted as error:
            self.emit(DrillAborted(self.clock.now(), str(error)))
        except BaseException as error:
            self.emit(
                DrillAborted(
                    self.clock.now(),
                    "interrupted" if isinstance(error, KeyboardInterrupt) else str(error),
                )
            )
            raise
        else:
            self.emit(DrillEnded(self.clock.now()))
        finally:
            self.observers.close()
            self.safety.clear()

    def _started(self, objectives: Objectives) -> DrillStarted:
        service, context = self.service, self.context
        return DrillStarted(
            at=self.clock.now(),
            schema_version=SCHEMA_VERSION,
            tool=context.tool,
            wall_time=context.wall_time,
            target=context.target,
            speed=context.speed,
            stage=service.stage,
            domain=service.domain,
            path=service.path,
            primary=service.primary,
            secondary=service.secondary,
            by_inverting=self.fault.by_inverting,
            attempt=self.attempt,
            scenario=self.scenario,
            objectives=objectives,
            health_check=self.health_check,
            name_servers=tuple(each.name for each in self.servers),
            resolvers=tuple(each.name for each in self.ports.probes.resolvers),
            monotonic=self.clock.start / context.speed,
        )

    def _failover(self) -> None:
        """Inject, watch, restore: what stands in `finally` runs whatever happens."""
        try:
            self.safety.expect_fault()
            self.emit(FaultInjecting(self.clock.now(), self.fault.name))
            self.fault.inject()
            self.injected = True
            self.emit(FaultInjected(self.clock.now()))
            if self._watched("failover", lambda: self._serves(self.service.secondary)):
                self._observe(lambda: False, self.scenario.hold)
        finally:
            self.injected = False
            self._restore()

    def _restore(self) -> None:
        """Restore and verify. An interrupt or a listener's failure that comes just now is raised
        once that is done.
        """
        verified = False
        try:
            self.emit(FaultRestoring(self.clock.now()))
        finally:
            try:
                verified = self._undone()
            except KeyboardInterrupt:
                verified = self._undone()
                raise
            finally:
                self.emit(FaultRestored(self.clock.now(), verified=verified))

    def _undone(self) -> bool:
        """Undo the fault, and read that back. Raises DeploytoolError when AWS refused to the
        end.
        """
        for _ in range(RESTORE_ATTEMPTS - 1):
            try:
                return self.safety.restore()
            except DeploytoolError:
                self.ports.probes.clock.sleep(RESTORE_PAUSE)
        return self.safety.restore()

    def _phase(self, name: str, done: Callable[[], bool]) -> None:
        """Raises _Aborted when the phase does not reach its end and nothing is left to observe."""
        if not self._watched(name, done) and name == "steady-state":
            raise _Aborted(
                f"no steady state within {self.patience:.0f} s, nothing was injected: {self._complaint()}"
            )

    def _watched(self, name: str, done: Callable[[], bool]) -> bool:
        self.emit(PhaseBegan(self.clock.now(), name))
        return self._observe(done, self.patience)

    def _observe(self, done: Callable[[], bool], seconds: float) -> bool:
        """Probe until it is done or `seconds` have passed; whether it is done."""
        deadline = self.clock.now() + seconds
        while not (reached := done()) and self.clock.now() < deadline:
            self.ports.probes.clock.sleep(min(self.observers.tick(), LONGEST_NAP))
            self._stop_when_the_secondary_fails()
        return reached

    def _stop_when_the_secondary_fails(self) -> None:
        """While the fault is in force clients depend on the secondary. Raises _Aborted when half of
        its answers are no good.
        """
        with self._lock:
            share = self.live_state.failed_share(region_lane(self.service.secondary))
        if self.injected and share >= STOP_AT_SHARE:
            raise _Aborted(
                f"the secondary, {self.service.secondary}, failed {share:.0%} of its last requests"
            )

    def _serves(self, region: str) -> bool:
        """Whether every name server and resolver answers with the region, and the fresh client is
        lastingly served by it.
        """
        with self._lock:
            answered = self.live_state.answered()
            lanes = len(self.servers) + len(self.ports.probes.resolvers)
            everywhere = len(answered) == lanes and set(answered.values()) == {region}
            return everywhere and self.live_state.served_by(FRESH) == region

    def _standby_serves(self) -> bool:
        """Whether the secondary's own endpoint answers, and the health check is well: without these
        a drill would do harm.
        """
        with self._lock:
            last = self.live_state.last_served(region_lane(self.service.secondary))
            serves = last is not None and last.good and last.region == self.service.secondary
            healthy, checkers = self.live_state.health.checkers
            return serves and checkers > 0 and healthy == checkers

    def _complaint(self) -> str:
        """Why there is no steady state."""
        with self._lock:
            said = self.live_state.failures()
            healthy, checkers = self.live_state.health.checkers
            elsewhere = sorted(
                {str(each) for each in self.live_state.answered().values()} - {self.service.primary}
            )
        if healthy < checkers or not checkers:
            said.append(f"{healthy} of {checkers} health checkers say healthy")
        if elsewhere and not said:
            said.append(f"DNS answers with {' and '.join(elsewhere)}")
        return "; ".join(said) or "requests were not served lastingly by the primary"


def preflight(ports: DrillPorts, service: Service) -> None:
    """Raises DrillRefused with every reason for which a drill would prove nothing or do harm;
    nothing is touched.
    """
    if record := ports.records.read():
        raise DrillUnderWay(record)
    health_check = ports.health_checks.get(service.health_check_id)
    records = ports.probes.hosted_zones.records(service.hosted_zone_id, service.domain)
    reasons = reasons_to_refuse(service, health_check, records, check(ports.probes, service))
    if reasons:
        hint = f"deploytool check --stage {service.stage} shows who answers; deploytool deploy mends what is not as deployed"
        if health_check.config.inverted:
            hint = f"deploytool restore --stage {service.stage} puts it right"
        raise DrillRefused("\n".join(("the drill was not begun:", *reasons)), hint=hint)


def run_drill(
    ports: DrillPorts,
    service: Service,
    scenario: Scenario,
    objectives: Objectives,
    context: DrillContext,
    emit: Emit,
) -> None:
    """Run a drill; what happened is emitted, one event at a time. What it injected is restored
    whatever happens.

    Raises DrillRefused when it would do harm and nothing was touched, KeyboardInterrupt when it was
    interrupted (restored then), DeploytoolError when restoring failed.
    """
    fault = make_fault(scenario.fault, ports, service)
    preflight(ports, service)
    _Drill(ports, service, scenario, fault, context, emit).run(objectives)
