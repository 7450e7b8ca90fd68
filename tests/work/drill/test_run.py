"""A whole drill on the simulated world: what it does, what it leaves, and how it ends when things
go wrong.
"""

import random

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
    parse_history,
    to_line,
)
from deploytool.core.drill.judge import Judgement, judge
from deploytool.core.drill.record import DrillRecord
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import CloudRefused, DeploytoolError, StaleVersion
from deploytool.core.project.drill_settings import Objectives
from deploytool.simulated.example import SERVICE, default_check
from deploytool.simulated.world import World
from deploytool.work.drill.run import DrillContext, DrillRefused, run_drill

CONTEXT = DrillContext("0", "2026-01-01T00:00:00+00:00", "simulated", 1.0)
EAST, WEST = "us-east-1", "us-west-2"


def drill(
    world: World, scenario: Scenario | None = None, objectives: Objectives | None = None
) -> tuple[list[Event], Judgement]:
    """Run one; its history, and that judged after a trip through the file's form."""
    events: list[Event] = []
    run_drill(
        world.drill_ports(),
        world.service,
        scenario or Scenario(),
        objectives or Objectives(),
        CONTEXT,
        events.append,
    )
    return events, judge(parse_history([to_line(each) for each in events], "history.jsonl"))


def test_a_drill_moves_traffic_and_brings_it_back() -> None:
    """Primary, secondary, primary; nobody is hurt; it takes as long as the TTL, which is the
    bound's largest part.
    """
    world = World()
    events, found = drill(world)
    assert found.verdict is Verdict.PASS, found.reasons
    assert found.served_by == {"before": EAST, "during": WEST, "after": EAST}
    assert found.failover.dns is not None
    assert found.failover.client is not None
    assert found.failover.dns <= found.failover.client <= found.expected.total
    assert found.requests.failed == 0
    assert found.restored
    assert not world.check.config.inverted
    kinds = [type(each) for each in events]
    assert (
        kinds.index(FaultInjecting)
        < kinds.index(FaultInjected)
        < kinds.index(FaultRestoring)
        < kinds.index(FaultRestored)
    )
    assert (kinds[0], kinds[-1]) == (DrillStarted, DrillEnded)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([10, 30]), st.integers(1, 5))
def test_whatever_the_phases_a_drill_is_within_its_bound(
    seed: int, interval: int, threshold: int
) -> None:
    """Checkers' phases, propagation, the cache's age: each is in the bound of the rules."""
    config = default_check(SERVICE, interval, threshold)
    world = World(config=config, rng=random.Random(seed), propagation=(0.0, 4.0))
    _, found = drill(world)
    assert found.verdict is Verdict.PASS, found.reasons
    assert not world.check.config.inverted


def test_an_inverted_health_check_is_refused_before_anything_is_touched() -> None:
    """A drill is under way, or one was killed: the error names the command that helps."""
    world = World()
    ports = world.drill_ports()
    ports.health_checks.set_inverted("check", inverted=True, version=1)
    with pytest.raises(DrillRefused) as caught:
        drill(world)
    assert "deploytool restore --stage dev" in caught.value.hint
    assert world.check.version == 2


@pytest.mark.parametrize(
    ("region", "says"),
    [(WEST, "us-west-2, does not serve"), (EAST, "us-east-1, already fails")],
)
def test_a_region_that_does_not_serve_is_refused_before_anything_is_touched(
    region: str, says: str
) -> None:
    """A failover to a broken secondary takes the API down; from a broken primary it proves
    nothing.
    """
    world = World()
    world.conditions[region] = "refused"
    with pytest.raises(DrillRefused, match=says):
        drill(world)
    assert world.check.version == 1


def test_no_steady_state_no_fault() -> None:
    """A primary that fails now and then: aborted, nothing injected, inconclusive, and the reason
    said.
    """
    world = World()
    world.at(0.5, lambda: world.conditions.__setitem__(EAST, 500))
    events, found = drill(world)
    assert not any(isinstance(each, FaultInjecting) for each in events)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "nothing was injected" in found.reasons[0]
    assert "0 of 11 health checkers say healthy" in found.reasons[0]
    assert world.check.version == 1


@pytest.mark.parametrize("kind", [FaultInjecting, FaultInjected, FaultRestoring])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, DeploytoolError("out of luck"), RuntimeError("a bug")]
)
def test_whatever_stops_it_the_fault_is_undone(
    kind: type[Event], error: BaseException | type[BaseException]
) -> None:
    """An interrupt, an error or a bug, before, in and after the injection: restored, verified, and
    then raised.
    """
    world, events = World(), list[Event]()
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
    assert any(isinstance(each, FaultRestored) and each.verified for each in events)
    assert not world.check.config.inverted
    assert isinstance(events[-1], DrillAborted)
    assert judge(events).verdict is not Verdict.PASS


def test_restoring_is_tried_again_when_aws_refuses() -> None:
    """A throttled UpdateHealthCheck does not leave production inverted."""
    world = World()
    ports = world.drill_ports()
    real, left = ports.health_checks.set_inverted, [3]

    def throttled(*args: object, inverted: bool, version: int) -> object:
        if not inverted and left[0] > 0:
            left[0] -= 1
            raise CloudRefused("Throttling")
        return real("check", inverted=inverted, version=version)

    ports.health_checks.set_inverted = throttled  # type: ignore[method-assign,assignment]
    events: list[Event] = []
    run_drill(ports, world.service, Scenario(), Objectives(), CONTEXT, events.append)
    assert left == [0]
    assert not world.check.config.inverted
    assert judge(events).verdict is Verdict.PASS


def test_an_injection_still_on_its_way_is_refused_after_the_restore() -> None:
    """The restore writes a new version, so a late UpdateHealthCheck of the injection finds its own
    one stale.
    """
    world = World()
    ports = world.drill_ports()
    late = ports.health_checks.get("check").version

    def cut_off(event: Event) -> None:
        if isinstance(event, FaultInjecting):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_drill(ports, world.service, Scenario(), Objectives(), CONTEXT, cut_off)
    with pytest.raises(DeploytoolError, match="version"):
        ports.health_checks.set_inverted("check", inverted=True, version=late)


def test_there_is_no_record_without_an_armed_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the moment it is written until it is gone: whenever the drill is killed, somebody comes
    for the record.
    """
    world, watched = World(), list[bool]()
    write, clear = world.drill_records.write, world.drill_records.clear

    def writing(record: DrillRecord) -> None:
        watched.append(record.drill_id in world.guard.armed)
        write(record)

    def clearing(drill_id: str) -> None:
        clear(drill_id)
        watched.append(drill_id in world.guard.armed)

    monkeypatch.setattr(world.drill_records, "write", writing)
    monkeypatch.setattr(world.drill_records, "clear", clearing)
    events, _ = drill(world)
    assert watched == [True, True]
    assert (world.drill_records.record, world.guard.armed) == (None, {})
    assert isinstance(events[-1], DrillEnded)


def test_a_drill_that_sleeps_past_its_guard_breaks_nothing() -> None:
    """The guard has written the health check meanwhile, so the injection finds its version stale:
    aborted, not inverted.
    """
    world, events = World(), list[Event]()
    ports = world.drill_ports()

    def guard_comes(event: Event) -> None:
        events.append(event)
        if isinstance(event, FaultInjecting):
            ports.health_checks.set_inverted(
                "check", inverted=False, version=ports.health_checks.get("check").version
            )

    with pytest.raises(StaleVersion):
        run_drill(ports, world.service, Scenario(), Objectives(), CONTEXT, guard_comes)
    assert not world.check.config.inverted
    assert judge(events).verdict is Verdict.INCONCLUSIVE


def test_traffic_that_does_not_move_fails_the_drill() -> None:
    """Name servers that never hear of the verdict: fail, restored, and it says which part hung."""
    world = World(propagation=(10_000.0, 10_000.0))
    _, found = drill(world, Scenario(patience=30.0))
    assert found.verdict is Verdict.FAIL
    assert "did not move to us-west-2" in found.reasons[0]
    assert found.restored


def test_an_objective_that_was_missed_fails_the_drill() -> None:
    """The verdict compares with the objectives, and names the one."""
    _, found = drill(World(), objectives=Objectives(rto_seconds=5.0))
    assert found.verdict is Verdict.FAIL
    assert "rto_seconds = 5" in found.reasons[0]


def test_a_secondary_that_breaks_during_the_drill_ends_it() -> None:
    """The stop condition: restored at once, and not after the patience is over."""
    world = World()
    world.at(20.0, lambda: world.conditions.__setitem__(WEST, 503))
    events, found = drill(world)
    assert found.verdict is not Verdict.PASS
    assert any("aborted: the secondary, us-west-2, failed" in reason for reason in found.reasons)
    assert found.restored
    assert not world.check.config.inverted
    assert events[-1].at < 40.0
