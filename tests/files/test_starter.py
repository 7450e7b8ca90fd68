"""The files of a new project, as a wheel carries them."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from deploytool.files.starter import STARTER

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_takes_what_a_project_gets() -> None:
    """The list of pyproject.toml is that of the code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    taken = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert taken == {name: f"deploytool/starter/{name}" for name in STARTER}


@pytest.mark.timeout(300)  # 25 s on two idle cores
def test_a_project_of_the_wheel_deploys_and_serves(tmp_path: Path) -> None:
    """The wheel alone, in a folder with a space: init, lint, and the project's own tests."""
    run(["-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")], ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    folder = tmp_path / "own api"
    folder.mkdir()

    options = ["--domain", "acme.example", "--regions", "eu-west-1,eu-central-1"]
    where = run(["-c", "import deploytool; print(deploytool.__file__)"], folder, installed)
    assert where.startswith(str(installed)), where
    run(["-m", "deploytool", "init", *options], folder, installed)
    run(["-m", "deploytool", "lint"], folder, installed)
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "failover_tests/test_serving.py"]
    assert "4 passed" in run(tests, folder, installed)


def run(words: list[str], folder: Path, path: Path | None = None) -> str:
    """Run Python, with a folder of modules before its own; return its output."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**environment(), **({"PYTHONPATH": str(path)} if path else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def environment() -> dict[str, str]:
    """The variables of this process without those of pytest."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
