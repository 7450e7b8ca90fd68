"""The folders of drills below the directory of reports: a history each, and its reports.

A folder is never used twice, so that no drill takes the evidence of another.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO
from uuid import uuid4

from deploytool.core.drill.history import DrillStarted, Event, to_line
from deploytool.core.errors import DeploytoolError, InputError, InputProblem
from deploytool.files.text import MOST_HISTORY_BYTES, read_text

HISTORY = "history.jsonl"
LATEST = "latest"  # a symbolic link to the folder of the drill that began last


class HistoryFile:
    """The file history.jsonl of one drill, one event a line.

    The drill's folder is made when its first event comes, so a drill that was refused leaves none.
    `folder` is None until then. What cannot be written is kept in memory, for the report of this run.
    """

    def __init__(self, reports: Path) -> None:
        self.folder: Path | None = None
        self._reports = reports
        self._file: TextIO | None = None
        self._written = 0  # events in the file
        self._unwritten: list[str] = []

    def write(self, event: Event, *, sync: bool = False) -> None:
        """Append one event. It is in the file on return, and with `sync` on the disk too.

        Raises DeploytoolError once when it cannot be written, for instance on a full disk. The
        caller then ends the drill, and the events of that are not in the file.
        """
        if self._unwritten:
            self._unwritten.append(to_line(event))
            return
        try:
            if isinstance(event, DrillStarted):
                self._open(event)
            if self._file is None:
                return
            self._file.write(to_line(event) + "\n")
            # A crash of the machine can lose what is not on the disk yet.
            if sync:
                os.fsync(self._file.fileno())
            self._written += 1
        except OSError as error:
            self._unwritten.append(to_line(event))
            raise DeploytoolError(
                f"{self._reports}: the history cannot be written: {error.strerror}",
                hint="make room there, or name another folder with --report-dir",
            ) from error

    def lines(self) -> list[str]:
        """Return the lines of all events so far, also of those that could not be written.

        Raises InputError when the file cannot be read back.
        """
        if self.folder is None:
            return []
        text = read_text(self.folder / HISTORY, "somebody has deleted it", MOST_HISTORY_BYTES)
        # A line that could not be written may be there in part
        return [*text.splitlines()[: self._written], *self._unwritten]

    def _open(self, started: DrillStarted) -> None:
        folder = self._reports / folder_name(started)
        folder.mkdir()
        # Buffered by line: a line is in the file as soon as it is written.
        self._file = (folder / HISTORY).open("x", encoding="utf-8", buffering=1)
        self.folder = folder
        _point_to(self._reports / LATEST, folder.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError:
            # What is still buffered is the line that failed before
            if not self._unwritten:
                raise


def folder_name(started: DrillStarted) -> str:
    """Return the name of a drill's folder. Names sort by the time at which drills began."""
    began = datetime.fromisoformat(started.wall_time).astimezone(UTC)
    return f"{began:%Y%m%dT%H%M%SZ}-{started.stage}-{started.drill_id.removeprefix('drill-')[:8]}"


def prepare_reports(reports: Path) -> None:
    """Make the directory of reports. Raises InputError when no folder can be made in it."""
    try:
        reports.mkdir(parents=True, exist_ok=True)
        probe = reports / f".{uuid4().hex}"
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        message = f"no reports can be written there ({error.strerror}); name another --report-dir"
        raise InputError([InputProblem(str(reports), "", message)]) from error


def drill_folders(reports: Path) -> Iterator[Path]:
    """Yield the folders of drills in the order in which the drills began.

    Raises InputError when there is no such directory.
    """
    try:
        folders = sorted(path for path in reports.iterdir() if not path.is_symlink())
    except OSError as error:
        message = f"cannot be read ({error.strerror}); name the --report-dir of the drills"
        raise InputError([InputProblem(str(reports), "", message)]) from error
    for folder in folders:
        if (folder / HISTORY).is_file():
            yield folder


def write_whole(path: Path, text: str) -> None:
    """Write a file beside and rename it, so that nobody ever sees a part of it.

    Raises DeploytoolError when it cannot be written.
    """
    try:
        with _beside(path) as beside:
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
    except OSError as error:
        raise DeploytoolError(
            f"{path}: cannot be written: {error.strerror}",
            hint=f"make room there; deploytool report {path.parent} writes the reports again",
        ) from error


def _point_to(link: Path, name: str) -> None:
    """Let a symbolic link point to another folder, without a moment in which there is none."""
    with _beside(link) as beside:
        beside.symlink_to(name, target_is_directory=True)
        beside.replace(link)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Yield a new name in the same folder, which is removed when it is still there afterwards."""
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        yield beside
    finally:
        beside.unlink(missing_ok=True)
