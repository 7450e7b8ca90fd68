"""Reads the folder of an artifact: symbolic links are followed, and what cannot be read is refused."""

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from deploytool.core.project.ignored import is_left_out
from deploytool.core.project.package import Files

Report = Callable[[str], None]  # takes a problem that names the path


def read_folder(folder: Path, left_out: Sequence[str], report: Report) -> Files:
    """Return the files of a folder by path with slashes, without those that are left out.

    A symbolic link is replaced by the file or the folder to which it leads. `report` gets what
    cannot be packaged: a link that leads nowhere or in a circle, a socket, a file without
    permission to read it.
    """
    reader = _Reader(folder, left_out, report)
    if folder.is_dir():
        reader.read("", (os.path.realpath(folder),))
    return Files(reader.contents, frozenset(reader.executables))


class _Reader:
    """Collects the files of one folder."""

    def __init__(self, folder: Path, left_out: Sequence[str], report: Report) -> None:
        self.folder = folder
        self.left_out = left_out
        self.report = report
        self.contents: dict[str, bytes] = {}
        self.executables: set[str] = set()

    def read(self, below: str, parents: tuple[str, ...]) -> None:
        """Read the folder `below`; `parents` are the real paths of it and of those around it."""
        try:
            names = sorted(entry.name for entry in (self.folder / below).iterdir())
        except OSError as error:
            self.report(f"{below or '.'}: cannot be read: {error.strerror}")
            return

        for name in names:
            path = f"{below}/{name}" if below else name
            if not path.isprintable():
                # Undecodable bytes of a name are not printable either
                self.report(f"{path!r}: has a name that a zip cannot hold; rename it")
                continue
            if not is_left_out(path, self.left_out):
                self._read_entry(path, parents)

    def _read_entry(self, path: str, parents: tuple[str, ...]) -> None:
        whole = self.folder / path
        try:
            # Follows a symbolic link
            mode = whole.stat().st_mode
        except OSError as error:
            self.report(f"{path}: {_why_not(whole, error)}")
            return

        if stat.S_ISDIR(mode):
            real = os.path.realpath(whole)
            if real in parents:
                self.report(f"{path}: is a symbolic link to a folder that contains it; remove it")
                return
            self.read(path, (*parents, real))
            return

        if not stat.S_ISREG(mode):
            self.report(f"{path}: is neither a file nor a folder; remove it")
            return

        try:
            self.contents[path] = whole.read_bytes()
        except OSError as error:
            self.report(f"{path}: cannot be read: {error.strerror}")
            return
        if mode & stat.S_IXUSR:
            self.executables.add(path)


def _why_not(path: Path, error: OSError) -> str:
    if path.is_symlink():
        target = path.readlink()
        return f"is a symbolic link to {target}, which cannot be followed ({error.strerror})"
    return f"cannot be read: {error.strerror}"
