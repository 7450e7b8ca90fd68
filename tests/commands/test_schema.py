"""deploytool schema: the JSON Schemas, with the settings of the project."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploytool import cli
from tests.endtoend.conftest import copy_project


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[Any, str]:
    """The document on standard output, and standard error."""
    assert cli.main(["schema", *words]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def settings_of(schema: Any) -> Any:
    return schema["properties"]["stages"]["additionalProperties"]["properties"]["settings"]


def test_the_schema_has_the_settings_of_the_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A setting that the user declares is completed and described as those that are shipped."""
    copy_project(tmp_path)
    graph = tmp_path / "infra/stacks.yaml"
    graph.write_text(
        graph.read_text().replace(
            "settings:\n", "settings:\n  color: {default: red, values: [red, blue]}    # of it\n", 1
        )
    )
    schema, err = printed(capsys, "config", "--config", str(tmp_path / "deploytool.toml"))
    settings = settings_of(schema)
    assert settings["additionalProperties"] is False
    assert settings["properties"]["color"]["description"] == "of it"
    assert settings["properties"]["color"]["anyOf"][0]["enum"] == ["red", "blue"]
    assert "zone" in settings["properties"]
    assert err == ""


@pytest.mark.parametrize("text", [None, "project = 3"])
def test_without_a_project_a_stage_may_have_any_setting(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who writes the first configuration, or a wrong one, needs the schema most."""
    path = tmp_path / "deploytool.toml"
    if text:
        path.write_text(text)
    schema, err = printed(capsys, "config", "--config", str(path))
    assert settings_of(schema)["additionalProperties"]
    assert "the schema lets a stage have any setting" in err


def test_the_schema_of_the_graph_needs_no_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the same for every project, in both output formats."""
    config = ["--config", str(tmp_path / "none.toml")]
    text, err = printed(capsys, "stacks", *config)
    document, _ = printed(capsys, "stacks", "--output", "json", *config)
    assert text == document
    assert text["properties"].keys() == {"settings", "artifacts", "stacks", "service"}
    assert err == ""
