"""`deploytool matrix`: what a pipeline must know of a stage."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploytool.cli import main

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
project = "hello"
domain = "example.com"
regions = ["eu-west-1", "eu-central-1"]
{drill}
[stages.dev]
[stages.prod]
[stages.elsewhere.settings]
zone = "external"
"""


def matrix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stage: str, drill: str = ""
) -> dict[str, Any]:
    """The document of a stage."""
    (tmp_path / "deploytool.toml").write_text(CONFIG.format(drill=drill))
    if not (tmp_path / "infra").exists():
        for name in ("infra", "lambda"):
            (tmp_path / name).symlink_to(ROOT / name)
    config = str(tmp_path / "deploytool.toml")
    assert main(["matrix", "--stage", stage, "--config", config, "--output", "json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_the_standby_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rollout updates it before the region that serves."""
    document = matrix(tmp_path, capsys, "dev")
    assert document["matrix"] == {"region": ["eu-central-1", "eu-west-1"]}
    assert (document["primary"], document["secondary"]) == ("eu-west-1", "eu-central-1")
    assert document["url"] == "https://dev.example.com/v1"


@pytest.mark.parametrize(
    ("stage", "drill", "expected"),
    [
        ("dev", "", "health-check"),
        ("dev", '[drill]\nafter_deploy = "throttle"', "throttle"),
        ("dev", '[drill]\nafter_deploy = "none"', ""),
        ("prod", "", ""),  # protected: a person types its domain
        ("elsewhere", "", ""),  # its records are not ours
    ],
)
def test_the_drill_after_a_deployment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stage: str, drill: str, expected: str
) -> None:
    """By default the health check of every stage that is not protected is forced to fail."""
    assert matrix(tmp_path, capsys, stage, drill)["drill"] == expected


def test_an_unknown_fault_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the key and what it can be."""
    (tmp_path / "deploytool.toml").write_text(CONFIG.format(drill='[drill]\nafter_deploy = "x"'))
    assert main(["matrix", "--config", str(tmp_path / "deploytool.toml")]) == 2
    error = capsys.readouterr().err
    assert "drill.after_deploy: 'x' is not valid; it must be one of health-check" in error


def test_the_lines_are_outputs_of_a_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is `name=value`, with JSON in one line, as GITHUB_OUTPUT takes it."""
    document = matrix(tmp_path, capsys, "dev")
    main(["matrix", "--stage", "dev", "--config", str(tmp_path / "deploytool.toml")])
    lines = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert lines.keys() == document.keys()
    assert json.loads(lines["matrix"]) == document["matrix"]
    assert lines["drill"] == "health-check"


def test_the_configuration_of_a_folder_above_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So commands work in every folder of a project."""
    document = matrix(tmp_path, capsys, "dev")
    inner = tmp_path / "docs" / "deep"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert main(["matrix", "--stage", "dev", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == document
