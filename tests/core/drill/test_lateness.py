"""What a drill's own pauses take from its findings."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from deploytool.core.drill.checkers import Check, Verdict
from deploytool.core.drill.history import (
    DrillEnded,
    Event,
    FaultInjected,
    FaultRestored,
    FaultRestoring,
    ObserverLate,
    Served,
    parse_history,
    to_line,
)
from deploytool.core.drill.judge import Judgement, judge
from deploytool.core.drill.lateness import late_seconds, longest_pause
from deploytool.core.drill.parsed_history import ParsedHistory
from deploytool.core.drill.scenario import Scenario
from deploytool.core.project.drill_settings import Objectives
from deploytool.simulated.world import World
from deploytool.work.drill.run import DrillContext, run_drill

CONTEXT = DrillContext("0", "2026-01-01T00:00:00+00:00", "simulated", 1.0)


def history(world: World | None = None, objectives: Objectives | None = None) -> list[Event]:
    world = world or World()
    events: list[Event] = []
    run_drill(
        world.drill_ports(),
        world.service,
        Scenario(patience=60.0),
        objectives or Objectives(),
        CONTEXT,
        events.append,
    )
    return events


def with_pauses(events: Sequence[Event], *pauses: tuple[float, float]) -> Judgement:
    """Judge a history in which the drill was late: each pause has its end and its seconds.

    Ends count from the injection.
    """
    injected = next(event.at for event in events if isinstance(event, FaultInjected))
    late = [ObserverLate(injected + end, seconds) for end, seconds in pauses]
    lines = [to_line(event) for event in (*events, *late)]
    return judge(parse_history(lines, "history.jsonl"))


def test_a_drill_in_a_simulated_world_is_never_late() -> None:
    """No time passes there but in sleeps, so every probe is sent when it is due."""
    assert not any(isinstance(event, ObserverLate) for event in history())


def test_a_short_pause_is_a_note() -> None:
    """It changes no verdict, and the report says how long it was."""
    judgement = with_pauses(history(), (10.0, 1.5), (20.0, 2.0))
    assert judgement.verdict is Verdict.PASS
    assert any("was late for 3.5 of" in note for note in judgement.notes)
    assert any("at most 2.0 s at once" in note for note in judgement.notes)


def test_a_failure_that_may_be_a_pause_is_inconclusive() -> None:
    """Traffic moved later than the objective, on a machine that was busy for a third of the time."""
    events = history(objectives=Objectives(rto_seconds=20.0))
    judgement = with_pauses(events)
    assert judgement.verdict is Verdict.FAIL
    doubted = with_pauses(events, (15.0, 10.0), (30.0, 10.0))
    assert doubted.verdict is Verdict.INCONCLUSIVE
    assert "longer than the objective" in doubted.reasons[0]
    assert "too busy to observe it for" in doubted.reasons[0]


def test_a_movement_that_was_hardly_seen_is_inconclusive() -> None:
    """A good result of it proves nothing."""
    judgement = with_pauses(history(), (50.0, 45.0))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.reasons[0].startswith("the failover was hardly observed")


def test_what_was_not_restored_stays_a_failure() -> None:
    """That was read from AWS and not observed."""
    events = [
        replace(event, verified=False) if isinstance(event, FaultRestored) else event
        for event in history()
    ]
    judgement = with_pauses(events, (50.0, 45.0))
    assert judgement.verdict is Verdict.FAIL
    assert judgement.findings[0].check is Check.RESTORED


@pytest.mark.parametrize(
    ("pauses", "seconds"),
    [
        ((), 0.0),
        (((10.0, 2.0),), 2.0),
        # Two probes that were late at the same time
        (((10.0, 2.0), (10.5, 2.0)), 2.5),
        (((10.0, 2.0), (10.0, 1.0)), 2.0),
        # Only the part within the time asked for counts
        (((1.0, 5.0), (101.0, 3.0)), 3.0),
    ],
)
def test_pauses_are_counted_once(pauses: Sequence[tuple[float, float]], seconds: float) -> None:
    """All threads of a busy machine are late together."""
    late = [ObserverLate(end, length) for end, length in pauses]
    first, *_ = history()
    parsed = ParsedHistory.from_events([first, *late, DrillEnded(200.0)])
    assert late_seconds(parsed, 0.0, 100.0) == pytest.approx(seconds)
    assert longest_pause(parsed) == max((length for _, length in pauses), default=0.0)


def test_a_stalled_machine_is_noticed() -> None:
    """The clock runs on while the drill does not: the next probes are late."""
    world = World()
    stalled = False
    events: list[Event] = []

    def listen(event: Event) -> None:
        nonlocal stalled
        events.append(event)
        injected = any(isinstance(each, FaultInjected) for each in events)
        if isinstance(event, Served) and injected and not stalled:
            stalled = True
            world.sleep(7.0)

    run_drill(world.drill_ports(), world.service, Scenario(), Objectives(), CONTEXT, listen)
    late = [event for event in events if isinstance(event, ObserverLate)]
    assert max(event.seconds for event in late) >= 5.0
    restoring = next(event.at for event in events if isinstance(event, FaultRestoring))
    assert all(event.at < restoring for event in late)
