"""A name that exists is refused with the resource, the reason and the place in the template."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploytool.cli import main
from deploytool.localcloud.state import State

CONFIG = """
project = "taken"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
"""
GRAPH = "stacks: {note: {template: note.yaml, scope: regional}}"
NOTE = """
Resources:
  Note: {{Type: 'AWS::SSM::Parameter', Properties: {{Type: String, Name: {name}, Value: x}}}}
"""
TAKEN = "taken-by-somebody"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(
    cloud: State,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Return what writes a template with a name and runs a command; returns code and all output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEPLOYTOOL_LOCAL_DIR", str(cloud.ca.parent))
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "stacks.yaml").write_text(GRAPH)
    (tmp_path / "deploytool.toml").write_text(CONFIG)

    def run(command: str, name: str) -> tuple[int, str]:
        (tmp_path / "infra" / "note.yaml").write_text(NOTE.format(name=name))
        code = main([command, "--local"])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


def test_a_name_that_exists_is_named_with_its_place(run: Run, aws: Any) -> None:
    """When a stack is created, when an update is planned and when it is deployed."""
    aws.client("ssm").put_parameter(Name=TAKEN, Value="x", Type="String")
    reason = f"Note (AWS::SSM::Parameter): Resource of type 'AWS::SSM::Parameter' with identifier '{TAKEN}'"
    place = "(at /Resources/Note)"

    for command, name in (
        ("deploy", TAKEN),
        ("deploy", "free"),
        ("plan", TAKEN),
        ("deploy", TAKEN),
    ):
        code, text = run(command, name)
        assert code == (0 if name == "free" else 1), text
        if name == TAKEN:
            assert reason in text
            assert place in text
