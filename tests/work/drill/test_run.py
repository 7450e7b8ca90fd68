"""Whole drills in the simulated world: their result, what they restore, and how they fail."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploytool.core.drill.checkers import Verdict
from deploytool.core.drill.history import (
    DrillAborted,
    DrillEnded,
    DrillStarted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    HealthSeen,
    parse_history,
    to_line,
)
from deploytool.core.drill.judge import Judgement, judge
from deploytool.core.drill.record import DrillRecord
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import (
    CloudRefused,
    DeploytoolError,
    DrillRefused,
    Interrupted,
    NoSuchHealthCheck,
    StaleVersion,
)
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.route53.health import CheckerObservation, CheckerState, HealthCheck
from deploytool.simulated.example import SERVICE, default_check
from deploytool.simulated.world import World
from deploytool.work.drill.faults import make_fault
from deploytool.work.drill.run import DrillContext, NotCleanedUp, StillInForce, run_drill

CONTEXT = DrillContext("0", "2026-01-01T00:00:00+00:00", "simulated", 1.0)
EAST, WEST = "us-east-1", "us-west-2"


def drill(
    world: World, scenario: Scenario | None = None, objectives: Objectives | None = None
) -> tuple[list[Event], Judgement]:
    """Run a drill. Return its events, and the judgement of the history that is written of them."""
    events: list[Event] = []
    run_drill(
        world.drill_ports(),
        world.service,
        scenario or Scenario(),
        objectives or Objectives(),
        CONTEXT,
        events.append,
    )
    lines = [to_line(event) for event in events]
    return events, judge(parse_history(lines, "history.jsonl"))


def test_unmap_is_refused_for_an_http_api() -> None:
    """Base path mappings are of version 1 of API Gateway, which has none for an HTTP API."""
    world = World()
    service = replace(world.service, http_apis={EAST: "a", WEST: "b"})
    with pytest.raises(DrillRefused, match="us-east-1 has an HTTP API"):
        make_fault("unmap", world.drill_ports(), service)
    assert make_fault("health-check", world.drill_ports(), service).calls()


def test_a_drill_moves_traffic_and_brings_it_back() -> None:
    """The secondary serves during the fault, no request fails, and the bound is kept."""
    world = World()
    events, judgement = drill(world)
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert judgement.served_by == {"before": EAST, "during": WEST, "after": EAST}

    failover = judgement.failover
    assert failover.dns is not None
    assert failover.client is not None
    assert failover.dns <= failover.client <= judgement.expected.failover.total
    assert judgement.requests.failed == 0

    assert judgement.restored
    assert not world.check.config.inverted
    kinds = [type(event) for event in events]
    assert (
        kinds.index(FaultInjecting)
        < kinds.index(FaultInjected)
        < kinds.index(FaultRestoring)
        < kinds.index(FaultRestored)
    )
    assert (kinds[0], kinds[-1]) == (DrillStarted, DrillEnded)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([10, 30]), st.integers(1, 5))
def test_a_drill_is_within_its_bound_for_any_phases(
    seed: int, interval: int, threshold: int
) -> None:
    """The bound covers the phases of the checkers, the propagation and the age of the cache."""
    config = default_check(SERVICE, interval, threshold)
    world = World(config=config, rng=random.Random(seed), propagation=(0.0, 4.0))
    _, judgement = drill(world)
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert not world.check.config.inverted


def test_an_inverted_health_check_is_refused_before_anything_is_touched() -> None:
    """A drill is under way or was killed; the error names the command that restores it."""
    world = World()
    ports = world.drill_ports()
    ports.health_checks.set_inverted("check", inverted=True, version=1)
    with pytest.raises(DrillRefused) as caught:
        drill(world)
    assert "deploytool restore --stage dev" in caught.value.hint
    assert world.check.version == 2


@pytest.mark.parametrize(
    ("region", "reason"),
    [(WEST, "us-west-2, does not serve"), (EAST, "us-east-1, already fails")],
)
def test_a_region_that_does_not_serve_is_refused_before_anything_is_touched(
    region: str, reason: str
) -> None:
    """A failover to a broken secondary is an outage; one from a broken primary proves nothing."""
    world = World()
    world.conditions[region] = "refused"
    with pytest.raises(DrillRefused, match=reason):
        drill(world)
    assert world.check.version == 1


def test_no_fault_is_injected_without_a_steady_state() -> None:
    """When the primary fails before the injection, the drill is inconclusive and says why."""
    world = World()
    world.at(0.5, lambda: world.conditions.__setitem__(EAST, 500))
    events, judgement = drill(world)
    assert not any(isinstance(event, FaultInjecting) for event in events)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "nothing was injected" in judgement.reasons[0]
    assert "0 of 11 health checkers say healthy" in judgement.reasons[0]
    assert world.check.version == 1


@pytest.mark.parametrize("kind", [FaultInjecting, FaultInjected, FaultRestoring])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, DeploytoolError("out of luck"), RuntimeError("a bug")]
)
def test_the_fault_is_undone_whatever_stops_the_drill(
    kind: type[Event], error: BaseException | type[BaseException]
) -> None:
    """After an interrupt, an error or a bug the drill restores, verifies and raises it again."""
    world = World()
    events: list[Event] = []
    raised = False

    def listen(event: Event) -> None:
        nonlocal raised
        events.append(event)
        if isinstance(event, kind) and not raised:
            raised = True
            raise error

    expected = KeyboardInterrupt if error is KeyboardInterrupt else type(error)
    with pytest.raises(expected):
        run_drill(world.drill_ports(), world.service, Scenario(), Objectives(), CONTEXT, listen)
    assert any(isinstance(event, FaultRestored) and event.verified for event in events)
    assert not world.check.config.inverted
    assert isinstance(events[-1], DrillAborted)
    assert judge(events).verdict is not Verdict.PASS


def test_restoring_is_tried_again_when_aws_refuses() -> None:
    """A throttled UpdateHealthCheck does not leave the health check inverted."""
    world = World()
    ports = world.drill_ports()
    set_inverted = ports.health_checks.set_inverted
    refusals_left = 3

    def throttled(*args: object, inverted: bool, version: int) -> object:
        nonlocal refusals_left
        if not inverted and refusals_left > 0:
            refusals_left -= 1
            raise CloudRefused("Throttling")
        return set_inverted("check", inverted=inverted, version=version)

    ports.health_checks.set_inverted = throttled  # type: ignore[method-assign,assignment]
    events: list[Event] = []
    run_drill(ports, world.service, Scenario(), Objectives(), CONTEXT, events.append)
    assert refusals_left == 0
    assert not world.check.config.inverted
    assert judge(events).verdict is Verdict.PASS


def test_an_injection_that_arrives_after_the_restore_is_refused() -> None:
    """The restore writes a new version, so the version of a late UpdateHealthCheck is stale."""
    world = World()
    ports = world.drill_ports()
    version_of_injection = ports.health_checks.get("check").version

    def cut_off(event: Event) -> None:
        if isinstance(event, FaultInjecting):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_drill(ports, world.service, Scenario(), Objectives(), CONTEXT, cut_off)
    with pytest.raises(DeploytoolError, match="version"):
        ports.health_checks.set_inverted("check", inverted=True, version=version_of_injection)


class Asked:
    """The Interrupts port: requests from the first event of a kind on, or from the start."""

    def __init__(self, kind: type[Event] | None) -> None:
        self._kind = kind
        self._count = 1 if kind is None else 0

    def observe(self, event: Event) -> None:
        if self._kind is not None and isinstance(event, self._kind):
            self._count += 1

    def count(self) -> int:
        return self._count


@pytest.mark.parametrize("kind", [DrillStarted, FaultInjecting, FaultInjected, FaultRestored])
def test_a_request_to_stop_ends_a_drill_with_everything_restored(kind: type[Event]) -> None:
    """Whenever it comes, nothing that the drill changed remains: no fault, no record, no guard."""
    world = World()
    asked = Asked(kind)
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        asked.observe(event)

    context = replace(CONTEXT, interrupts=asked)
    with pytest.raises(Interrupted):
        run_drill(world.drill_ports(), world.service, Scenario(), Objectives(), context, listen)
    assert not world.check.config.inverted
    assert (world.drill_records.record, world.guard.armed) == (None, {})
    assert isinstance(events[-1], DrillAborted)
    assert any(isinstance(event, FaultInjecting) for event in events) is (kind is not DrillStarted)


def test_a_request_to_stop_before_the_drill_begins_touches_nothing() -> None:
    """No record is written, no guard is armed, and there is no event."""
    world = World()
    events: list[Event] = []
    context = replace(CONTEXT, interrupts=Asked(None))
    with pytest.raises(Interrupted):
        run_drill(
            world.drill_ports(), world.service, Scenario(), Objectives(), context, events.append
        )
    assert world.check.version == 1
    assert not any(isinstance(event, DrillStarted) for event in events)


class Deploying:
    """The Deployments port: a deployment that begins with the nth look at it."""

    def __init__(self, nth: int) -> None:
        self._looks_left = nth

    def describe(self) -> str:
        self._looks_left -= 1
        return "them on there" if self._looks_left <= 0 else ""


@pytest.mark.parametrize("nth", [1, 2])
def test_no_drill_begins_beside_a_deployment(nth: int) -> None:
    """Not when one runs, and not when one begins between the preflight and the record."""
    world = World()
    ports = replace(world.drill_ports(), deployments=Deploying(nth))
    events: list[Event] = []
    with pytest.raises(DrillRefused, match="being deployed by them on there"):
        run_drill(ports, world.service, Scenario(), Objectives(), CONTEXT, events.append)
    assert (world.drill_records.record, world.guard.armed) == (None, {})
    assert world.check.version == 1
    assert not any(isinstance(event, DrillStarted) for event in events)


def test_a_restore_that_aws_refuses_says_what_is_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials may expire during a drill: the error names the guard's time and the command."""
    world = World()
    ports = world.drill_ports()
    set_inverted = ports.health_checks.set_inverted

    def expired(id_: str, *, inverted: bool, version: int) -> None:
        if not inverted:
            raise CloudRefused("the token has expired (ExpiredToken)", hint="aws sso login")
        set_inverted(id_, inverted=inverted, version=version)

    monkeypatch.setattr(ports.health_checks, "set_inverted", expired)
    events: list[Event] = []
    with pytest.raises(StillInForce, match=r"still in force.*ExpiredToken") as caught:
        run_drill(ports, world.service, Scenario(), Objectives(), CONTEXT, events.append)
    assert caught.value.exit_code == CloudRefused.exit_code
    assert "aws sso login; then deploytool restore --stage dev" in caught.value.hint
    assert world.drill_records.record is not None
    assert f"the guard undoes it at {world.drill_records.record.until}" in caught.value.hint
    assert world.guard.armed
    assert isinstance(events[-1], DrillAborted)


def test_a_restore_that_does_not_hold_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writes succeed, and AWS goes on returning the injected value."""
    world = World()
    ports = world.drill_ports()
    get = ports.health_checks.get

    def inverted(id_: str) -> HealthCheck:
        health_check = get(id_)
        config = health_check.config
        if health_check.version > 1:
            config = replace(config, inverted=True)
        return replace(health_check, config=config)

    monkeypatch.setattr(ports.health_checks, "get", inverted)
    events: list[Event] = []
    with pytest.raises(StillInForce, match="AWS returns other values"):
        run_drill(ports, world.service, Scenario(), Objectives(), CONTEXT, events.append)
    assert world.drill_records.record is not None
    assert world.guard.armed
    assert judge(events).verdict is Verdict.FAIL


def test_nothing_is_injected_once_somebody_has_restored() -> None:
    """`deploytool restore` deletes the record and disarms the guard of a drill that still waits."""
    world = World()
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, DrillStarted):
            world.drill_records.record = None

    with pytest.raises(DeploytoolError, match="nothing was injected: the drill's record is gone"):
        run_drill(world.drill_ports(), world.service, Scenario(), Objectives(), CONTEXT, listen)
    assert not any(isinstance(event, FaultInjecting) for event in events)
    assert world.check.version == 1


def test_a_record_that_cannot_be_deleted_takes_nothing_from_the_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The history ends as that of a drill that passed; the error says what remains."""
    world = World()

    def failing(drill_id: str) -> None:
        raise CloudRefused(f"deleting {drill_id}: throttled")

    monkeypatch.setattr(world.drill_records, "clear", failing)
    events: list[Event] = []
    with pytest.raises(NotCleanedUp, match="could not be deleted: deleting drill-") as caught:
        run_drill(
            world.drill_ports(), world.service, Scenario(), Objectives(), CONTEXT, events.append
        )
    assert "deploytool restore --stage dev deletes them" in caught.value.hint
    assert isinstance(events[-1], DrillEnded)
    assert judge(events).verdict is Verdict.PASS
    assert not world.check.config.inverted


def test_there_is_no_record_without_an_armed_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard is armed before the record is written and until it is deleted.

    So a drill that is killed at any moment is restored.
    """
    world = World()
    armed: list[bool] = []
    write = world.drill_records.write
    clear = world.drill_records.clear

    def writing(record: DrillRecord) -> None:
        armed.append(record.drill_id in world.guard.armed)
        write(record)

    def clearing(drill_id: str) -> None:
        clear(drill_id)
        armed.append(drill_id in world.guard.armed)

    monkeypatch.setattr(world.drill_records, "write", writing)
    monkeypatch.setattr(world.drill_records, "clear", clearing)
    events, _ = drill(world)
    assert armed == [True, True]
    assert (world.drill_records.record, world.guard.armed) == (None, {})
    assert isinstance(events[-1], DrillEnded)


def test_a_drill_that_sleeps_past_its_guard_injects_nothing() -> None:
    """The guard has updated the health check, so the version of the injection is stale."""
    world = World()
    events: list[Event] = []
    ports = world.drill_ports()

    def restore_like_the_guard(event: Event) -> None:
        events.append(event)
        if isinstance(event, FaultInjecting):
            version = ports.health_checks.get("check").version
            ports.health_checks.set_inverted("check", inverted=False, version=version)

    with pytest.raises(StaleVersion):
        run_drill(ports, world.service, Scenario(), Objectives(), CONTEXT, restore_like_the_guard)
    assert not world.check.config.inverted
    assert judge(events).verdict is Verdict.INCONCLUSIVE


def test_traffic_that_does_not_move_fails_the_drill() -> None:
    """When the name servers never receive the verdict, the drill fails, says so and restores."""
    world = World(propagation=(10_000.0, 10_000.0))
    _, judgement = drill(world, Scenario(patience=30.0))
    assert judgement.verdict is Verdict.FAIL
    assert "did not move to us-west-2" in judgement.reasons[0]
    assert judgement.restored


def test_an_inversion_that_takes_minutes_passes() -> None:
    """AWS publishes no number for a change of a health check, so the drill waits and notes it."""
    world = World(propagation=(200.0, 240.0))
    _, judgement = drill(world)
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert judgement.failover.propagation is not None
    assert 200 <= judgement.failover.propagation <= 245
    assert any("longer than the expected 65 s" in note for note in judgement.notes)


def test_the_patience_is_a_setting() -> None:
    """A drill that waits as long as it was told to says so in the reason."""
    world = World(propagation=(10_000.0, 10_000.0))
    _, judgement = drill(world, Scenario(patience=30.0))
    assert "in the 30 s that the drill waited" in judgement.reasons[0]


def test_one_flaky_checker_does_not_hold_up_a_drill() -> None:
    """Route 53 asks for more than 18 % of the checkers, and not for all of them."""
    world = World()
    flaky = world.checkers[0]
    flaky.state = CheckerState(healthy=False)
    flaky.passed = False
    observations = world.health_checks.observations

    def with_a_flaky_one(health_check_id: str) -> list[CheckerObservation]:
        first, *others = observations(health_check_id)
        return [replace(first, healthy=False, status="Failure"), *others]

    world.health_checks.observations = with_a_flaky_one  # type: ignore[method-assign]
    _, judgement = drill(world)
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert "1 of 11 health checkers" in judgement.notes[0]


@pytest.mark.parametrize("interval", [10, 30])
def test_the_health_check_is_read_once_an_interval(interval: int) -> None:
    """GetHealthCheckStatus takes one call a second and account, and two drills may run at once.

    A closer reading would show nothing: it has each checker's last result.
    """
    world = World(config=default_check(SERVICE, interval, 3))
    events, judgement = drill(world)
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    readings = [event.at for event in events if isinstance(event, HealthSeen)]
    assert len(readings) > 3
    assert all(after - before >= interval - 1 for before, after in pairwise(readings))


def test_a_health_check_of_a_moment_ago_is_read_again() -> None:
    """Right after its creation Route 53 may not know it yet; a deleted one ends the drill."""
    world = World()
    get = world.health_checks.get
    refusals_left = 3

    def not_yet(health_check_id: str) -> HealthCheck:
        nonlocal refusals_left
        if refusals_left > 0:
            refusals_left -= 1
            raise NoSuchHealthCheck("no health check (NoSuchHealthCheck)")
        return get(health_check_id)

    world.health_checks.get = not_yet  # type: ignore[method-assign]
    _, judgement = drill(world)
    assert judgement.verdict is Verdict.PASS, judgement.reasons

    refusals_left = 1000
    with pytest.raises(NoSuchHealthCheck):
        drill(world)


def test_an_objective_that_was_missed_fails_the_drill() -> None:
    """The reason of the verdict names the objective."""
    _, judgement = drill(World(), objectives=Objectives(rto_seconds=5.0))
    assert judgement.verdict is Verdict.FAIL
    assert "rto_seconds = 5" in judgement.reasons[0]


def test_a_secondary_that_breaks_during_the_drill_ends_it() -> None:
    """The drill restores as soon as the stop condition is met, and not after its patience."""
    world = World()
    world.at(20.0, lambda: world.conditions.__setitem__(WEST, 503))
    events, judgement = drill(world)
    assert judgement.verdict is not Verdict.PASS
    assert any(
        "aborted: the secondary, us-west-2, failed" in reason for reason in judgement.reasons
    )
    assert judgement.restored
    assert not world.check.config.inverted
    assert events[-1].at < 40.0


@pytest.mark.parametrize("is_moved", [False, True])
def test_a_drill_ends_when_somebody_else_has_restored(is_moved: bool) -> None:
    """`deploytool restore` beside a drill undoes its fault: what it sees then says nothing."""
    world = World()
    ended: list[float] = []

    def restore_beside() -> None:
        ended.append(world.now())
        config = replace(world.check.config, inverted=False)
        world.check = HealthCheck(world.check.id, world.check.version + 1, config)
        world.drill_records.record = None

    world.at(30.0 if is_moved else 12.0, restore_beside)
    events, judgement = drill(world)
    assert ended
    assert judgement.verdict is not Verdict.PASS
    assert any("its record is gone" in reason for reason in judgement.reasons)
    assert judgement.restored
    assert isinstance(events[-1], DrillAborted)
    assert events[-1].at < ended[0] + 60.0
