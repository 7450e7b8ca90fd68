"""Deploy, check and drill as a user does; and what an interrupted drill leaves."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.ministack.emulator import ACCOUNT


@pytest.fixture(scope="module")
def drilled(deployed: Any) -> Any:
    """The report of a finished drill."""
    done = deployed.deploytool("drill", "--output", "json")
    assert done.code == 0, done.err
    report = json.loads((deployed.folder / "reports" / "latest" / "drill.json").read_text())
    assert report == done.json
    return report


def test_a_drill_passes_and_names_the_regions_that_served(drilled: Any) -> None:
    """us-east-1 serves before and after, us-west-2 meanwhile; the fault is restored."""
    assert drilled["verdict"] == "pass", drilled["reasons"]
    assert drilled["served_by"] == {
        "before": "us-east-1",
        "during": "us-west-2",
        "after": "us-east-1",
    }
    assert drilled["restored"] is True
    assert drilled["fault"] == "health-check"


def test_the_measures_are_within_what_the_rules_predict(deployed: Any, drilled: Any) -> None:
    """Detection comes before DNS, DNS before the client.

    The local cloud keeps to the estimates.
    """
    seconds = drilled["seconds"]
    assert 0 <= seconds["detection"] <= seconds["dns"]
    assert seconds["client"] > 0
    assert seconds["failback"] > 0
    assert drilled["measures"]["failover"]["propagation"] >= 0
    assert seconds["client"] <= drilled["expected_seconds"]["total"] * 1.5
    assert seconds["failback"] <= drilled["expected_seconds"]["total"] * 1.5


def test_a_history_can_be_judged_again_without_any_cloud(
    deployed: Any, drilled: Any, tmp_path: Path
) -> None:
    """`report` gets the same verdict and the same measures from the history alone."""
    again = deployed.deploytool(
        "report",
        str(deployed.folder / "reports" / "latest"),
        "--report-dir",
        str(tmp_path),
        "--output",
        "json",
    )
    assert again.code == 0, again.err
    for key in ("verdict", "seconds", "served_by", "requests"):
        assert again.json[key] == drilled[key]


def test_every_form_of_the_report_is_written(deployed: Any, drilled: Any) -> None:
    """There is one for people, one for a pull request and one for a CI system."""
    folder = deployed.folder / "reports" / "latest"
    assert 'tests="5" failures="0"' in (folder / "junit.xml").read_text()
    assert "✅ pass" in (folder / "drill.md").read_text()
    html = (folder / "drill.html").read_text()
    for lane in ("ns-1.", "fresh", "kept-connection", "us-west-2"):
        assert lane in html


def test_a_report_has_no_account_and_no_arn(deployed: Any, drilled: Any) -> None:
    """It can be published: SECURITY.md says what is in it."""
    secrets = ("arn:aws", f'"{ACCOUNT}"', f":{ACCOUNT}:", "Authorization")
    for path in (deployed.folder / "reports" / "latest").iterdir():
        text = path.read_text()
        assert [secret for secret in secrets if secret in text] == [], path.name


def test_check_names_the_region_that_serves(deployed: Any) -> None:
    """The primary serves, and no name server, resolver or endpoint has a problem."""
    done = deployed.deploytool("check", "--output", "json")
    assert done.code == 0, done.err
    assert done.json["served_by"] == "us-east-1"
    assert done.json["problems"] == []


def start_drill(bench: Any, directory: str, *options: str) -> subprocess.Popen[str]:
    """Start a drill in the background and return once its fault is injected."""
    drill = subprocess.Popen(
        bench.command("drill", "--report-dir", directory, *options),
        cwd=bench.folder,
        env=bench.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    history = bench.folder / directory / "latest" / "history.jsonl"
    deadline = time.monotonic() + 60
    while not (history.exists() and '"fault_injected"' in history.read_text()):
        assert drill.poll() is None, drill.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return drill


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_drill_restores(deployed: Any, sent: signal.Signals) -> None:
    """It exits with 130 and leaves no fault. A second drill is refused while it runs."""
    drill = start_drill(deployed, f"interrupted-{sent.name}")
    # On a busy machine the first drill might end before the second one has started
    drill.send_signal(signal.SIGSTOP)
    second = deployed.deploytool("drill", "--report-dir", "second")
    drill.send_signal(signal.SIGCONT)
    assert second.code == 1
    assert "a drill (health-check) is under way since" in second.err
    os.kill(drill.pid, sent)
    _, err = drill.communicate(timeout=60)
    assert drill.returncode == 130, err
    assert "Traceback" not in err
    status = deployed.deploytool("status", "--output", "json")
    assert status.json["unfinished_drill"] is False


@pytest.mark.parametrize("fault", ["health-check", "throttle"])
def test_restore_undoes_what_a_killed_drill_left(deployed: Any, fault: str) -> None:
    """After SIGKILL the fault is still injected: status reports it first, a drill is refused.

    `restore` undoes it, and may run again.
    """
    drill = start_drill(deployed, f"killed-{fault}", "--fault", fault)
    drill.kill()
    drill.communicate()
    assert deployed.deploytool("status", "--output", "json").json["unfinished_drill"] is True
    assert f"A drill ({fault}) is under way" in deployed.deploytool("status").out.splitlines()[0]
    refused = deployed.deploytool("drill", "--report-dir", "refused")
    assert refused.code == 1
    assert "deploytool restore" in refused.err
    for _ in range(2):
        assert deployed.deploytool("restore").code == 0
    assert deployed.deploytool("status", "--output", "json").json["unfinished_drill"] is False


def test_a_secondary_that_breaks_during_the_drill_ends_it(deployed: Any) -> None:
    """The drill aborts and restores at once, also without the guard, which it warns about."""
    drill = start_drill(deployed, "broken", "--fault", "throttle", "--no-guard")
    with broken_secondary(deployed):
        _, err = drill.communicate(timeout=60)
    assert drill.returncode == 1
    assert "! without the guard: if this process dies, nothing restores by itself" in err
    report = json.loads((deployed.folder / "broken" / "latest" / "drill.json").read_text())
    assert report["verdict"] != "pass"
    assert any(
        "aborted: the secondary, us-west-2, failed" in reason for reason in report["reasons"]
    )
    assert report["restored"] is True
    assert deployed.deploytool("status", "--output", "json").json["unfinished_drill"] is False


def test_a_broken_secondary_is_refused_before_anything_is_touched(deployed: Any) -> None:
    """The exit code is 1 with the reason: a failover to it would take the API down."""
    before = state_of(deployed)
    with broken_secondary(deployed):
        refused = deployed.deploytool("drill", "--report-dir", "refused")
    assert refused.code == 1
    assert (
        "the secondary, us-west-2, does not serve: a failover would take the API down: it answers 503"
        in refused.err
    )
    assert state_of(deployed) == before


def state_of(bench: Any) -> dict[str, Any]:
    """Return the state of the stage, without what the switch's function notes every minute.

    Its note of who serves may still be that of the drill of the test before.
    """
    state: dict[str, Any] = bench.deploytool("status", "--output", "json").json
    del state["serving"]
    return state


@contextmanager
def broken_secondary(bench: Any) -> Iterator[None]:
    """Let the secondary's edge answer 503 within the block.

    It has the effect of `deploytool local break us-west-2 --how error`, without the process start.
    """
    state = lifecycle.load(Path(bench.env["DEPLOYTOOL_LOCAL_DIR"]))
    assert state is not None
    ControlClient(state).set_condition("us-west-2", "failing")
    try:
        yield
    finally:
        ControlClient(state).set_condition("us-west-2", "serving")


@pytest.mark.parametrize("fault", ["health-check", "throttle", "unmap"])
def test_a_dry_run_prints_each_call_and_makes_none(deployed: Any, fault: str) -> None:
    """The calls are in the order of the drill, and the stage is as before."""
    inject, undo = {
        "health-check": ("route53:UpdateHealthCheck", "route53:UpdateHealthCheck"),
        "throttle": ("lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency"),
        "unmap": ("apigateway:DeleteBasePathMapping", "apigateway:CreateBasePathMapping"),
    }[fault]
    before = state_of(deployed)
    done = deployed.deploytool(
        "drill", "--fault", fault, "--dry-run", "--report-dir", "dry", "--output", "json"
    )
    assert done.code == 0, done.err
    expected = [
        "scheduler:CreateSchedule",
        "ssm:PutParameter",
        inject,
        undo,
        "ssm:DeleteParameter",
        "scheduler:DeleteSchedule",
    ]
    # An operation may be called several times in a row; dict.fromkeys keeps each once, in order
    calls = [call.split()[0].rstrip(",") for call in done.json["calls"]]
    assert list(dict.fromkeys(calls)) == list(dict.fromkeys(expected))
    assert state_of(deployed) == before
    assert not (deployed.folder / "dry").exists()


def test_a_protected_stage_asks_for_its_domain(deployed: Any) -> None:
    """Without a terminal the exit code is 2, nothing changes, and the hint names --confirm."""
    protected = deployed.folder / "protected.toml"
    text = (deployed.folder / "deploytool.toml").read_text()
    heading = f"[stages.{deployed.stage}]"
    assert heading in text
    protected.write_text(text.replace(heading, f"{heading}\nprotected = true\n#"))
    before = state_of(deployed)
    asked = deployed.deploytool("drill", "--config", str(protected), "--report-dir", "asked")
    assert asked.code == 2
    assert f"Stage {deployed.stage} is protected." in asked.err
    assert "--confirm" in asked.err
    assert state_of(deployed) == before
    assert not (deployed.folder / "asked").exists()


def test_a_drill_notices_that_somebody_has_restored(deployed: Any) -> None:
    """`restore` beside a drill undoes its fault: the drill ends, and says that it proves nothing."""
    drill = start_drill(deployed, "restored", "--fault", "throttle")
    restored = deployed.deploytool("restore")
    assert restored.code == 0, restored.err
    _, err = drill.communicate(timeout=60)
    assert drill.returncode == 1, err
    report = json.loads((deployed.folder / "restored" / "latest" / "drill.json").read_text())
    assert report["verdict"] == "inconclusive"
    assert "its record is gone" in report["reasons"][0]
    assert report["restored"] is True
