"""A drill on a stage whose traffic returns by command only."""

from typing import Any

import pytest

EAST, WEST = "us-east-1", "us-west-2"
SPEED = 20.0


@pytest.fixture(scope="module")
def kept_away(bench: Any) -> Any:
    """The stage, deployed with a manual failback."""
    file = bench.folder / "deploytool.toml"
    text = file.read_text()
    heading = f"[stages.{bench.stage}.settings]"
    if heading not in text:
        text += f"\n{heading}\n"
    file.write_text(text.replace(heading, f'{heading}\nfailback = "manual"'))
    done = bench.deploytool("deploy")
    assert done.code == 0, done.err
    # While a new stage becomes healthy its traffic may move, and then it stays away
    home = bench.deploytool("failback", timeout=1800)
    assert home.code == 0, home.err
    return bench


@pytest.fixture(scope="module")
def drilled(kept_away: Any) -> Any:
    """A drill that has ended, and its report."""
    done = kept_away.deploytool("drill", "--output", "json", timeout=1800)
    assert done.code == 0, done.err
    return done


def test_a_drill_ends_with_an_explicit_failback(drilled: Any) -> None:
    """Traffic stays with the secondary after the restore, and returns when the switch is released."""
    report = drilled.json
    assert report["verdict"] == "pass", report["reasons"]
    assert report["served_by"] == {"before": EAST, "during": WEST, "after": EAST}
    assert report["stay"]["returned"] is None
    assert report["stay"]["seconds"] > 10
    assert report["restored"] is True

    types = [event["type"] for event in report["timeline"]]
    for earlier, later in (
        ("fault_injected", "switch_held"),
        ("switch_held", "fault_restored"),
        ("fault_restored", "switch_released"),
    ):
        assert types.index(earlier) < types.index(later)


def test_the_failback_is_measured_from_the_release_of_the_switch(drilled: Any) -> None:
    """It is within the bound of the switch, which is longer than that of the health check."""
    report = drilled.json
    bound = report["expected_failback_seconds"]["total"]
    assert bound > report["expected_seconds"]["total"]
    assert 0 < report["seconds"]["failback"] <= bound


def test_the_drill_leaves_a_released_switch_and_its_verdict(kept_away: Any, drilled: Any) -> None:
    """`status` tells the last drill; the function of the switch took no drill for a failure."""
    status = kept_away.deploytool("status", "--output", "json").json
    assert status["unfinished_drill"] is False
    assert status["last_drill"]["drill_id"] == drilled.json["id"]
    assert status["last_drill"]["verdict"] == "pass"
    assert status["switch"]["held"] is False
    assert status["switch"]["how"] == "drill"
