"""Moves traffic by the switch, and waits until it has arrived.

First the record of the switch is written, then its metric: the function in the standby region
repeats the metric from the record every minute. So a command that is killed in between has moved
the switch all the same, and running it again goes on.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from deploytool.core.errors import (
    ApiUnavailable,
    CloudRefused,
    DeploytoolError,
    Interrupted,
    Throttled,
)
from deploytool.core.failover.direction import (
    Direction,
    Person,
    arrived,
    check_not_superseded,
    is_set,
    wanted,
)
from deploytool.core.failover.events import (
    ClientServed,
    Event,
    MetricPut,
    MoveStarted,
    NameServerAnswered,
    SwitchSet,
    Warned,
)
from deploytool.core.failover.move import Move, Phase
from deploytool.core.failover.records import StandbyRecord, SwitchRecord
from deploytool.core.route53.timing import SwitchTime
from deploytool.work.elapsed import ElapsedClock
from deploytool.work.failover.ports import MovePorts
from deploytool.work.failover.probes import Probes

Emit = Callable[[Event], None]


@dataclass(frozen=True)
class MoveSettings:
    """How a movement is observed, in seconds of the target's clock.

    `interval` lies between two probes of a kind, `repeat` between two data points of the metric.
    `timeout` is how long it may take.
    """

    interval: float = 1.0
    repeat: float = 20.0
    timeout: float = 600.0


@dataclass(frozen=True)
class Moved:
    """The end of a movement.

    `record` is the switch as it stands, None when it was never used and nothing had to move.
    `already`: the switch stood so before. `problem` says why traffic has not arrived; it is empty
    when it has.
    """

    direction: Direction
    standby: StandbyRecord
    record: SwitchRecord | None
    already: bool
    move: Move
    expected: SwitchTime
    problem: str = ""


def move(
    ports: MovePorts,
    standby: StandbyRecord,
    direction: Direction,
    person: Person,
    settings: MoveSettings,
    expected: SwitchTime,
    emit: Emit,
) -> Moved:
    """Move a stage's traffic, wait until it has arrived, and return how that ended.

    Raises DeploytoolError when someone moves the switch the other way meanwhile, ApiUnavailable
    when the API of the standby region does not answer, Interrupted after Ctrl-C.
    """
    mover = _Mover(ports, standby, direction, person, settings, expected, emit)
    try:
        return mover.run()
    except KeyboardInterrupt:
        raise mover.interrupted() from None
    except ApiUnavailable as error:
        hint = f"deploytool {direction} --stage {standby.stage} goes on where this one ended"
        raise ApiUnavailable(str(error), error.region, hint=hint) from error


class _Mover:
    def __init__(
        self,
        ports: MovePorts,
        standby: StandbyRecord,
        direction: Direction,
        person: Person,
        settings: MoveSettings,
        expected: SwitchTime,
        emit: Emit,
    ) -> None:
        self._ports = ports
        self._standby = standby
        self._direction = direction
        self._person = person
        self._settings = settings
        self._expected = expected
        self._emit = emit
        self._destination = direction.destination(standby)
        self._clock = ElapsedClock(ports.clock)
        self._move = Move.begin(self._destination, standby.name_servers)
        self._record: SwitchRecord | None = None
        self._is_writing = False
        self._next_put = 0.0
        self._put: Future[MetricPut] | None = None
        self._deployer: Future[str] | None = None

    def run(self) -> Moved:
        self._emit(self._started())
        if self._ports.deployments is not None:
            self._deployer = self._ports.executor.submit(self._ports.deployments.describe)
        self._warn_of_a_drill()
        before = self._ports.records.read(SwitchRecord)
        if self._is_done_already(before):
            already = True
            self._record = before
        else:
            already = is_set(self._direction, before)
            self._set(wanted(self._direction, before, self._person), already=already)
        problem = self._wait()
        if not problem and not self._direction.holds:
            self._note_arrival()
        return Moved(
            direction=self._direction,
            standby=self._standby,
            record=self._record,
            already=already,
            move=self._move,
            expected=self._expected,
            problem=problem,
        )

    def _started(self) -> MoveStarted:
        return MoveStarted(
            at=self._clock.now(),
            direction=self._direction,
            stage=self._standby.stage,
            domain=self._standby.domain,
            destination=self._destination,
            name_servers=self._standby.name_servers,
            expected=self._expected,
        )

    def _warn_of_a_drill(self) -> None:
        """Warn when a drill is under way, or when that cannot be told. Neither is a reason to stop."""
        try:
            drill = self._ports.drills.read()
        except DeploytoolError as error:
            message = f"cannot tell whether a drill is under way: {error}"
        else:
            if drill is None:
                return
            message = (
                f"a drill ({drill.fault}) is under way since {drill.started}, by {drill.holder}, or"
                " did not finish: its end moves traffic too;"
                f" deploytool restore --stage {drill.stage} ends it"
            )
        self._emit(Warned(self._clock.now(), message))

    def _warn_of_a_deployment(self) -> None:
        """Warn when the stage is being deployed, once that is known. The switch does not wait for it."""
        if self._deployer is None or not self._deployer.done():
            return
        error = self._deployer.exception()
        if isinstance(error, DeploytoolError):
            message = f"cannot tell whether the stage is being deployed: {error}"
        elif self._deployer.result():
            message = (
                f"the stage is being deployed by {self._deployer.result()}, which changes a region"
                f" that may have to serve; deploytool status --stage {self._standby.stage} shows it"
            )
        else:
            message = ""
        self._deployer = None
        if message:
            self._emit(Warned(self._clock.now(), message))

    def _is_done_already(self, record: SwitchRecord | None) -> bool:
        """Return whether a failback finds the switch released and the traffic at the primary."""
        if self._direction.holds:
            return False
        if record is not None and (record.held or record.returning):
            return False
        answers = self._probes().look()
        before = self._move
        for answer in answers:
            before = before.observe(answer)
        return before.has_nothing_to_move

    def _probes(self) -> Probes:
        return Probes(self._ports, self._standby, self._clock, self._settings.interval)

    def _set(self, record: SwitchRecord, *, already: bool) -> None:
        """Set the switch: its record, then its metric. The seconds of the movement begin here."""
        self._clock = ElapsedClock(self._ports.clock)
        if not already:
            self._is_writing = True
            self._ports.records.write(record)
        self._is_writing = False
        self._record = record
        self._emit(SwitchSet(self._clock.now(), record, already))

        failure = ""
        try:
            self._ports.metric.put(held=record.held)
        except Throttled as error:
            # The switch stands, and `_wait` puts the metric again
            failure = str(error)
        self._emit(MetricPut(self._clock.now(), record.held, failure))
        self._next_put = self._clock.now() + (0.0 if failure else self._settings.repeat)

    def _wait(self) -> str:
        """Observe until traffic has arrived. Return why it has not when the time is over."""
        probes = self._probes()
        deadline = self._clock.now() + self._settings.timeout
        while True:
            self._warn_of_a_deployment()
            for observation in probes.tick():
                self._observe(observation)
            if self._move.phase is Phase.DONE:
                return ""
            if self._clock.now() >= deadline:
                return self._move.complaint()
            self._repeat_metric()
            self._clock.sleep(self._settings.interval / 2)

    def _observe(self, observation: NameServerAnswered | ClientServed) -> None:
        self._move = self._move.observe(observation)
        self._emit(observation)

    def _repeat_metric(self) -> None:
        """Put the metric again now and then, beside the probes: one data point may be lost.

        Raises DeploytoolError when the switch was moved the other way meanwhile.
        """
        now = self._clock.now()
        if self._put is None and self._record is not None and now >= self._next_put:
            self._put = self._ports.executor.submit(self._put_again)
        if self._put is not None and self._put.done():
            put = self._put.result()
            self._put = None
            self._next_put = now + self._settings.repeat
            self._emit(put)

    def _put_again(self) -> MetricPut:
        """Put what this command wants, if the record still says so."""
        held = self._direction.holds
        failure = ""
        try:
            self._check_not_superseded()
            self._ports.metric.put(held=held)
        except (ApiUnavailable, CloudRefused) as error:
            # The switch stands: Route 53 keeps the last known status, and the function in the
            # standby region repeats the metric
            failure = str(error)
        return MetricPut(self._clock.now(), held, failure)

    def _check_not_superseded(self) -> SwitchRecord | None:
        """Return the record. Raises DeploytoolError when someone moved the switch the other way.

        The function in the standby region may write over a record for a moment, and take that back
        (lambda/switch/parameters.py). So a second look decides.
        """
        record = self._ports.records.read(SwitchRecord)
        if record is None or record.held is not self._direction.holds:
            self._clock.sleep(self._settings.interval)
            record = self._ports.records.read(SwitchRecord)
        check_not_superseded(self._direction, record)
        return record

    def _note_arrival(self) -> None:
        """Write down that the primary serves again; the function may have done so already.

        The function in the standby region does so within a minute when this fails. So that is told,
        and the movement has ended well.
        """
        if self._record is None:
            return
        try:
            record = self._check_not_superseded()
            if record is not None and record.returning:
                record = arrived(record)
                self._ports.records.write(record)
        except (ApiUnavailable, CloudRefused) as error:
            message = f"that traffic has arrived was not noted in the standby region: {error}"
            self._emit(Warned(self._clock.now(), message))
            return
        self._record = record

    def interrupted(self) -> Interrupted:
        """Return the error that says how the switch stands, and how to go on or back."""
        direction = self._direction
        stage = self._standby.stage
        if self._is_writing:
            return Interrupted(
                "interrupted while the switch was written",
                hint=f"deploytool status --stage {stage} tells how it stands",
            )
        if self._record is None:
            return Interrupted("interrupted; nothing was changed")

        state = "set" if direction.holds else "released"
        return Interrupted(
            f"interrupted; the switch stays {state}, and traffic goes on moving"
            f" to {self._destination}",
            hint=f"deploytool {direction} --stage {stage} goes on waiting;"
            f" deploytool {direction.opposite} --stage {stage} moves it back",
        )
