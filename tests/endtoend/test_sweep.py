"""Killed drills, restored by `restore` or by the guard: six of the moments of `make sweep`, two more."""

from collections.abc import Iterator

import pytest

from benchmarks.killed import Moment
from benchmarks.sweep import Kill, Stage, all_kills, by_guard, by_restore, stages


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A deployed stage on a local cloud of its own."""
    with stages(tmp_path_factory.mktemp("sweep"), 1) as [stage]:
        yield stage


@pytest.mark.parametrize(
    "kill",
    [
        Kill("health-check", Moment(call="UpdateHealthCheck", delay=0.001)),
        Kill("throttle", Moment(call="PutFunctionConcurrency", then="answered")),
        Kill("unmap", Moment(call="DeleteBasePathMapping", nth=2, delay=0.002)),
        Kill("unmap", Moment(call="PutParameter", then="answered")),
        Kill("switch", Moment(call="PutMetricData", then="answered")),
    ],
    ids=str,
)
def test_restore_leaves_all_as_before(stage: Stage, kill: Kill) -> None:
    """Health check, concurrency, mappings and switch are as before, and the record is gone."""
    outcome = by_restore(stage, kill)
    assert outcome.after == outcome.before


@pytest.mark.parametrize(
    "kill",
    [
        Kill("health-check", Moment(call="UpdateHealthCheck", then="answered")),
        Kill("throttle", Moment(event="fault_injected")),
        # The record of the switch is the second parameter, after the drill's
        Kill("switch", Moment(call="PutParameter", nth=2, then="answered")),
    ],
    ids=str,
)
def test_the_guard_alone_leaves_all_as_before(stage: Stage, kill: Kill) -> None:
    """The schedule in the cloud restores, without the restore command."""
    outcome = by_guard(stage, kill, seconds=10)
    assert outcome.after == outcome.before


def test_the_sweep_has_forty_different_moments() -> None:
    """They cover the three faults that exist on AWS."""
    assert len(set(all_kills())) == 40
    assert {each.fault for each in all_kills()} == {"health-check", "throttle", "unmap"}
