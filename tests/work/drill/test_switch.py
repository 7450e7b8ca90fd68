"""The switch as a drill moves it, and the step that releases it."""

from dataclasses import replace

import pytest

from deploytool.core.drill.record import RestoreSwitch
from deploytool.core.failover.records import AUTOMATIC, COMMAND, DRILL, SCHEMA_VERSION, SwitchRecord
from deploytool.simulated.world import World
from deploytool.work.drill.switch import hold
from deploytool.work.drill.undo import in_words, is_undone, undo

STEPS = (RestoreSwitch("us-west-2", "hello", "dev"),)
HELD = SwitchRecord(SCHEMA_VERSION, True, "2026-01-01T00:00:00+00:00", "me", "why", DRILL)


def test_the_record_is_written_before_the_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function of the switch repeats the metric from the record, so the order matters."""
    world = World()
    held_in_record: list[bool] = []

    def put(*, held: bool) -> None:
        record = world.standby.read(SwitchRecord)
        assert record is not None
        assert record.held is held
        held_in_record.append(record.held)

    monkeypatch.setattr(world.switch, "put", put)
    hold(world.drill_ports(), "a test")
    undo(world.drill_ports(), STEPS)
    assert held_in_record == [True, False]


@pytest.mark.parametrize("record", [None, HELD, replace(HELD, how=AUTOMATIC)])
def test_the_step_releases_the_switch(record: SwitchRecord | None) -> None:
    """Afterwards traffic is returning, which is no new failure. It can be undone again."""
    world = World()
    if record is not None:
        world.standby.write(record)
    ports = world.drill_ports()
    for _ in range(2):
        undo(ports, STEPS)
        written = world.standby.read(SwitchRecord)
        assert written is not None
        assert (written.held, written.returning, written.how) == (False, True, DRILL)
        assert is_undone(ports, STEPS)


def test_the_step_leaves_a_switch_that_a_command_holds() -> None:
    """Somebody moved traffic during the drill; the end of the drill does not move it back."""
    world = World()
    by_command = replace(HELD, how=COMMAND)
    world.standby.write(by_command)
    undo(world.drill_ports(), STEPS)
    assert world.standby.read(SwitchRecord) == by_command
    assert is_undone(world.drill_ports(), STEPS)


def test_the_step_in_words_names_its_calls() -> None:
    """`drill --dry-run` and `restore` print them."""
    assert in_words(STEPS[0]) == (
        "ssm:PutParameter /deploytool/hello/dev/switch in us-west-2: released,"
        " and cloudwatch:PutMetricData FailoverSwitch 0"
    )
