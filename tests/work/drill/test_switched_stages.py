"""Whole drills of stages with a switch, in the simulated world: the fault switch, manual failback."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploytool.core.drill.checkers import Verdict
from deploytool.core.drill.history import (
    DrillAborted,
    Event,
    FaultInjected,
    FaultInjecting,
    FaultRestored,
    FaultRestoring,
    PhaseBegan,
    SwitchHeld,
    SwitchReleased,
    SwitchReleasing,
    parse_history,
    to_line,
)
from deploytool.core.drill.judge import Judgement, judge
from deploytool.core.drill.record import DrillRecord, RestoreSwitch
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import CloudRefused, DeploytoolError, DrillRefused
from deploytool.core.failover.records import COMMAND, SCHEMA_VERSION, SwitchRecord
from deploytool.core.project.drill_settings import Objectives
from deploytool.core.service.service import MANUAL
from deploytool.render.drill.figures import stay_note
from deploytool.render.drill.result import drill_document, drill_lines
from deploytool.render.report.junit import junit_xml
from deploytool.render.report.markdown import markdown
from deploytool.render.report.page import page
from deploytool.simulated.example import SERVICE, SWITCHED
from deploytool.simulated.world import World
from deploytool.work.drill.run import DrillContext, run_drill

CONTEXT = DrillContext("0", "2026-01-01T00:00:00+00:00", "simulated", 1.0)
EAST, WEST = "us-east-1", "us-west-2"
KEPT_AWAY = replace(SWITCHED, failback=MANUAL)
MOVES = {"before": EAST, "during": WEST, "after": EAST}
HELD_BY_COMMAND = SwitchRecord(
    SCHEMA_VERSION, True, "2026-01-01T00:00:00+00:00", "ana@laptop", "the outage", COMMAND
)


def drill(world: World, fault: str = "health-check") -> tuple[list[Event], Judgement]:
    """Run a drill. Return its events, and the judgement of the history that is written of them."""
    events: list[Event] = []
    ports = world.drill_ports()
    run_drill(ports, world.service, Scenario(fault), Objectives(), CONTEXT, events.append)
    lines = [to_line(event) for event in events]
    return events, judge(parse_history(lines, "history.jsonl"))


def moments(events: list[Event]) -> list[str]:
    """Return what was done, and the phases that were waited for, in their order."""
    names = []
    for event in events:
        match event:
            case PhaseBegan():
                names.append(event.phase)
            case FaultInjected() | FaultRestored() | SwitchHeld() | SwitchReleased():
                names.append(type(event).__name__)
            case _:
                pass
    return names


def assert_released(world: World) -> None:
    """The switch is not held, traffic is back, and no record or guard is left."""
    record = world.standby.read(SwitchRecord)
    assert record is not None
    assert (record.held, record.returning) == (False, False)
    assert world.switch.healthy
    assert (world.drill_records.record, world.guard.armed) == (None, {})


@pytest.mark.parametrize("fault", ["health-check", "refuse", "error"])
def test_every_other_fault_works_with_the_calculated_check(fault: str) -> None:
    """The drill passes with the bounds of a stage without a switch, and does not use the switch."""
    world = World(SWITCHED)
    _, judgement = drill(world, fault)
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert judgement.served_by == MOVES
    assert judgement.expected == drill(World(SERVICE), fault)[1].expected
    assert world.standby.read(SwitchRecord) is None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 60), st.sampled_from(["automatic", MANUAL]))
def test_the_fault_switch_moves_traffic_within_its_bounds(
    seed: int, phase: float, failback: str
) -> None:
    """The drill begins at any second of the alarm's minute. Its release is the explicit failback."""
    world = World(
        replace(SWITCHED, failback=failback), rng=random.Random(seed), propagation=(0.0, 4.0)
    )
    world.deploy_switch()
    world.sleep(phase)
    events, judgement = drill(world, "switch")
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert judgement.served_by == MOVES
    assert judgement.requests.failed == 0
    assert judgement.expected.failover.total < judgement.expected.failback.total
    assert not any(isinstance(event, SwitchHeld) for event in events)
    assert_released(world)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000), st.floats(0, 60), st.sampled_from(["health-check", "refuse", "error"])
)
def test_traffic_stays_until_the_explicit_failback(seed: int, phase: float, fault: str) -> None:
    """With a manual failback the drill holds the switch, sees that traffic stays, and releases it.

    The seconds of the failback count from the release.
    """
    world = World(KEPT_AWAY, rng=random.Random(seed), propagation=(0.0, 4.0))
    world.deploy_switch()
    world.sleep(phase)
    events, judgement = drill(world, fault)
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert judgement.served_by == MOVES
    assert moments(events) == [
        "steady-state", "FaultInjected", "failover", "SwitchHeld", "holding",
        "FaultRestored", "staying", "SwitchReleased", "failback",
    ]  # fmt: skip

    assert judgement.stay is not None
    assert judgement.stay.returned is None
    assert judgement.stay.seconds > 10
    released = next(event.at for event in events if isinstance(event, SwitchReleased))
    assert judgement.history.failback.start == pytest.approx(released, abs=0.001)
    assert judgement.failback.dns is not None
    assert judgement.failback.dns <= judgement.expected.failback.dns + 1
    assert "stayed there for" in judgement.reasons[0]
    assert_released(world)


def test_a_switch_that_does_not_hold_fails_the_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traffic moves back by itself when the fault is restored, and the reason says so."""
    world = World(KEPT_AWAY)
    monkeypatch.setattr(world.switch, "put", lambda *, held: None)
    _, judgement = drill(world)
    assert judgement.verdict is Verdict.FAIL
    assert "moved back to us-east-1 by itself" in judgement.reasons[0]
    assert judgement.restored


def test_a_held_switch_refuses_the_drill() -> None:
    """Traffic is at the secondary on purpose. The hint is the command that lets it return."""
    world = World(SWITCHED)
    world.standby.write(HELD_BY_COMMAND)
    with pytest.raises(DrillRefused, match="the switch is held since") as caught:
        drill(world)
    assert "deploytool failback --stage dev" in caught.value.hint
    assert world.standby.read(SwitchRecord) == HELD_BY_COMMAND
    assert world.check.version == 1


def test_the_fault_switch_needs_a_switch() -> None:
    """A stage that an older version deployed has none."""
    with pytest.raises(DrillRefused, match="needs the switch of stage dev") as caught:
        drill(World(SERVICE), "switch")
    assert "deploytool deploy --stage dev" in caught.value.hint


# The fault switch holds the switch itself, and its restore releases it
STOPPED_AT = [
    *((kind, "switch") for kind in (FaultInjecting, FaultInjected, FaultRestoring)),
    *((kind, "health-check") for kind in (FaultInjecting, FaultInjected, FaultRestoring)),
    *((kind, "health-check") for kind in (SwitchHeld, SwitchReleasing)),
]


@pytest.mark.parametrize(("kind", "fault"), STOPPED_AT)
@pytest.mark.parametrize("error", [KeyboardInterrupt, DeploytoolError("out of luck")])
def test_the_switch_is_released_whatever_stops_the_drill(
    kind: type[Event], fault: str, error: BaseException | type[BaseException]
) -> None:
    """Traffic that has not returned yet is noted as returning before the drill's record is deleted.

    So the function in the standby region does not take the end of the drill for a failure.
    """
    world = World(KEPT_AWAY)
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
        run_drill(
            world.drill_ports(), world.service, Scenario(fault), Objectives(), CONTEXT, listen
        )
    assert raised
    record = world.standby.read(SwitchRecord)
    assert record is not None
    assert (record.held, record.returning) == (False, True)
    assert not world.check.config.inverted
    assert world.drill_records.record is None
    assert isinstance(events[-1], DrillAborted)
    assert judge(events).restored


def test_the_record_of_a_drill_has_the_step_for_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard and `restore` release the switch after they have undone the fault."""
    world = World(KEPT_AWAY)
    written: list[DrillRecord] = []
    write = world.drill_records.write

    def keeping(record: DrillRecord) -> None:
        written.append(record)
        write(record)

    monkeypatch.setattr(world.drill_records, "write", keeping)
    drill(world)
    [record] = written
    assert record.undo[-1] == RestoreSwitch(WEST, "hello", "dev")
    assert len(record.undo) == 2


def test_the_drill_s_record_is_there_while_the_switch_is_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the drill's record the function in the standby region knows a drill from a failure."""
    world = World(KEPT_AWAY)
    under_way: list[bool] = []
    write = world.standby.write

    def writing(record: SwitchRecord) -> None:
        under_way.append(world.drill_records.record is not None)
        write(record)

    monkeypatch.setattr(world.standby, "write", writing)
    drill(world)
    # Held, released, and arrived
    assert under_way == [True, True, True]


def test_a_switch_that_a_command_holds_meanwhile_is_left() -> None:
    """`deploytool failover` during a drill moves traffic on purpose: the drill fails, it stays."""
    world = World(KEPT_AWAY)
    world.deploy_switch()
    world.at(250.0, lambda: world.standby.write(HELD_BY_COMMAND))
    _, judgement = drill(world)
    assert judgement.verdict is Verdict.FAIL
    assert "did not return to us-east-1" in judgement.reasons[0]
    assert world.standby.read(SwitchRecord) == HELD_BY_COMMAND
    assert not world.switch.healthy


def test_the_metric_does_not_hang_on_one_data_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the drill waits it repeats the metric; a repetition that fails is in the history."""
    world = World(SWITCHED)
    put = world.switch.put
    calls = 0

    def failing_once(*, held: bool) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise CloudRefused("Throttling")
        put(held=held)

    monkeypatch.setattr(world.switch, "put", failing_once)
    events, judgement = drill(world, "switch")
    assert judgement.verdict is Verdict.PASS, judgement.reasons
    assert [to_line(event) for event in events if "metric_failed" in to_line(event)] != []
    assert calls > 10


def test_every_form_of_the_report_tells_of_the_stay() -> None:
    """How long traffic stayed, and both bounds, for people and for programs."""
    _, judgement = drill(World(KEPT_AWAY))
    assert judgement.stay is not None
    note = stay_note(judgement.stay)
    assert "until the failback by the switch" in note
    assert f"stayed      {note}" in list(drill_lines(judgement))
    assert note in markdown(judgement)
    assert note in page(judgement)
    assert "failback, " in page(judgement)
    assert "stayed there for" in " ".join(drill_document(judgement)["reasons"])

    document = drill_document(judgement)
    assert document["switch"] == "after-failover"
    assert document["stay"]["returned"] is None
    assert document["expected_seconds"]["total"] == 65.0
    assert document["expected_failback_seconds"]["total"] == 245.0
    assert 'failures="0"' in junit_xml(judgement)
