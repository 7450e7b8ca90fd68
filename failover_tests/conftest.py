"""The fixtures of this project's end-to-end tests.

    pytest failover_tests                             on a local cloud of their own
    pytest failover_tests --target aws --stage dev    on the stage that is deployed on AWS

They read deploytool.toml, so they hold for any project, domain and pair of regions. What they
observe, they observe with dnspython and requests.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rdatatype
import dns.resolver
import pytest
import requests
from requests.adapters import HTTPAdapter

PROJECT = Path(__file__).resolve().parents[1]
DEPLOYTOOL = [sys.executable, "-m", "deploytool"]
LOCAL_SPEED = "10"  # how many times faster than real time the local cloud runs
# Seconds that a command may take: an answer that never comes must not hold a pipeline for hours
MOST_SECONDS = {"local": 300, "aws": 3600}
HTTPS_PORT = 443


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that say where the tests run."""
    parser.addoption(
        "--target",
        choices=("local", "aws"),
        default="local",
        help="where the end-to-end tests run (default: a local cloud of their own)",
    )
    parser.addoption(
        "--stage", default=None, help="the stage to test (default: the first of deploytool.toml)"
    )
    parser.addoption(
        "--confirm",
        default="",
        help="the domain of the stage, when it is protected: tests move its traffic",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of these tests."""
    config.addinivalue_line(
        "markers", "local_only: needs what only the local cloud can do, like breaking a region"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip on AWS what only the local cloud can do, and give AWS the time that it takes."""
    if config.getoption("--target") != "aws":
        return
    for item in items:
        if config.pluginmanager.hasplugin("timeout"):
            item.add_marker(pytest.mark.timeout(2 * MOST_SECONDS["aws"]))
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
        """What it has printed, as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Commands:
    """deploytool, as a user types it in the project's folder."""

    target: str
    stage: str
    env: Mapping[str, str] = field(default_factory=dict)

    def line(self, *words: str) -> list[str]:
        """Return the command line of a deploytool command for this stage."""
        local = ["--local"] if self.target == "local" else []
        return [*DEPLOYTOOL, words[0], "--stage", self.stage, *local, *words[1:]]

    def run(self, *words: str) -> Ran:
        """Run a deploytool command for this stage."""
        return self.run_line(self.line(*words))

    def local(self, *words: str) -> Ran:
        """Run `deploytool local`."""
        return self.run_line([*DEPLOYTOOL, "local", *words])

    def run_line(self, line: list[str]) -> Ran:
        """Run a command line."""
        done = subprocess.run(
            line,
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS[self.target],
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a deploytool command for this stage in the background."""
        return subprocess.Popen(
            self.line(*words),
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which commands run."""
        return {**os.environ, **self.env}


class _AtAddress(HTTPAdapter):
    """Sends the requests for a domain to an address, and verifies the certificate of the domain."""

    def __init__(self, domain: str) -> None:
        self._domain = domain
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(
            *args, **kwargs, server_hostname=self._domain, assert_hostname=self._domain
        )


@dataclass(frozen=True)
class Client:
    """A client of the API. `dns` is the name server to ask, None for those of this machine."""

    dns: tuple[str, int] | None = None
    port: int = HTTPS_PORT
    ca: str | bool = True

    def resolve(self, name: str) -> list[str]:
        """Return the IPv4 addresses of a name; each call asks again."""
        if self.dns is None:
            resolver = dns.resolver.Resolver()
            return sorted(str(record) for record in resolver.resolve(name, "A"))
        address, port = self.dns
        query = dns.message.make_query(name, "A")
        answer = dns.query.udp(query, address, port=port, timeout=10)
        records = [each for each in answer.answer if each.rdtype == dns.rdatatype.A]
        return sorted(str(record) for each in records for record in each)

    def get(self, domain: str, path: str) -> requests.Response:
        """Call a domain at its first address, over a connection of its own."""
        address = self.resolve(domain)[0]
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands before a loopback address
            session.mount("https://", _AtAddress(domain))
            return session.get(
                f"https://{address}:{self.port}{path}",
                headers={"Host": domain},
                verify=self.ca,
                timeout=10,
            )


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> str:
    """Where the tests run: local or aws."""
    return str(request.config.getoption("--target"))


@pytest.fixture(scope="session")
def stage(request: pytest.FixtureRequest) -> str:
    """The name of the stage."""
    given = request.config.getoption("--stage")
    if given:
        return str(given)
    text = (PROJECT / "deploytool.toml").read_text(encoding="utf-8")
    return str(next(iter(tomllib.loads(text)["stages"])))


@pytest.fixture(scope="session")
def facts(stage: str) -> Mapping[str, Any]:
    """What deploytool.toml says of the stage."""
    done = Commands("aws", stage).run("matrix", "--output", "json")
    assert done.code == 0, done.err
    facts: Mapping[str, Any] = done.json
    return facts


@pytest.fixture(scope="session")
def confirm(request: pytest.FixtureRequest, target: str, facts: Mapping[str, Any]) -> list[str]:
    """The options of a command that moves the traffic of the stage.

    A test that needs them is skipped for a protected stage on AWS whose domain is not confirmed.
    """
    if not facts["protected"]:
        return []
    given = facts["domain"] if target == "local" else request.config.getoption("--confirm")
    if not given:
        pytest.skip(f"stage {facts['stage']} is protected: --confirm {facts['domain']}")
    return ["--confirm", given]


@pytest.fixture(scope="session")
def commands(
    target: str, stage: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Commands]:
    """deploytool, with a local cloud of these tests, or with AWS."""
    if target == "aws":
        yield Commands(target, stage)
        return
    cloud = str(tmp_path_factory.mktemp("cloud"))
    commands = Commands(target, stage, {"DEPLOYTOOL_LOCAL_DIR": cloud})
    up = commands.local("up", "--speed", LOCAL_SPEED)
    assert up.code == 0, up.err
    try:
        yield commands
    finally:
        down = commands.local("down")
        assert down.code == 0, down.err


@pytest.fixture(scope="session")
def deployed(commands: Commands, facts: Mapping[str, Any]) -> Commands:
    """The stage: deployed on the local cloud, or as it is on AWS."""
    if not facts["has_failover"]:
        pytest.skip(f"the DNS of stage {facts['stage']} is hosted elsewhere: nothing fails over")
    if commands.target == "local":
        done = commands.run("deploy")
        assert done.code == 0, done.err
    return commands


@pytest.fixture(scope="session")
def client(deployed: Commands) -> Client:
    """A client that knows nothing of deploytool."""
    if deployed.target == "aws":
        return Client()
    done = deployed.local("env", "--output", "json")
    assert done.code == 0, done.err
    address, port = done.json["DEPLOYTOOL_DNS"].split(":")
    return Client(
        dns=(address, int(port)),
        port=int(done.json["DEPLOYTOOL_HTTPS_PORT"]),
        ca=done.json["DEPLOYTOOL_CA"],
    )
