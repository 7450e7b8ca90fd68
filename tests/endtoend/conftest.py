"""End to end: a project is deployed and drilled on the local cloud.

Independent clients (dig, curl, the AWS CLI) observe it. `failover_tests/` has the tests of a
project, which also run on AWS.
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

from tests import forked

ROOT = Path(__file__).resolve().parents[2]
DEPLOYTOOL = [sys.executable, "-m", "deploytool"]
SPEED = 10.0  # of the local cloud, unless a module sets a SPEED of its own


STAGE = "dev"


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
    """A project and a local cloud, on which deploytool runs as for a user, in the project's folder."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        """Return a deploytool command line for this cloud and stage."""
        return [*DEPLOYTOOL, words[0], "--stage", self.stage, "--local", *words[1:]]

    def deploytool(self, *words: str, timeout: float = 100) -> Ran:
        """Run a deploytool command; `timeout` is in seconds."""
        return self.run(self.command(*words), timeout=timeout)

    def run(self, command: Sequence[str], timeout: float = 100) -> Ran:
        """Run any command; one of deploytool is forked. No command may show a traceback."""
        if list(command[: len(DEPLOYTOOL)]) == DEPLOYTOOL:
            words = command[len(DEPLOYTOOL) :]
            done = forked.run(words, self.folder, self.environment, timeout)
        else:
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
    def stage(self) -> str:
        return STAGE

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.env}

    @property
    def domain(self) -> str:
        return f"{self.stage}.example.com"


# The project of these tests. That of the repository may have any names and regions.
PROJECT = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]

[stages.dev]

[stages.prod]
"""
# Each health check of a local cloud costs processor time. Six checkers are judged as eleven are.
EVERY_REGION = "  checker_regions:\n    default: []\n"
FEW_REGIONS = "  checker_regions:\n    default: [us-east-1, us-west-2, eu-west-1]\n"


def copy_project(folder: Path) -> Path:
    """Copy the repository's project into a folder, with PROJECT and fewer health checkers."""
    for name in ("infra", "lambda"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "deploytool.toml").write_text(PROJECT)
    graph = folder / "infra" / "stacks.yaml"
    text = graph.read_text()
    assert EVERY_REGION in text
    graph.write_text(text.replace(EVERY_REGION, FEW_REGIONS))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of this project, for a test that breaks it."""
    return copy_project(tmp_path)


@pytest.fixture(scope="module")
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """A local cloud of the module's own with nothing deployed."""
    folder = copy_project(tmp_path_factory.mktemp("project"))
    directory = tmp_path_factory.mktemp("cloud")
    bench = Bench(folder, {"DEPLOYTOOL_LOCAL_DIR": str(directory)})
    speed = getattr(request.module, "SPEED", SPEED)
    quotas = request.config.getoption("--quotas")
    up = bench.run([*DEPLOYTOOL, "local", "up", "--speed", str(speed), "--quotas", quotas])
    assert up.code == 0, up.err
    try:
        yield bench
    finally:
        down = bench.run([*DEPLOYTOOL, "local", "down"])
        assert down.code == 0, down.err


@pytest.fixture(scope="session")
def make_bench() -> Callable[[Path], Bench]:
    """Return a function that copies the project into a folder; it starts no cloud."""

    def make(folder: Path) -> Bench:
        return Bench(copy_project(folder))

    return make


@pytest.fixture(scope="module")
def deployed(bench: Bench) -> Bench:
    """The stage, deployed."""
    done = bench.deploytool("deploy")
    assert done.code == 0, done.err
    return bench


@dataclass(frozen=True)
class Clients:
    """dig, curl and the AWS CLI, with the variables that `deploytool local env` prints."""

    bench: Bench
    env: Mapping[str, str | None]

    def dig(self, name: str, *options: str) -> list[str]:
        """Return the addresses that the zone's name server answers."""
        address, port = str(self.env["DEPLOYTOOL_DNS"]).split(":")
        done = self.bench.run(
            ["dig", f"@{address}", "-p", port, "+short", "+tries=1", *options, name, "A"]
        )
        assert done.code == 0, done.out + done.err
        return done.out.split()

    def curl(self, name: str, address: str) -> tuple[int, dict[str, Any]]:
        """Return status and JSON of /v1 at an address.

        curl verifies the certificate against the local authority.
        """
        done = self.try_curl(name, address)
        assert done.code == 0, done.err
        body, _, status = done.out.rpartition("\n")
        return int(status), json.loads(body)

    def try_curl(self, name: str, address: str) -> Ran:
        """Run curl as `curl` does, however it ends (with 7 when the connection is refused).

        The last line of the output is the HTTP status.
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
        """Run the AWS CLI and return its JSON."""
        return json.loads(self.aws_quietly(*words))

    def aws_quietly(self, *words: str) -> str:
        """Run the AWS CLI and return its output. Some of its commands print nothing."""
        variables = {**self.bench.environment, **self.env}
        # `local env` gives None for a variable to unset
        environment = {name: value for name, value in variables.items() if value is not None}
        done = subprocess.run(
            [sys.executable, "-m", "awscli", *words, "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def clients(deployed: Bench) -> Clients:
    """Independent clients. Without dig or curl the tests fail on CI and are skipped elsewhere."""
    for name in ("dig", "curl"):
        if shutil.which(name) is None:
            give_up = pytest.fail if os.environ.get("CI") else pytest.skip
            give_up(f"{name} is not installed")
    env = deployed.run([*DEPLOYTOOL, "local", "env", "--output", "json"])
    assert env.code == 0, env.err
    return Clients(deployed, env.json)
