"""End to end: a project deployed and drilled, on the local cloud or on AWS (--target), looked at
with independent clients.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SPEED = 10.0  # of the local cloud; a module that sets its own SPEED has that


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--target",
        choices=("local", "aws"),
        default="local",
        help="where the end-to-end tests run (default: the local cloud)",
    )
    parser.addoption(
        "--project",
        type=Path,
        default=ROOT,
        help="the project to deploy; on AWS one whose domain you own",
    )
    parser.addoption("--stage", default="dev", help="the stage to deploy and drill")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "local_only: needs what only the local cloud can do, like stopping a region"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--target") == "aws":
        for item in items:
            if item.get_closest_marker("local_only"):
                item.add_marker(pytest.mark.skip(reason="only the local cloud can do this"))


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Bench:
    """A project and a target to run deploytool on, as a user would: in a shell, in the project's
    folder.
    """

    folder: Path
    target: str
    stage: str
    env: Mapping[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        """A deploytool command for this target and stage."""
        options = [*(["--local"] if self.target == "local" else []), "--stage", self.stage]
        return [sys.executable, "-m", "deploytool", words[0], *options, *words[1:]]

    def deploytool(self, *words: str, timeout: float = 100) -> Ran:
        return self.run(self.command(*words), timeout=timeout)

    def run(self, command: Sequence[str], timeout: float = 100) -> Ran:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.env}

    @property
    def domain(self) -> str:
        return f"{self.stage}.example.com"


def copy_project(folder: Path, source: Path = ROOT) -> Path:
    """A project of its own for a test that changes it."""
    shutil.copy(source / "deploytool.toml", folder)
    for name in ("infra", "lambda"):
        shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of this project for a test that breaks it."""
    return copy_project(tmp_path)


@pytest.fixture(scope="module")
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """A target with nothing of this module's deployed yet; on the local cloud one of its own."""
    target, stage = request.config.getoption("--target"), request.config.getoption("--stage")
    source = request.config.getoption("--project")
    folder = copy_project(tmp_path_factory.mktemp("project"), source)
    if target == "aws":
        yield Bench(folder, target, stage)
        return
    found = Bench(
        folder, target, stage, {"DEPLOYTOOL_LOCAL_DIR": str(tmp_path_factory.mktemp("cloud"))}
    )
    speed = getattr(request.module, "SPEED", SPEED)
    up = found.run([sys.executable, "-m", "deploytool", "local", "up", "--speed", str(speed)])
    assert up.code == 0, up.err
    try:
        yield found
    finally:
        down = found.run([sys.executable, "-m", "deploytool", "local", "down"])
        assert down.code == 0, down.err


@pytest.fixture(scope="session")
def make_bench(request: pytest.FixtureRequest) -> Callable[[Path], Bench]:
    """A copy of the project in a folder, to run commands in; no cloud is there yet."""
    target, stage = request.config.getoption("--target"), request.config.getoption("--stage")
    return lambda folder: Bench(
        copy_project(folder, request.config.getoption("--project")), target, stage
    )


@pytest.fixture(scope="module")
def deployed(bench: Bench) -> Bench:
    """The stage, deployed."""
    done = bench.deploytool("deploy", timeout=1800 if bench.target == "aws" else 100)
    assert done.code == 0, done.err
    return bench


@dataclass(frozen=True)
class Clients:
    """Independent clients of a local cloud: dig, curl and the AWS CLI, with what `deploytool local
    env` prints.
    """

    bench: Bench
    env: Mapping[str, str | None]

    def dig(self, name: str, *options: str) -> list[str]:
        """The addresses that the zone's name server answers."""
        address, port = str(self.env["DEPLOYTOOL_DNS"]).split(":")
        done = self.bench.run(
            ["dig", f"@{address}", "-p", port, "+short", "+tries=1", *options, name, "A"]
        )
        assert done.code == 0, done.out + done.err
        return done.out.split()

    def curl(self, name: str, address: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON of /v1 at an address, the certificate verified against the local
        authority.
        """
        done = self.try_curl(name, address)
        assert done.code == 0, done.err
        body, _, status = done.out.rpartition("\n")
        return int(status), json.loads(body)

    def try_curl(self, name: str, address: str) -> Ran:
        """The same, however curl ends (7 where the connection is refused); the last line of its
        output is the status.
        """
        port = self.env["DEPLOYTOOL_HTTPS_PORT"]
        where = [
            "--noproxy",
            "*",
            "--cacert",
            self.env["DEPLOYTOOL_CA"],
            "--resolve",
            f"{name}:{port}:{address}",
        ]
        return self.bench.run(
            ["curl", "-sS", "-m", "10", "-w", "\n%{http_code}", *where, f"https://{name}:{port}/v1"]
        )

    def aws(self, *words: str) -> Any:
        """A call of the AWS CLI."""
        done = subprocess.run(
            [sys.executable, "-m", "awscli", *words, "--output", "json"],
            env={
                name: value
                for name, value in {**self.bench.environment, **self.env}.items()
                if value is not None
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def clients(deployed: Bench) -> Clients:
    """Independent clients. Where dig or curl is missing the tests fail on CI and are skipped, with
    the reason, elsewhere.
    """
    for name in ("dig", "curl"):
        if shutil.which(name) is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed")
    env = deployed.run([sys.executable, "-m", "deploytool", "local", "env", "--output", "json"])
    assert env.code == 0, env.err
    return Clients(deployed, env.json)
