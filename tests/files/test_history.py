"""The folders of drills: none is used twice, and a full disk ends a drill with everything restored."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploytool.core.drill.history import DrillAborted, DrillStarted, Event, FaultInjecting
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.project.drill_settings import Objectives
from deploytool.files.history import (
    HistoryFile,
    drill_folders,
    folder_name,
    prepare_reports,
    write_whole,
)
from deploytool.simulated.world import World
from deploytool.work.drill.run import DrillContext, run_drill

CONTEXT = DrillContext("0", "2026-01-01T00:00:00+00:00", "simulated", 1.0)


def drill(world: World, history: HistoryFile) -> None:
    run_drill(world.drill_ports(), world.service, Scenario(), Objectives(), CONTEXT, history.write)


def started_events() -> list[DrillStarted]:
    """Return the first event of a drill, as a list for convenience."""
    events: list[Event] = []
    run_drill(
        World().drill_ports(), World().service, Scenario(), Objectives(), CONTEXT, events.append
    )
    return [event for event in events if isinstance(event, DrillStarted)]


def test_each_drill_has_a_folder(tmp_path: Path) -> None:
    """A second drill leaves the files of the first as they are; `latest` points to the second."""
    folders: list[Path] = []
    for _ in range(2):
        with HistoryFile(tmp_path) as history:
            drill(World(), history)
        assert history.folder is not None
        folders.append(history.folder)
    first, second = folders
    assert first != second
    assert (tmp_path / "latest").resolve() == second.resolve()
    assert set(drill_folders(tmp_path)) == {first, second}
    for folder in folders:
        assert (folder / "history.jsonl").read_text().count("drill_started") == 1
    assert {path.name for path in tmp_path.iterdir()} == {first.name, second.name, "latest"}


def test_what_belongs_to_no_drill_makes_no_folder(tmp_path: Path) -> None:
    """A drill that could not write its record ends before its first event."""
    with HistoryFile(tmp_path) as history:
        history.write(DrillAborted(0.0, "another drill is under way"))
    assert history.folder is None
    assert list(tmp_path.iterdir()) == []


def test_folders_sort_by_the_time_of_the_drill() -> None:
    """The name begins with the time in UTC, whatever the zone in which the time was written."""
    [started] = started_events()
    moments = (
        "2026-11-26T01:30:00+00:00",
        "2026-11-26T03:00:00+01:00",
        "2026-11-26T02:30:00+00:00",
    )
    names = [folder_name(replace(started, wall_time=moment)) for moment in moments]
    assert names == sorted(names)
    assert names[1].startswith("20261126T020000Z-dev-")


def test_a_full_disk_ends_a_drill_with_everything_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drill cannot prove anything without its history. The error names the folder."""
    world = World()
    with HistoryFile(tmp_path) as history:

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        def listen(event: Event) -> None:
            if isinstance(event, FaultInjecting):
                monkeypatch.setattr(os, "fsync", full)
            history.write(event, sync=isinstance(event, FaultInjecting))

        with pytest.raises(DeploytoolError, match="cannot be written: No space left on device"):
            run_drill(world.drill_ports(), world.service, Scenario(), Objectives(), CONTEXT, listen)
    assert not world.check.config.inverted
    assert (world.drill_records.record, world.guard.armed) == (None, {})


# Writes a history of at most 4 KiB: each byte after that fails as on a full disk
LIMITED = """
import resource, sys
from pathlib import Path
from deploytool.core.drill.history import parse_history
from deploytool.core.drill.judge import judge
from tests.files.test_history import HistoryFile, World, drill
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
world = World()
try:
    with HistoryFile(Path(sys.argv[1])) as history:
        drill(world, history)
except Exception as error:
    print(type(error).__name__, error)
print(world.check.config.inverted, world.drill_records.record, world.guard.armed)
judgement = judge(parse_history(history.lines(), "history.jsonl"))
print(judgement.restored, judgement.verdict.value)
"""


def test_a_file_that_may_not_grow_ends_a_drill(tmp_path: Path) -> None:
    """The same with the kernel's own refusal, in the middle of the observations."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    error, state, judged = done.stdout.splitlines()
    assert error.startswith("DeploytoolError"), done.stderr
    assert "the history cannot be written: File too large" in error
    assert state == "False None {}"
    # The report has what the file lacks: that everything is restored
    assert judged == "True inconclusive"


def test_a_directory_that_cannot_be_written_is_refused_before_the_drill(tmp_path: Path) -> None:
    """It is bad input: exit code 2, and nothing is touched."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match="no reports can be written there"):
        prepare_reports(file / "reports")
    prepare_reports(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_report_is_whole_or_not_there(tmp_path: Path) -> None:
    """What was there stays when the new one cannot be written, and nothing is left beside it."""
    report = tmp_path / "drill.json"
    write_whole(report, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(report, "new \ud800")
    assert report.read_text() == "old"
    assert list(tmp_path.iterdir()) == [report]


def test_a_report_in_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """The error names the file, and the command that writes it again."""
    with pytest.raises(DeploytoolError, match="cannot be written") as caught:
        write_whole(tmp_path / "gone" / "drill.json", "{}")
    assert f"deploytool report {tmp_path / 'gone'}" in caught.value.hint
