"""The version of MiniStack that this deploytool is made for."""

import tomllib
from pathlib import Path

import pytest

from deploytool.core.errors import InputError
from deploytool.localcloud.ministack import emulator

PROJECT_FILE = Path(__file__).parents[3] / "pyproject.toml"


def test_the_supported_version_is_the_pinned_one() -> None:
    """The extra `local` installs exactly the version that the patches are made for."""
    project = tomllib.loads(PROJECT_FILE.read_text(encoding="utf-8"))["project"]
    pinned = f"ministack=={emulator.SUPPORTED_VERSION}"
    assert pinned in project["optional-dependencies"]["local"]


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version is bad input (exit code 2), and the message names both versions."""
    monkeypatch.setattr(emulator, "ministack_version", lambda: "1.6.0")
    with pytest.raises(InputError, match=r"MiniStack 1\.6\.0 is installed.*MiniStack 1\.5\.33"):
        emulator.load()
