"""What a shell offers while a command line is typed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploytool.cli import COMMANDS, main
from deploytool.commands.arguments.completion import SCRIPTS, SHELLS

CONFIG = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
[stages.demo]
[stages.prod]
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a configuration."""
    (tmp_path / "deploytool.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["dr"], ["drill"]),
        (["drill", "--stage", "de"], ["dev", "demo"]),
        (["drill", "--region", ""], ["us-east-1", "us-west-2"]),
        (["drill", "--fault", "thr"], ["throttle"]),
        (["plan", "--output", ""], ["text", "json"]),
        (["drill", "--report"], ["--report-dir"]),
        (["drill", "--local", "--no-g"], ["--no-guard"]),
        (["local", "st"], ["status", "stop-region", "start-region"]),
        (["local", "up", "--spe"], ["--speed"]),
        (["xyzzy", "--s"], []),
    ],
)
def test_the_words_that_can_follow(
    capsys: pytest.CaptureFixture[str], words: list[str], expected: list[str]
) -> None:
    """Commands, actions, options, choices, stages, regions and faults."""
    assert main(["__complete", *words]) == 0
    assert capsys.readouterr().out.split() == expected


def test_every_command_is_offered(capsys: pytest.CaptureFixture[str]) -> None:
    """Also with nothing typed."""
    assert main(["__complete", ""]) == 0
    assert capsys.readouterr().out.split() == [*COMMANDS, "local"]


@pytest.mark.parametrize("text", [None, "[", "stages = 3"])
def test_a_broken_configuration_offers_no_stage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    """Nothing may fail while one types."""
    if text is None:
        (tmp_path / "deploytool.toml").unlink()
    else:
        (tmp_path / "deploytool.toml").write_text(text)
    assert main(["__complete", "drill", "--stage", "d"]) == 0
    assert not capsys.readouterr().out


def test_bash_completes(tmp_path: Path) -> None:
    """The real one, with the script that the command prints."""
    program = tmp_path / "deploytool"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m deploytool "$@"\n')
    program.chmod(0o755)
    script = (
        "source <(deploytool completion bash);"
        " COMP_WORDS=(deploytool drill --stage de); COMP_CWORD=3; _deploytool;"
        ' echo "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["dev", "demo"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_of_its_shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    """A shell that is installed reads it without an error."""
    assert main(["completion", shell]) == 0
    printed = capsys.readouterr().out
    assert printed == SCRIPTS[shell]
    path = tmp_path / "script"
    path.write_text(printed)
    if shutil.which(shell):
        subprocess.run([shell, "-n", path], check=True)
