"""Runs a drill: steady state, fault, failover, restore, failback.

Every observation is emitted as an event. The judge (core/drill/judge.py) decides afterwards.

On a stage with a manual failback, traffic has to stay at the secondary after the restore. After an
automatic failover the function in the standby region holds the switch for that. While a drill's
record exists the function holds nothing, so that it never takes a drill for a failure. So the drill
holds the switch itself, sees that traffic stays, and releases it: the explicit failback.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from deploytool.core.drill.bounds import expected_movements, switch_time
from deploytool.core.drill.history import (
    SCHEMA_VERSION,
    SWITCH_AFTER_FAILOVER,
    SWITCH_BY_FAULT,
    DrillAborted,
    DrillEnded,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    PhaseBegan,
    SwitchHeld,
    SwitchReleased,
    SwitchReleasing,
)
from deploytool.core.drill.live_state import LiveState
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import DeploytoolError, Interrupted
from deploytool.core.ports import Interrupts, NoInterrupts
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.timing import LONGEST_PROPAGATION
from deploytool.core.service.service import MANUAL, Service
from deploytool.work.drill.faults import Fault, make_fault
from deploytool.work.drill.faults.switch import restore_switch
from deploytool.work.drill.observers import Emit, Observers
from deploytool.work.drill.preflight import preflight
from deploytool.work.drill.safety import RecordWatch, Safety
from deploytool.work.drill.switch import RepeatedMetric, hold, note_arrival
from deploytool.work.drill.view import View
from deploytool.work.elapsed import ElapsedClock

# At most so many seconds pass until the end of a phase is noticed
POLL_SECONDS = 1.0
# The drill stops when this share of the secondary's last requests failed: it would do harm
STOP_AT_SHARE = 0.5
# A probe is late from so many seconds of wall time on. Less is usual on a machine with other work
LATE_SECONDS = 0.5
# How often a restore is tried when AWS refuses it, and the seconds between two attempts
RESTORE_ATTEMPTS = 10
RESTORE_PAUSE = 3.0


@dataclass(frozen=True)
class DrillContext:
    """What the caller tells a drill about the run.

    `tool` is our version, `wall_time` the time of day (ISO 8601), `holder` who runs the drill and
    on which host. Without `with_guard` the dead-man's switch is left out. A drill looks at
    `interrupts` where it may end. Between the injection and the verified restore that is only while
    it waits, so no request to stop can cut a call that injects or restores.
    """

    tool: str
    wall_time: str
    target: str
    speed: float
    holder: str = ""
    with_guard: bool = True
    interrupts: Interrupts = field(default_factory=NoInterrupts)


class _Aborted(Exception):
    """The drill cannot go on."""


class StillInForce(DeploytoolError):
    """What the drill changed could not be undone. Its record and its guard remain."""

    def __init__(self, error: DeploytoolError, selector: str, guarded_until: str) -> None:
        message = f"what the drill changed is still in force, for its restore failed: {error}"
        hint = f"deploytool restore {selector} undoes it, from any machine"
        if guarded_until:
            hint += f"; if nobody does, the guard undoes it at {guarded_until}"
        if error.hint:
            hint = f"{error.hint}; then {hint}"
        super().__init__(message, hint=hint)
        self.exit_code = error.exit_code


class NotCleanedUp(DeploytoolError):
    """Everything is restored, but the drill's record or its guard could not be deleted."""

    def __init__(self, error: DeploytoolError, selector: str, cause: BaseException | None) -> None:
        message = f"the drill's record or its guard could not be deleted: {error}"
        if cause is not None and str(cause):
            message = f"{cause}; {message}"
        hint = f"nothing is broken any more; deploytool restore {selector} deletes them"
        super().__init__(message, hint=hint)
        self.exit_code = error.exit_code


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
        self.ports = ports
        self.service = service
        self.fault = fault
        self.context = context
        self.clock = ElapsedClock(ports.probes.clock)
        self.health_check = ports.health_checks.get(service.health_check_id)
        self.scenario = _at_the_rate_of_checks(scenario, self.health_check)
        self.servers = tuple(ports.probes.hosted_zones.name_servers(service.hosted_zone_id))
        live_state = LiveState(self.health_check.config, scenario.lasting)
        dns_lanes = len(self.servers) + len(ports.probes.resolvers)
        self.view = View(service, live_state, dns_lanes)
        # A check without an answer takes as long as its time limit, which a target may extend
        self.attempt = max(fault.attempt, ports.shortest_limit) if fault.attempt else 0.0
        self.switch = _use_of_switch(service, fault)
        self.holds_switch = self.switch == SWITCH_AFTER_FAILOVER
        expected = expected_movements(
            self.health_check.config,
            by_inverting=fault.by_inverting,
            attempt=self.attempt,
            switch=self.switch,
        )
        self.patience_for_steady_state = 1.5 * expected.failover.total + 30.0
        self.patience = scenario.patience_for(expected.failover)
        self.patience_back = scenario.patience_for(expected.failback)
        self.safety = Safety(
            ports,
            service,
            fault,
            context.holder,
            with_guard=context.with_guard,
            switch_steps=(restore_switch(service),) if self.holds_switch else (),
        )
        # Whether clients depend on the secondary
        self.away = False
        # Whether the drill has held the switch after the failover
        self.held = False
        self._listener = emit
        self._lock = threading.RLock()
        self._over = False
        # An error of the listener in another thread
        self._failure: Exception | None = None
        self.observers = Observers(
            ports,
            self.clock,
            service,
            self.scenario,
            self.servers,
            self._emit_observation,
            tolerance=LATE_SECONDS * context.speed,
        )
        self.metric = RepeatedMetric(ports, self.clock, self._emit_observation)
        self.record_watch = RecordWatch(ports, self.clock, self.safety.id)

    def emit(self, event: Event) -> None:
        """Pass an event on, one at a time: the probes emit from their own threads.

        Events after the end of the drill are dropped.
        """
        with self._lock:
            if self._over:
                return
            self._over = isinstance(event, DrillAborted | DrillEnded)
            self.view.observe(event)
            self._listener(event)

    def _emit_observation(self, event: Event) -> None:
        """Pass on an event from beside the drill, and let the drill end with the listener's error.

        The listener writes the history. A drill without one proves nothing.
        """
        try:
            self.emit(event)
        except Exception as error:  # noqa: BLE001  # `_observe` raises it where the drill may end
            self._failure = self._failure or error

    def run(self, objectives: Objectives) -> None:
        """Run all phases. The guard is told how long they take at most."""
        try:
            self._stop_when_asked()
            self.safety.begin(self.context.wall_time, self._longest() / self.context.speed)
            self.record_watch.start()
            self.emit(self._started(objectives))
            self._steady_state()
            self._move_away()
            self._failback()
        except _Aborted as error:
            self._end(DrillAborted(self.clock.now(), str(error)))
        except BaseException as error:
            reason = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
            self._end(DrillAborted(self.clock.now(), reason), error)
            raise
        else:
            self._end(DrillEnded(self.clock.now()))

    def _end(self, last: Event, cause: BaseException | None = None) -> None:
        """Clean up, and emit the last event whether or not that succeeds.

        Raises NotCleanedUp, which names the cause of the end too.
        """
        self.observers.close()
        try:
            self.safety.clear()
        except DeploytoolError as error:
            raise NotCleanedUp(error, self.service.selector, cause) from error
        finally:
            self.emit(last)

    def _longest(self) -> float:
        """Return how long the drill takes at most, in seconds of the target's clock."""
        longest = self.patience_for_steady_state + self.patience + self.scenario.hold
        longest += self.patience_back
        if self.holds_switch:
            longest += self._seconds_to_hold() + self.patience + self._seconds_to_stay()
        return longest

    def _seconds_to_hold(self) -> float:
        """Return how long it takes at most until the switch holds."""
        return switch_time(held=True).dns

    def _seconds_to_stay(self) -> float:
        """Return how long the drill sees that traffic stays, once the primary is healthy.

        A shorter time would show nothing: AWS does not say how long the verdict takes to reach the
        name servers. The hold covers the time between two readings of the health check.
        """
        reading = self.scenario.health_interval
        return LONGEST_PROPAGATION + max(self.scenario.hold, reading)

    def _started(self, objectives: Objectives) -> DrillStarted:
        service = self.service
        context = self.context
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
            name_servers=tuple(server.name for server in self.servers),
            resolvers=tuple(resolver.name for resolver in self.ports.probes.resolvers),
            monotonic=self.clock.start / context.speed,
            drill_id=self.safety.id,
            switch=self.switch,
        )

    def _move_away(self) -> None:
        """Let traffic move to the secondary, stay there where it should, and be free to return."""
        try:
            self._failover()
            if self.held:
                self._stay()
        finally:
            self.away = False
            # Also when the switch was not held: the record tells the function in the standby region
            # that traffic which has not returned yet is returning
            if self.holds_switch:
                self._release()

    def _failover(self) -> None:
        """Inject the fault, watch the failover, and restore whatever happens."""
        self.safety.require_record()
        try:
            self.safety.expect_fault()
            self.emit(FaultInjecting(self.clock.now(), self.fault.name))
            self.fault.inject()
            self.away = True
            self.emit(FaultInjected(self.clock.now()))
            if self.fault.by_switch:
                self.metric.start()
            moved = self._watch(
                "failover", lambda: self.view.serves(self.service.secondary), self.patience
            )
            if moved:
                self._observe(lambda: False, self.scenario.hold)
                if self.holds_switch:
                    self._hold()
        finally:
            self._restore()

    def _failback(self) -> None:
        """Wait until traffic is at the primary again."""
        moved = self._watch(
            "failback", lambda: self.view.serves(self.service.primary), self.patience_back
        )
        if moved and self.switch:
            note_arrival(self.ports)

    def _hold(self) -> None:
        """Hold the switch, as the function in the standby region does after a failure.

        The fault stays in force until the switch holds. Otherwise traffic might return before.
        """
        hold(self.ports, "a drill: traffic stays, as after an automatic failover")
        self.held = True
        self.metric.start()
        self.emit(SwitchHeld(self.clock.now()))
        self._watch("holding", lambda: False, self._seconds_to_hold())

    def _stay(self) -> None:
        """See that traffic stays at the secondary although the primary is healthy again."""
        if self._watch("staying", self.view.primary_is_healthy, self.patience):
            self._observe(lambda: False, self._seconds_to_stay())

    def _restore(self) -> None:
        """Undo the fault and verify that."""
        self._undo(
            FaultRestoring(self.clock.now()),
            self.safety.restore,
            lambda verified: FaultRestored(self.clock.now(), verified=verified),
        )

    def _release(self) -> None:
        """Release the switch and verify that: the explicit failback."""
        self._undo(
            SwitchReleasing(self.clock.now()),
            self.safety.release,
            lambda verified: SwitchReleased(self.clock.now(), verified=verified),
        )

    def _undo(
        self, before: Event, undo: Callable[[], bool], after: Callable[[bool], Event]
    ) -> None:
        """Undo something, between two events.

        An error of the listener meanwhile is raised after it. Raises StillInForce when AWS refused
        every attempt.
        """
        verified = False
        try:
            self.emit(before)
        finally:
            try:
                verified = self._repeated(undo)
            finally:
                self.emit(after(verified))

    def _repeated(self, undo: Callable[[], bool]) -> bool:
        """Undo, and again when AWS refuses it or returns other values. Return True.

        Raises StillInForce after the last attempt.
        """
        for _ in range(RESTORE_ATTEMPTS - 1):
            try:
                if undo():
                    return True
            except DeploytoolError:
                pass  # the last attempt tells
            self.ports.probes.clock.sleep(RESTORE_PAUSE)
        selector, until = self.service.selector, self.safety.guarded_until
        try:
            if undo():
                return True
        except DeploytoolError as error:
            raise StillInForce(error, selector, until) from error
        differs = DeploytoolError("AWS returns other values than those that were written")
        raise StillInForce(differs, selector, until)

    def _steady_state(self) -> None:
        """Wait for the steady state. Raises _Aborted when there is none, before the injection."""

        def steady() -> bool:
            return self.view.serves(self.service.primary) and self.view.standby_serves()

        patience = self.patience_for_steady_state
        if not self._watch("steady-state", steady, patience):
            raise _Aborted(
                f"no steady state within {patience:.0f} s, nothing was injected:"
                f" {self.view.complaint()}"
            )
        self._stop_when_asked()

    def _watch(self, phase: str, done: Callable[[], bool], patience: float) -> bool:
        """Observe a phase until it is done or the patience is over. Return whether it is done."""
        self.emit(PhaseBegan(self.clock.now(), phase))
        return self._observe(done, patience)

    def _observe(self, done: Callable[[], bool], seconds: float) -> bool:
        """Send probes until `done` or until `seconds` have passed. Return whether it is done."""
        deadline = self.clock.now() + seconds
        self.observers.resume()
        while not done():
            if self.clock.now() >= deadline:
                return False
            self.clock.sleep(min(self.observers.tick(), POLL_SECONDS))
            self.metric.tick()
            self.record_watch.tick()
            self._stop_when_asked()
            self._stop_when_the_record_is_gone()
            if self._failure is not None:
                raise self._failure
            self._stop_when_the_secondary_fails()
        return True

    def _stop_when_asked(self) -> None:
        """Raise Interrupted when the user or the system has asked to stop."""
        if self.context.interrupts.count():
            raise Interrupted("interrupted")

    def _stop_when_the_record_is_gone(self) -> None:
        """Raise _Aborted when somebody else has ended the drill."""
        if self.record_watch.is_gone:
            raise _Aborted(
                f"deploytool restore {self.service.selector} or the guard has ended it:"
                " its record is gone"
            )

    def _stop_when_the_secondary_fails(self) -> None:
        """Raise _Aborted when half of the secondary's answers are errors.

        Only while clients depend on the secondary: the fault is in force, or the switch held.
        """
        share = self.view.failed_share(self.service.secondary)
        if self.away and share >= STOP_AT_SHARE:
            raise _Aborted(
                f"the secondary, {self.service.secondary}, failed {share:.0%} of its last requests"
            )


def _at_the_rate_of_checks(scenario: Scenario, health_check: HealthCheck) -> Scenario:
    """Return the scenario with readings of the health check not closer than its checks.

    GetHealthCheckStatus gives each checker's last result, so that a closer reading shows nothing
    new. It is limited to one call a second and account (Developer Guide, "Throttling of API
    requests"): readings of two drills at once, or of a person at the console, would be throttled.
    """
    interval = max(scenario.health_interval, health_check.config.request_interval)
    return replace(scenario, health_interval=interval)


def _use_of_switch(service: Service, fault: Fault) -> str:
    """Return how a drill uses the stage's switch, as `DrillStarted` has it."""
    if fault.by_switch:
        return SWITCH_BY_FAULT
    if service.failback == MANUAL and service.switch_health_check_id:
        return SWITCH_AFTER_FAILOVER
    return ""


def run_drill(
    ports: DrillPorts,
    service: Service,
    scenario: Scenario,
    objectives: Objectives,
    context: DrillContext,
    emit: Emit,
    refuse: Callable[[DrillPorts, Service], None] = preflight,
) -> None:
    """Run a drill and emit its events, one at a time. The fault is undone whatever happens.

    Raises DrillRefused when the drill would do harm (nothing was touched), Interrupted when it was
    asked to stop (the fault is undone by then), NotCleanedUp when only its record or its guard
    remain, StillInForce when the restore failed. `refuse` raises the first of these; by default it is
    that of a stage.
    """
    fault = make_fault(scenario.fault, ports, service)
    refuse(ports, service)
    _Drill(ports, service, scenario, fault, context, emit).run(objectives)
