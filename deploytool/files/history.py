"""Writes a drill's history to its file as it happens, so that a killed drill has one too."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from deploytool.core.drill.history import Event, to_line


class HistoryFile:
    """The file history.jsonl, one event a line. An existing file is overwritten."""

    def __init__(self, path: Path) -> None:
        # Buffered by line: a line is in the file as soon as it is written.
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def write(self, event: Event, *, sync: bool = False) -> None:
        """Append one event. It is in the file on return, and with `sync` on the disk too."""
        self._file.write(to_line(event) + "\n")
        # A crash of the machine can lose what is not on the disk yet.
        if sync:
            os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
