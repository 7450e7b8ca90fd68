"""deploytool history and report: the drills of a directory of reports."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploytool import cli
from deploytool.core.drill.scenario import Scenario
from deploytool.core.project.drill_settings import Objectives
from deploytool.files.history import HistoryFile
from deploytool.simulated.world import World
from deploytool.work.drill.run import DrillContext, run_drill


def drill(reports: Path, moment: str) -> Path:
    """Run a drill in a simulated world and return its folder."""
    context = DrillContext("0", moment, "simulated", 1.0)
    world = World()
    with HistoryFile(reports) as history:
        run_drill(
            world.drill_ports(), world.service, Scenario(), Objectives(), context, history.write
        )
    assert history.folder is not None
    return history.folder


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Three drills: one with its report, one that was killed, and one that nobody can read."""
    whole = drill(tmp_path, "2026-11-24T01:00:00+00:00")
    assert cli.main(["report", str(whole)]) == 0

    killed = drill(tmp_path, "2026-11-25T01:00:00+00:00") / "history.jsonl"
    lines = killed.read_text().splitlines()
    injected = next(number for number, line in enumerate(lines) if "fault_injected" in line)
    killed.write_text("\n".join(lines[: injected + 1]) + '\n{"type": "served", "a')

    (drill(tmp_path, "2026-11-26T01:00:00+00:00") / "history.jsonl").write_text("[]\n[]\n")
    return tmp_path


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert cli.main(["history", "--output", "json", *words]) == 0
    drills: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["drills"]
    return drills


def test_the_drills_are_listed_as_they_began(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A killed drill is judged from its history; one that cannot be read says why."""
    whole, killed, unreadable = listed(capsys, "--report-dir", str(reports))
    assert (whole["verdict"], whole["restored"]) == ("pass", True)
    assert whole["seconds"]["client"] > 0
    assert (killed["verdict"], killed["restored"]) == ("fail", False)
    assert "line 1" in unreadable["problem"]


def test_the_report_gives_the_same_summary_as_the_history(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """drill.json saves the time of judging. A damaged one changes nothing."""
    with_report = listed(capsys, "--report-dir", str(reports))[0]
    report = Path(with_report["folder"]) / "drill.json"
    report.write_text('{"schema_version": 1, "verdict": "pass"}')
    judged = listed(capsys, "--report-dir", str(reports))[0]
    assert judged.pop("seconds") == pytest.approx(with_report.pop("seconds"), abs=0.05)
    assert judged == with_report


def test_the_list_is_for_people_too(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of its own name, the verdict and its first reason."""
    capsys.readouterr()
    assert cli.main(["history", "--report-dir", str(reports)]) == 0
    out = capsys.readouterr().out
    assert "✓ pass" in out
    assert "2026-11-24 01:00:00 UTC  dev health-check (simulated)" in out
    assert "NOT restored" in out
    assert "unreadable" in out


def test_drills_of_another_stage_are_left_out(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--stage chooses."""
    assert listed(capsys, "--report-dir", str(reports), "--stage", "prod") == []
    assert len(listed(capsys, "--report-dir", str(reports), "--stage", "dev")) == 2


def test_without_a_directory_it_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the message names the option."""
    assert cli.main(["history", "--report-dir", str(tmp_path / "none")]) == 2
    assert "name the --report-dir of the drills" in capsys.readouterr().err


def test_a_report_is_written_beside_the_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`deploytool report FOLDER` writes the other files into the folder."""
    folder = drill(tmp_path, "2026-11-24T01:00:00+00:00")
    assert cli.main(["report", str(tmp_path / "latest")]) == 0
    assert {path.name for path in folder.iterdir()} == {
        "history.jsonl",
        "drill.json",
        "drill.md",
        "drill.html",
        "junit.xml",
    }


@pytest.mark.parametrize(
    ("age", "code"), [("30d", 1), ("36500d", 0), ("1m", 1)], ids=["old", "young", "minutes"]
)
def test_a_drill_that_is_overdue_ends_with_1(
    reports: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    age: str,
    code: int,
) -> None:
    """Only drills that passed count. The killed one is younger, and proves nothing."""
    monkeypatch.setattr("deploytool.commands.history.unix_time", lambda: 1_800_000_000.0)
    words = ["history", "--report-dir", str(reports), "--max-age", age]
    assert cli.main(words) == code
    assert (
        "overdue: the last drill that passed began 2026-11-24 01:00" in capsys.readouterr().out
    ) == (code == 1)


def test_a_folder_without_drills_is_overdue(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So a pipeline that lost its reports is noticed."""
    assert cli.main(["history", "--report-dir", str(tmp_path), "--max-age", "30d"]) == 1
    assert "no drill has passed here" in capsys.readouterr().out


@pytest.mark.parametrize("age", ["30", "d", "-1d", "0h", "nand", "infd", "1w"])
def test_an_age_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], age: str) -> None:
    """The message shows how to write one."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["history", f"--max-age={age}"])
    assert ended.value.code == 2
    assert "--max-age" in capsys.readouterr().err
