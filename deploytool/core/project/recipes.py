"""How an artifact is built: by its own command, or by the recipe that fits its folder. Pure."""

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import assert_never

from deploytool.core.errors import InputProblems
from deploytool.core.project.graphfile import ArtifactSpec
from deploytool.core.project.package import Files, hash_of
from deploytool.core.project.platform import MACHINES, NPM_CPUS, Platform

REQUIREMENTS = "requirements.txt"
PACKAGE_LOCK = "package-lock.json"

# Changes with the recipes below, so that what an older version built is not used.
VERSION = "1"


@dataclass(frozen=True)
class CommandBuild:
    """A command of the user's, for the shell. What it leaves in `output` is packaged."""

    command: str
    output: str


@dataclass(frozen=True)
class PipBuild:
    """The packages of requirements.txt, installed beside the function's own files."""


@dataclass(frozen=True)
class NpmBuild:
    """The packages of package-lock.json, installed into node_modules."""


Build = CommandBuild | PipBuild | NpmBuild


def choose_build(
    spec: ArtifactSpec, names: Collection[str], problems: InputProblems
) -> Build | None:
    """Return how to build an artifact, None when its folder is packaged as it is.

    `names` are the paths of the folder's files.
    """
    if spec.build is None:
        return None
    if spec.build:
        return CommandBuild(spec.build, spec.output)

    has_requirements = REQUIREMENTS in names
    has_lock = PACKAGE_LOCK in names
    if has_requirements and has_lock:
        problems.add(
            f"artifacts.{spec.name}.build",
            f"{spec.source} has {REQUIREMENTS} and {PACKAGE_LOCK}; say with a command which to"
            " install, or with false that neither is",
        )
        return None
    if has_requirements:
        return PipBuild()
    return NpmBuild() if has_lock else None


def build_key(source: Files, build: Build, ignore: Sequence[str], platform: Platform) -> str:
    """Return the name under which the result of a build is kept: equal inputs have an equal one."""
    inputs = {
        "deploytool/version": VERSION.encode(),
        "deploytool/build": repr(build).encode(),
        "deploytool/ignore": repr(tuple(ignore)).encode(),
        "deploytool/platform": repr(platform).encode(),
        "deploytool/source": hash_of(source).encode(),
    }
    return hash_of(Files(inputs))[:16]


def platform_problem(build: Build, platform: Platform) -> str:
    """Return why a build cannot be done for a platform; empty when it can."""
    match build:
        case CommandBuild():
            return ""
        case PipBuild():
            if platform.python is None:
                return _not_known("runtime", platform.runtime, "python3.13")
        case NpmBuild():
            if not platform.runtime.startswith("nodejs"):
                return _not_known("runtime", platform.runtime, "nodejs22.x")
        case _:
            assert_never(build)
    if platform.architecture not in MACHINES:
        return _not_known("architecture", platform.architecture, "arm64")
    return ""


def _not_known(what: str, value: str, example: str) -> str:
    if value:
        return (
            f"its function has the {what} {value}, which this build is not for; add `build: false`"
        )
    return f"the template does not say the function's {what}; add `{what}: {example}`"


def environment(platform: Platform, source: str) -> dict[str, str]:
    """Return the variables that a command gets beside those of the user.

    `source` is the path of the artifact's own folder: the command runs in a copy of it.
    """
    return {
        "DEPLOYTOOL_RUNTIME": platform.runtime,
        "DEPLOYTOOL_ARCHITECTURE": platform.architecture,
        "DEPLOYTOOL_LOCAL": "1" if platform.local else "",
        "DEPLOYTOOL_SOURCE": source,
        # 1980-01-01, the earliest time of a zip: build tools put this time into what they make.
        "SOURCE_DATE_EPOCH": "315532800",
    }


def pip_command(platform: Platform, python: str, target: str) -> list[str]:
    """Return the command that installs requirements.txt into a folder with pip.

    pip chooses wheels for its own machine unless it is told otherwise, and takes the names of
    platforms literally: a wheel for an older glibc is only found if that platform is listed too
    (pip's documentation, "pip install", --platform). `--only-binary` is then required: what pip
    compiles is for this machine. It is the same in a local cloud, so that both refuse the same.
    """
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    # pip.conf may ask for --user, which excludes --target. Compiled files hold times.
    command += ["--no-user", "--no-compile", "--no-warn-script-location"]
    command += ["--only-binary", ":all:", "--target", target, "--requirement", REQUIREMENTS]
    if platform.local or platform.python is None:
        return command

    major, minor = platform.python
    command += ["--implementation", "cp", "--python-version", f"{major}.{minor}"]
    for name in wheel_platforms(platform):
        command += ["--platform", name]
    return command


def wheel_platforms(platform: Platform) -> list[str]:
    """Return the platforms whose wheels a function can load, the newest first (PEP 600, PEP 599)."""
    machine = MACHINES[platform.architecture]
    oldest = 5 if machine == "x86_64" else 17
    names = [f"manylinux_2_{minor}_{machine}" for minor in range(platform.glibc, oldest - 1, -1)]
    # pip knows that this includes manylinux2010 and manylinux1.
    return [*names, f"manylinux2014_{machine}"]


def uv_command(platform: Platform, python: str, target: str) -> list[str]:
    """Return the command that installs requirements.txt into a folder with uv."""
    command = ["uv", "pip", "install", "--only-binary", ":all:", "--target", target]
    command += ["--requirement", REQUIREMENTS]
    if platform.local or platform.python is None:
        return [*command, "--python", python]

    major, minor = platform.python
    machine = MACHINES[platform.architecture]
    # uv has no 2_26, and takes the wheels of older ones by itself.
    level = platform.glibc if platform.glibc == 34 else 17
    return [
        *command,
        *("--python-version", f"{major}.{minor}"),
        *("--python-platform", f"{machine}-manylinux_2_{level}"),
    ]


def npm_command(platform: Platform) -> list[str]:
    """Return the command that installs package-lock.json.

    Scripts of packages do not run: they would compile for this machine. npm chooses optional
    packages, which is how native code is published, by `--os`, `--cpu` and `--libc` (npm's
    documentation, "config").
    """
    command = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-bin-links"]
    command += ["--no-audit", "--no-fund", "--no-update-notifier"]
    if platform.local:
        return command
    cpu = NPM_CPUS[platform.architecture]
    return [*command, "--os=linux", f"--cpu={cpu}", "--libc=glibc"]


def shown(command: Sequence[str] | str) -> str:
    """Return a command as a user would type it."""
    return command if isinstance(command, str) else shlex.join(command)
