"""Writes a drill's history to its file as it happens, so that a killed drill has one too."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from deploytool.core.drill.history import Event, to_line


class HistoryFile:
    """history.jsonl, opened anew. Each event is in the file when `write` returns; with `sync` on
    the disk too.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def write(self, event: Event, *, sync: bool = False) -> None:
        """Append one event."""
        self._file.write(to_line(event) + "\n")
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
