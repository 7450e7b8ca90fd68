"""Reads the files that a new project begins with, and writes them.

They are the folders of deploytool's own repository. A wheel carries them in `deploytool/starter`.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploytool.core.errors import DeploytoolError

PACKAGE = Path(__file__).resolve().parents[1]
# What a project gets, each a file or a folder of the repository. pyproject.toml puts the same into
# the wheel: tests/files/test_starter.py compares them.
STARTER = (
    ".cfnlintrc.yaml",
    ".github/actions/setup",
    ".github/workflows/ci.yml",
    ".github/workflows/deploy.yml",
    ".github/workflows/failover-drill.yml",
    ".github/workflows/failover.yml",
    ".github/workflows/taskcat.yml",
    ".taskcat.yml",
    "failover_tests",
    "infra",
    "lambda",
    "requirements.lock",
    "tests/taskcat/deploytool.toml",
    "tests/taskcat/leftovers.py",
    "tests/taskcat/names.yaml",
    "tests/taskcat/parameters.yaml",
    "tests/taskcat/requirements.lock",
    "tests/taskcat/requirements.txt",
    "tests/taskcat/run.py",
    "tests/taskcat/stacks.yaml",
)


def read_starter() -> dict[str, bytes]:
    """Return the files of a new project by path, with the content that deploytool's own have."""
    root = PACKAGE / "starter"
    if not root.is_dir():
        root = PACKAGE.parent  # a checkout of the repository
    files: dict[str, bytes] = {}
    for name in STARTER:
        for path in _files_of(root / name):
            files[path.relative_to(root).as_posix()] = path.read_bytes()
    return files


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for inner in sorted(path.rglob("*")):
        if inner.is_file() and "__pycache__" not in inner.parts:
            yield inner


def read_files(folder: Path, paths: Iterator[str]) -> dict[str, bytes]:
    """Return those of the files that exist. Raises DeploytoolError for one that cannot be read."""
    files: dict[str, bytes] = {}
    for path in paths:
        try:
            files[path] = (folder / path).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise DeploytoolError(f"{path}: {error.strerror or error}") from error
    return files


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, each as a whole or not at all. Raises DeploytoolError when one cannot be."""
    for path, content in files.items():
        target = folder / path
        partial = target.with_name(f".{target.name}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            os.replace(partial, target)  # noqa: PTH105  # Path.replace is the same
        except OSError as error:
            raise DeploytoolError(
                f"{path}: cannot be written: {error.strerror or error}",
                hint="what was written before it is there: fix this and run the command again",
            ) from error
