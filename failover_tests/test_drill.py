"""The main job as a user does it: deploy, check, drill; and what is left when a drill is interrupted."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def drilled(deployed: Any) -> Any:
    """A finished drill's report."""
    done = deployed.deploytool("drill", "--output", "json", timeout=900 if deployed.target == "aws" else 100)
    assert done.code == 0, done.err
    report = json.loads((deployed.folder / "reports" / "drill.json").read_text())
    assert report == done.json
    return report


def test_a_drill_passes_and_names_who_served(drilled: Any) -> None:
    """us-east-1, then us-west-2, then us-east-1 again; restored."""
    assert drilled["verdict"] == "pass", drilled["reasons"]
    assert drilled["served_by"] == {"before": "us-east-1", "during": "us-west-2", "after": "us-east-1"}
    assert drilled["restored"] is True
    assert drilled["fault"] == "health-check"


def test_its_seconds_are_within_what_the_rules_predict(drilled: Any) -> None:
    """Detection before DNS before the client, and none over its expected bound."""
    seconds = drilled["seconds"]
    assert 0 <= seconds["detection"] <= seconds["dns"]
    assert 0 < seconds["client"] <= drilled["expected_seconds"]["total"] * 1.5
    assert 0 < seconds["failback"] <= drilled["expected_seconds"]["total"] * 1.5


def test_a_history_can_be_judged_again_without_any_cloud(deployed: Any, drilled: Any, tmp_path: Path) -> None:
    """`report` gives the same verdict and the same seconds from the history alone."""
    again = deployed.deploytool(
        "report", str(deployed.folder / "reports" / "history.jsonl"), "--report-dir", str(tmp_path), "--output", "json"
    )
    assert again.code == 0, again.err
    for key in ("verdict", "seconds", "served_by", "requests"):
        assert again.json[key] == drilled[key]


def test_every_form_of_the_report_is_written(deployed: Any, drilled: Any) -> None:
    """For people, for a pull request, for a CI system."""
    folder = deployed.folder / "reports"
    assert 'tests="5" failures="0"' in (folder / "junit.xml").read_text()
    assert "✅ pass" in (folder / "drill.md").read_text()
    html = (folder / "drill.html").read_text()
    for lane in ("ns-1.", "fresh", "kept-connection", "us-west-2"):
        assert lane in html


def test_check_says_who_serves(deployed: Any) -> None:
    """Name servers, resolver, the domain and each region's own endpoint."""
    done = deployed.deploytool("check", "--output", "json")
    assert done.code == 0, done.err
    assert done.json["served_by"] == "us-east-1"
    assert done.json["problems"] == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drill_restores(deployed: Any, sent: signal.Signals) -> None:
    """Whenever it is stopped: exit 130, and the health check is not inverted."""
    drill = subprocess.Popen(
        deployed.command("drill", "--report-dir", "interrupted"),
        cwd=deployed.folder,
        env=deployed.environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    history = deployed.folder / "interrupted" / "history.jsonl"
    deadline = time.monotonic() + 60
    while not (history.exists() and '"fault_injected"' in history.read_text()):
        assert drill.poll() is None, drill.stderr and drill.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(drill.pid, sent)
    _, err = drill.communicate(timeout=60)
    history.unlink()
    assert drill.returncode == 130, err
    assert "Traceback" not in err
    status = deployed.deploytool("status", "--output", "json")
    assert status.json["unfinished_drill"] is False


@pytest.mark.local_only
def test_restore_puts_right_what_a_killed_drill_left(deployed: Any) -> None:
    """SIGKILL leaves the health check inverted; status says so, a drill refuses, restore mends it, as often as one likes."""
    drill = subprocess.Popen(
        deployed.command("drill", "--report-dir", "killed"),
        cwd=deployed.folder,
        env=deployed.environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    history = deployed.folder / "killed" / "history.jsonl"
    deadline = time.monotonic() + 60
    while not (history.exists() and '"fault_injected"' in history.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    drill.kill()
    drill.wait()
    assert deployed.deploytool("status", "--output", "json").json["unfinished_drill"] is True
    refused = deployed.deploytool("drill", "--report-dir", "refused")
    assert refused.code == 1
    assert "deploytool restore" in refused.err
    for _ in range(2):
        assert deployed.deploytool("restore").code == 0
    assert deployed.deploytool("status", "--output", "json").json["unfinished_drill"] is False
