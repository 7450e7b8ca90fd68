"""The restore after an interrupted drill, also while APIs do not answer, in the simulated world."""

from dataclasses import replace

import pytest

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import (
    SCHEMA_VERSION,
    DrillRecord,
    RestoreConcurrency,
    RestoreHealthCheck,
    RestoreSwitch,
    UndoStep,
)
from deploytool.core.errors import ApiUnavailable, CloudRefused
from deploytool.core.failover.records import DRILL, SwitchRecord
from deploytool.simulated.example import SWITCHED
from deploytool.simulated.outage import Outage
from deploytool.simulated.world import World
from deploytool.work.drill.restore import restore

EAST, WEST = "us-east-1", "us-west-2"
HELD = SwitchRecord(1, True, "2026-11-25T12:00:00Z", "ana", "a drill", DRILL)
STEPS: tuple[UndoStep, ...] = (
    RestoreHealthCheck("check", inverted=False),
    RestoreConcurrency(EAST, "function", None),
    RestoreSwitch(WEST, "hello", "dev"),
)


@pytest.fixture
def world() -> World:
    """A world in which a drill has died."""
    world = World(SWITCHED)
    world.standby.write(HELD)
    world.functions.set_reserved_concurrency(EAST, "function", 0)
    world.health_checks.set_inverted("check", inverted=True, version=1)
    moment = "2026-11-25T12:00:00+00:00"
    world.drill_records.write(
        DrillRecord(SCHEMA_VERSION, "drill-1", "switch", "dev", "ana@laptop", moment, moment, STEPS)
    )
    return world


def ports_of(world: World, outage: Outage) -> DrillPorts:
    """The ports of a drill, each behind the API of its region."""
    return replace(
        world.drill_ports(),
        health_checks=outage.around(world.health_checks, EAST),
        functions=outage.around(world.functions),
        records=outage.around(world.drill_records, WEST),
        standby=outage.around(world.standby, WEST),
        switch=outage.around(world.switch, WEST),
    )


def test_everything_is_undone_while_every_api_answers(world: World) -> None:
    """The record is deleted, and a second restore finds nothing."""
    ports = ports_of(world, Outage())
    result = restore(ports, world.service)
    assert (result.steps, result.waiting) == (STEPS, ())
    assert world.drill_records.record is None
    assert restore(ports, world.service).steps == ()


def test_steps_of_a_dead_region_wait_and_the_others_are_undone(world: World) -> None:
    """The record remains, so that the next run does the rest."""
    outage = Outage({EAST})
    ports = ports_of(world, outage)
    result = restore(ports, world.service)
    assert result.steps == STEPS[2:]
    assert [(gap.region, gap.what.partition(" ")[0]) for gap in result.waiting] == [
        (EAST, "route53:UpdateHealthCheck"),
        (EAST, "lambda:DeleteFunctionConcurrency"),
    ]
    switch = world.standby.read(SwitchRecord)
    assert switch is not None
    assert not switch.held
    assert world.drill_records.record is not None

    outage.dead = set()
    assert restore(ports, world.service).waiting == ()
    assert world.drill_records.record is None
    assert not world.check.config.inverted


def test_without_a_record_a_dead_route_53_is_no_clean_bill(world: World) -> None:
    """Nobody knows then whether the health check is inverted."""
    world.drill_records.record = None
    result = restore(ports_of(world, Outage({EAST})), world.service)
    assert (result.steps, result.record) == ((), None)
    assert [gap.what for gap in result.waiting] == ["whether the health check is inverted"]


def test_without_the_standby_s_api_nothing_is_known(world: World) -> None:
    """The record is there, so the error is raised: there is nothing to show."""
    with pytest.raises(ApiUnavailable):
        restore(ports_of(world, Outage({WEST})), world.service)


def test_what_was_undone_is_told_when_the_record_cannot_be_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure is part of the result, and the next restore deletes the record."""

    def refuse(_: str) -> None:
        raise CloudRefused("deleting the record: not now")

    with monkeypatch.context() as patched:
        patched.setattr(world.drill_records, "clear", refuse)
        result = restore(ports_of(world, Outage()), world.service)
    assert result.steps == STEPS
    assert [str(error) for error in result.failures] == ["deleting the record: not now"]
    assert not result.is_complete

    assert restore(ports_of(world, Outage()), world.service).is_complete
    assert world.drill_records.record is None


def test_a_step_that_fails_takes_nothing_from_those_that_are_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record stays for the next restore."""

    def refuse(*_: object) -> None:
        raise CloudRefused("changing the concurrency: not now")

    monkeypatch.setattr(world.functions, "set_reserved_concurrency", refuse)
    result = restore(ports_of(world, Outage()), world.service)
    assert result.steps == (STEPS[0], STEPS[2])
    assert len(result.failures) == 1
    assert world.drill_records.record is not None
