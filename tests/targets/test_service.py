"""The service of a stage: the settings to look up for it, and a stage without a hosted zone."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploytool.core.errors import InputError
from deploytool.core.project.config import parse_config
from deploytool.files.project import Project, load_project
from deploytool.targets.service import look_up, service_of

TEXT = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
settings = {{ zone = "{}" }}
"""


def project_with(zone: str) -> Project:
    """The shipped project with a stage of this kind of zone."""
    shipped = load_project(Path(__file__).parents[2] / "deploytool.toml")
    return replace(shipped, config=parse_config(TEXT.format(zone), "deploytool.toml"))


def target(answers: dict[str, str]) -> Any:
    """A target that finds these hosted zones by domain."""
    return SimpleNamespace(find_hosted_zone=answers.get)


def test_an_existing_zone_without_an_id_is_found_by_the_domain() -> None:
    """A stage with another kind of zone looks up nothing."""
    assert look_up(project_with("existing"), "dev", target({"dev.example.com": "Z1"})) == {
        "hosted_zone_id": "Z1"
    }
    assert look_up(project_with("new"), "dev", target({"dev.example.com": "Z1"})) == {}


def test_a_zone_that_is_not_found_is_a_problem_of_the_setting() -> None:
    """The message names the setting's key and both ways to fix it."""
    with pytest.raises(
        InputError,
        match=r"stages\.dev\.settings\.hosted_zone_id: no public hosted zone holds dev\.example\.com",
    ):
        look_up(project_with("existing"), "dev", target({}))


def test_a_domain_hosted_elsewhere_has_no_failover_to_check() -> None:
    """A check or a drill refuses such a stage before it starts."""
    project = project_with("external")
    with pytest.raises(InputError, match="stage dev has no hosted zone") as caught:
        service_of(project, project.graph("dev"), {})
    assert "docs/how-to/domain.md" in caught.value.hint
