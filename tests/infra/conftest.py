"""The project as it is shipped: its templates, its graph file and one stage's graph."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # cfn-lint ships no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]  # the same

from deploytool.core.project.graph import Graph
from deploytool.files.project import Project, load_project

ROOT = Path(__file__).parents[2]
LintProblems = Callable[[str], list[str]]


@pytest.fixture(scope="session")
def project() -> Project:
    """The repository's own deploytool.toml with everything that it names."""
    return load_project(ROOT / "deploytool.toml")


@pytest.fixture(scope="session")
def graph(project: Project) -> Graph:
    """The graph of the first stage."""
    return project.graph(next(iter(project.config.stages)))


@pytest.fixture(scope="session")
def lint_problems(project: Project) -> LintProblems:
    """Return a function that lists cfn-lint's problems for both regions, informational ones too."""

    def problems(text: str) -> list[str]:
        return [
            str(match)
            for match in lint(
                text, config=ManualArgs(regions=list(project.config.regions), include_checks=["I"])
            )
        ]

    return problems
