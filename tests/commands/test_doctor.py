"""deploytool doctor where something is missing: the project, credentials, the network, the cloud."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from deploytool.cli import main
from deploytool.core.ports import Nameserver
from deploytool.targets.doctor import PYTHON
from tests.aws.apis import forget_aws, refusing

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
[stages.prod]
"""
SOA = "ns.example.com. admin.example.com. 1 7200 900 1209600 60"
STOP = b"stop"
GRAPH = "stacks:\n  topic: {template: topic.yaml, scope: regional}\n"
TOPIC = "Resources: {Topic: {Type: 'AWS::SNS::Topic'}}\n"


@pytest.fixture
def resolver() -> Iterator[Nameserver]:
    """A resolver for which example.com is registered, and has nothing below it."""

    def serve() -> None:
        while True:
            question, client = listener.recvfrom(4096)
            if question == STOP:
                return
            answer = dns.message.make_response(dns.message.from_wire(question))
            answer.set_rcode(dns.rcode.NXDOMAIN)
            answer.authority.append(dns.rrset.from_text("example.com.", 60, "IN", "SOA", SOA))
            listener.sendto(answer.to_wire(), client)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=serve)
        thread.start()
        yield Nameserver("resolver", *listener.getsockname())
        listener.sendto(STOP, listener.getsockname())
        thread.join()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, resolver: Nameserver) -> None:
    """An empty folder, and nothing of the person who runs the tests."""
    forget_aws(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEPLOYTOOL_LOCAL_DIR", str(tmp_path / "cloud"))
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("deploytool.net.dns.system_resolvers", lambda: [resolver])


def write(folder: Path, config: str = CONFIG, graph: str = GRAPH) -> None:
    (folder / "infra").mkdir()
    (folder / "deploytool.toml").write_text(config)
    (folder / "infra" / "stacks.yaml").write_text(graph)
    (folder / "infra" / "topic.yaml").write_text(TOPIC)


def doctor(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and each finding by its id; the last one where several have it."""
    code = main(["doctor", "--output", "json", *words])
    document = json.loads(capsys.readouterr().out)
    for check in document["checks"]:
        assert (check["hint"] is None) is (check["status"] == "ok"), check
    return code, {check["id"]: check for check in document["checks"]}


def statuses(checks: dict[str, Any], *names: str) -> list[str]:
    return [checks[name]["status"] for name in names]


def test_without_a_project_and_without_credentials(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The machine is checked, and AWS has answered nothing: exit code 3."""
    code, checks = doctor(capsys)
    assert code == 3
    assert checks["python"]["status"] == "ok"
    assert checks["credentials"]["status"] == "problem"
    assert "sign in" in checks["credentials"]["hint"]
    parts = ("configuration", "regions", "domain", "quotas", "roles", "github")
    assert set(statuses(checks, *parts)) == {"not_checked"}
    assert checks["quotas"]["hint"] == "deploytool init"


def test_an_api_that_nobody_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exit code 4, and the regions are named."""
    write(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with refusing() as api:
        monkeypatch.setenv("AWS_ENDPOINT_URL", api.url)
        code, checks = doctor(capsys, "--stage", "dev")
    assert code == 4
    assert checks["endpoints"]["status"] == "warning"
    assert checks["region.us-west-2"]["status"] == "problem"
    assert checks["zone.dev"]["status"] == "not_checked"
    assert "does not answer" in checks["roles.dev"]["message"]


def test_every_problem_of_the_configuration_is_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A broken file is a problem (exit code 1), and what needs no project is checked."""
    write(tmp_path, config='project = "hello"\nregoins = ["us-east-1"]\n')
    code = main(["doctor"])
    # Where lines break depends on the terminal
    out = " ".join(capsys.readouterr().out.split())
    assert code == 1
    assert "did you mean 'regions'?" in out
    assert "domain: is missing" in out
    assert "stages: is missing" in out
    assert "✓ Python" in out
    assert "credentials" in out


def test_a_problem_of_every_stage_is_said_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The graph file has it, and the stages' own checks are left."""
    write(tmp_path, graph=GRAPH.replace("regional", "regional, parameters: {X: {setting: y}}"))
    assert main(["doctor", "--output", "json"]) == 1
    checks = json.loads(capsys.readouterr().out)["checks"]
    problems = [check["message"] for check in checks if "parameters.X" in check["message"]]
    assert problems
    assert len(problems) == len(set(problems))


def test_a_graph_that_cannot_be_read_leaves_the_regions(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The configuration alone tells the regions and the roles."""
    write(tmp_path, graph="stacks: [")
    code, checks = doctor(capsys)
    assert code == 1
    assert checks["configuration"]["status"] == "ok"
    assert checks["graph"]["status"] == "problem"
    assert {"region.us-east-1", "roles.dev", "roles.prod"} <= set(checks)
    assert statuses(checks, "domain", "quotas") == ["not_checked", "not_checked"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--stage", "test"], "no such stage"),
        (["--region", "eu-west-1"], "--region eu-west-1"),
        (["--config", "other.toml"], "--config other.toml: no such file"),
    ],
)
def test_arguments_that_fit_nothing(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit code 2, as of every command."""
    write(tmp_path)
    assert main(["doctor", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_file_of_another_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The advised commands have it too."""
    write(tmp_path)
    (tmp_path / "deploytool.toml").rename(tmp_path / "other.toml")
    _, checks = doctor(capsys, "--config", "other.toml", "--local", "--region", "us-west-2")
    assert checks["configuration"]["status"] == "ok"


def test_a_local_cloud_that_does_not_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is the problem, and nothing of AWS is looked at."""
    write(tmp_path)
    code, checks = doctor(capsys, "--local")
    assert code == 1
    assert checks["local-cloud"]["hint"] == "deploytool local up"
    assert set(checks).isdisjoint({"clock", "credentials", "quota.hosted-zones", "github"})


def test_a_token_without_a_repository(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A folder that is no repository has no remote to take the name from."""
    write(tmp_path)
    monkeypatch.setenv("GH_TOKEN", "x")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    _, checks = doctor(capsys)
    assert checks["github"]["hint"] == "export GITHUB_REPOSITORY=OWNER/REPOSITORY"


def test_the_oldest_python_is_that_of_the_package() -> None:
    """requires-python is what pip compares."""
    text = (ROOT / "pyproject.toml").read_text()
    assert f'requires-python = ">={".".join(map(str, PYTHON))}"' in text


def test_a_private_local_cloud(tmp_path: Path) -> None:
    """`local run` starts one, and every check of a new project on it is good."""
    write(tmp_path)
    command = [sys.executable, "-m", "deploytool"]
    process = subprocess.run(
        [*command, "local", "run", "--", *command, "doctor", "--local"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout.splitlines()[-1].startswith("✓ no problem")
    assert process.stdout.count("its API answers") == 2
