"""`deploytool deploy --repair` is refused where it cannot be done, before anything is touched."""

import json
from pathlib import Path

import pytest

from deploytool import cli


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--local"], "--repair: the local cloud has no drift-aware change sets"),
        (["--plan-file", "plan.json"], "--repair: --plan-file deploys what was reviewed"),
        (["--express"], "--repair and --express cannot be combined"),
    ],
)
def test_what_a_repair_cannot_be_combined_with(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str], message: str
) -> None:
    """It is bad input: the exit code is 2, and no project is read before it."""
    config = str(tmp_path / "missing.toml")
    words = ["deploy", "--stage", "dev", "--repair", "--output", "json", "--config", config]
    assert cli.main([*words, *options]) == 2
    document = json.loads(capsys.readouterr().out)
    assert message in document["error"]
    assert document["hint"]
