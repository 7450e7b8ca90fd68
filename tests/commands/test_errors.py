"""How a command ends when deploytool itself has a bug."""

import json
from pathlib import Path
from typing import NoReturn

import pytest

from deploytool import cli
from deploytool.commands import status
from deploytool.core.errors import ApiUnavailable, InputError
from deploytool.render.terminal import Terminal


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


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (ApiUnavailable("no answer", "us-east-1", hint="wait"), 4),
        (InputError("bad", hint="wait"), 2),
        (KeyboardInterrupt(), 130),
        (KeyError("stack"), 70),
    ],
)
def test_an_error_is_a_json_document_too(
    error: BaseException,
    exit_code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With --output json a program reads the error from standard output; the text stays beside."""

    def run(_arguments: object) -> NoReturn:
        raise error

    monkeypatch.setattr(status, "run", run)
    assert cli.main(["status", "--output", "json"]) == exit_code
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document.keys() == {"error", "hint", "exit_code"}
    assert document["exit_code"] == exit_code
    assert document["error"] in err
    assert cli.main(["status"]) == exit_code
    assert capsys.readouterr().out == ""


def test_a_document_that_is_printed_stays_the_only_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command that fails after its document does not print another one."""

    def run(_arguments: object) -> NoReturn:
        Terminal(json=True).document({"result": 1})
        raise ApiUnavailable("no answer", "us-east-1")

    monkeypatch.setattr(status, "run", run)
    assert cli.main(["status", "--output", "json"]) == 4
    assert json.loads(capsys.readouterr().out) == {"result": 1}
