"""The composition root: what is looked up for a stage, and what a stage without a zone of ours
cannot have.
"""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploytool.core.errors import InputError
from deploytool.core.project.config import parse_config
from deploytool.files.project import Project, load_project
from deploytool.services import look_up, service_of

TEXT = 'project = "hello"\ndomain = "example.com"\nregions = ["us-east-1", "us-west-2"]\n[stages.dev]\nsettings = {{ zone = "{}" }}'


def project_with(zone: str) -> Project:
    """The shipped project with a stage of this kind of zone."""
    shipped = load_project(Path(__file__).parents[1] / "deploytool.toml")
    return replace(shipped, config=parse_config(TEXT.format(zone), "deploytool.toml"))


def target(answers: dict[str, str]) -> Any:
    """A target that finds these hosted zones by domain."""
    return SimpleNamespace(find_hosted_zone=answers.get)


def test_an_existing_zone_without_an_id_is_found_by_the_domain() -> None:
    """Nothing is looked up for another kind of zone."""
    assert look_up(project_with("existing"), "dev", target({"dev.example.com": "Z1"})) == {
        "hosted_zone_id": "Z1"
    }
    assert look_up(project_with("new"), "dev", target({"dev.example.com": "Z1"})) == {}


def test_a_zone_that_is_not_found_is_a_fault_of_the_setting() -> None:
    """With both ways to mend it."""
    with pytest.raises(
        InputError,
        match=r"stages\.dev\.settings\.hosted_zone_id: no public hosted zone holds dev\.example\.com",
    ):
        look_up(project_with("existing"), "dev", target({}))


def test_a_domain_hosted_elsewhere_has_no_failover_of_ours() -> None:
    """A check or a drill says so before it begins."""
    project = project_with("external")
    with pytest.raises(InputError, match="stage dev has no hosted zone") as caught:
        service_of(project, project.graph("dev"), {})
    assert "docs/how-to/domain.md" in caught.value.hint
