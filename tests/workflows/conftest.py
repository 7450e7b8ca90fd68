"""A private local cloud, a copy of the repository, and a runner of its workflows."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploytool.cli import main
from deploytool.core.project.starter import Answers, config_text
from deploytool.localcloud import lifecycle
from deploytool.localcloud.settings import Settings
from tests.workflows.actions import World
from tests.workflows.expressions import Evaluator, evaluator
from tests.workflows.runner import Runner

PRIMARY, SECONDARY = "us-east-1", "us-west-2"
ROOT = Path(__file__).resolve().parents[2]
# A faster cloud would exceed the time limits of a check on a busy machine.
SPEED = 5.0
# Steps of the set-up whose effect the .venv of this process has
INSTALLED = ("install what the lock file has", "install deploytool", "install taskcat")
LEFT_BEHIND = (
    ".git",
    ".venv",
    ".deploytool",
    ".bench",
    "reports",
    "*_cache",
    "__pycache__",
    "node_modules",
    ".hypothesis",
)


@pytest.fixture(scope="session")
def github() -> Iterator[Evaluator]:
    with evaluator() as started:
        yield started


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str | None]]:
    """The variables that point deploytool at a private local cloud."""
    regions = (PRIMARY, SECONDARY)
    with lifecycle.private(Settings(tmp_path_factory.mktemp("cloud"), regions, SPEED)) as state:
        yield {**lifecycle.environment(state, {}), "DEPLOYTOOL_TARGET": "local"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the repository, whose workflows are run and whose files may be broken.

    Its project is not that of the repository, which a fork changes.
    """
    folder = tmp_path / "repository"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND), symlinks=True)
    answers = Answers("hello", "example.com", (PRIMARY, SECONDARY))
    (folder / "deploytool.toml").write_text(config_text(answers))
    return folder


@pytest.fixture
def own_project(
    tmp_path: Path, github: Evaluator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runner]:
    """A runner of the workflows of a project that `deploytool init` wrote, with regions of its own."""
    folder = tmp_path / "repository"
    regions = ("eu-west-1", "eu-central-1")
    options = ["--project", "acme", "--domain", "acme.example", "--regions", ",".join(regions)]
    assert main(["init", str(folder), *options]) == 0
    with lifecycle.private(Settings(tmp_path_factory.mktemp("own"), regions, SPEED)) as state:
        variables = {**lifecycle.environment(state, {}), "DEPLOYTOOL_TARGET": "local"}
        world = World(folder, _check_out_of(folder), variables)
        yield Runner(world, github, tmp_path / "machines", installed=INSTALLED)


@pytest.fixture
def runner(
    repository: Path,
    cloud: dict[str, str | None],
    github: Evaluator,
    tmp_path: Path,
) -> Runner:
    return Runner(
        World(repository, _check_out_of(repository), cloud),
        github,
        tmp_path / "machines",
        installed=INSTALLED,
    )


def _check_out_of(repository: Path) -> Callable[[Path], None]:
    """Return a function that copies the repository into a workspace.

    The workspace gets this process's .venv.
    """

    def check_out(workspace: Path) -> None:
        shutil.copytree(repository, workspace, dirs_exist_ok=True)
        (workspace / ".git").mkdir()  # marks the project's root for actionlint
        (workspace / ".venv").symlink_to(sys.prefix)

    return check_out
