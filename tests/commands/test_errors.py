"""How a command ends when deploytool itself has a bug."""

from pathlib import Path
from typing import NoReturn

import pytest

from deploytool import cli
from deploytool.commands import status


@pytest.fixture(autouse=True)
def bug(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let `deploytool status` raise an exception that nothing expects."""

    def run(_arguments: object) -> NoReturn:
        raise KeyError("stack")

    monkeypatch.setattr(status, "run", run)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(cli.TRACEBACK, raising=False)


def test_a_bug_ends_with_70_and_keeps_the_traceback(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The user reads two lines, which name a file with the traceback for the report."""
    assert cli.main(["status"]) == 70
    [message, hint] = capsys.readouterr().err.splitlines()
    assert message == "error: unexpected KeyError: 'stack'"
    assert "this is a bug in deploytool; please report it" in hint
    [file] = tmp_path.iterdir()
    assert str(file) in hint
    assert "Traceback" in file.read_text(encoding="utf-8")


def test_the_traceback_can_be_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """DEPLOYTOOL_TRACEBACK=1 prints it; the exit code stays 70, and no file is written."""
    monkeypatch.setenv(cli.TRACEBACK, "1")
    assert cli.main(["status"]) == 70
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert "please report it with the traceback above" in error
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_does_not_hide_the_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without a file the message says how to get the traceback."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert cli.main(["status"]) == 70
    assert "DEPLOYTOOL_TRACEBACK=1" in capsys.readouterr().err
