"""The lock files hold what pyproject.toml asks for, and each file of it by its hash."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Each lock, and the requirements that it locks
LOCKS = {
    "requirements.lock": ("local", "lint", "test"),
    "requirements-dev.lock": ("dev",),
    ".github/requirements.lock": ".github/requirements.txt",
    ".ci/checkov.lock": ".ci/checkov.txt",
    ".ci/docs.lock": ".ci/docs.txt",
    ".ci/supply.lock": ".ci/supply.txt",
    ".ci/uv.lock": ".ci/uv.txt",
    "tests/taskcat/requirements.lock": "tests/taskcat/requirements.txt",
}
NO_INDEX = re.compile(r"https?://|--(extra-)?index-url|--find-links")


def extras(names: tuple[str, ...]) -> list[Requirement]:
    """Return what the project and these extras require, with the extras that they name."""
    found = []
    for text in PROJECT["dependencies"]:
        found.append(Requirement(text))
    waiting = list(names)
    while waiting:
        for text in PROJECT["optional-dependencies"][waiting.pop()]:
            requirement = Requirement(text)
            if requirement.name == PROJECT["name"]:
                waiting += sorted(requirement.extras)
            else:
                found.append(requirement)
    return found


def asked(source: tuple[str, ...] | str) -> list[Requirement]:
    if isinstance(source, tuple):
        return extras(source)
    lines = (ROOT / source).read_text().splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def locked(lock: str) -> list[tuple[Requirement, int]]:
    """Return each requirement of a lock with the number of its hashes."""
    text = re.sub(r"^ +#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE)
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = line.split(" --hash=sha256:")
        found.append((Requirement(requirement.strip()), len(hashes)))
    return found


def versions(lock: str) -> dict[str, set[str]]:
    """Return the versions of each package: several when platforms or Pythons take others."""
    found: dict[str, set[str]] = {}
    for requirement, _hashes in locked(lock):
        (pin,) = requirement.specifier
        assert pin.operator == "==", requirement
        found.setdefault(canonicalize_name(requirement.name), set()).add(pin.version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_each_requirement_is_locked_to_a_version_that_fits(lock: str) -> None:
    """After a change of a requirement, `make lock` writes the locks again."""
    found = versions(lock)
    for requirement in asked(LOCKS[lock]):
        name = canonicalize_name(requirement.name)
        assert name in found, f"{requirement} is not in {lock}: run `make lock`"
        for version in found[name]:
            fits = requirement.specifier.contains(version, prereleases=True)
            assert fits, f"{name} {version} of {lock} is not {requirement}: run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_each_file_has_a_hash_and_comes_from_where_the_user_says(lock: str) -> None:
    """With hashes pip refuses another file. The lock names no index of the machine that wrote it."""
    for requirement, hashes in locked(lock):
        assert hashes, f"{requirement} of {lock} has no hash"
        assert requirement.url is None
    assert not NO_INDEX.search((ROOT / lock).read_text())


@pytest.mark.parametrize("lock", ["requirements.lock", "tests/taskcat/requirements.lock"])
def test_users_get_the_versions_that_the_tests_ran_with(lock: str) -> None:
    """Each version of a users' lock is one of the developers' lock."""
    tested = versions("requirements-dev.lock")
    for name, wanted in versions(lock).items():
        assert wanted <= tested.get(name, set()), name
