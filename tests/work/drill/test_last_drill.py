"""What is noted in the standby region about a stage's last drill."""

from dataclasses import replace

import pytest

from deploytool.core.drill.history import Event, FaultInjected
from deploytool.core.drill.judge import judge
from deploytool.core.drill.scenario import Scenario
from deploytool.core.failover.records import LastDrill, to_json
from deploytool.core.project.drill_settings import Objectives
from deploytool.simulated.world import World
from deploytool.work.drill.last_drill import note_last_drill
from deploytool.work.drill.run import DrillContext, run_drill

CONTEXT = DrillContext("0", "2026-01-01T00:00:00+00:00", "simulated", 1.0)


def drill(world: World) -> list[Event]:
    """Run a drill and return its events."""
    events: list[Event] = []
    ports = world.drill_ports()
    run_drill(ports, world.service, Scenario(), Objectives(), CONTEXT, events.append)
    return events


def test_the_verdict_of_a_drill_is_noted() -> None:
    """With its fault, its id, its reasons and the time of its end."""
    world = World()
    judgement = judge(drill(world))
    note_last_drill(world.drill_ports(), judgement)
    noted = world.standby.read(LastDrill)
    assert noted is not None
    assert (noted.fault, noted.verdict) == ("health-check", "pass")
    assert noted.drill_id.startswith("drill-")
    measured = "the name servers followed the verdict after 0.7 s (failover) and 0.7 s (failback)"
    assert noted.reasons == (*judgement.reasons, measured)
    assert noted.ended == world.wall_time()


def test_an_interrupted_drill_is_noted() -> None:
    """It is inconclusive, and the reason says that it was interrupted."""
    world = World()
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, FaultInjected):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_drill(world.drill_ports(), world.service, Scenario(), Objectives(), CONTEXT, listen)
    note_last_drill(world.drill_ports(), judge(events))
    noted = world.standby.read(LastDrill)
    assert noted is not None
    assert noted.verdict == "inconclusive"
    assert "the drill was aborted: interrupted" in noted.reasons


def test_many_long_reasons_fit_into_a_parameter() -> None:
    """A parameter of the standard tier has at most 4 KB."""
    world = World()
    judgement = judge(drill(world))
    note_last_drill(world.drill_ports(), replace(judgement, reasons=("x" * 1000,) * 100))
    noted = world.standby.read(LastDrill)
    assert noted is not None
    assert len(to_json(noted)) < 4096
