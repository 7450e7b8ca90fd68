"""Rollout: a bad version reaches only the standby, and both regions are compared afterwards."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

EAST, WEST = "us-east-1", "us-west-2"


def served(clients: Any, region: str) -> tuple[int, str | None]:
    """Return the status and the version with which a region's edge answers curl."""
    name = f"{region}.{clients.bench.domain}"
    status, body = clients.curl(name, clients.dig(name)[0])
    return status, body.get("version")


def local(bench: Any, *words: str) -> None:
    """Run a `deploytool local` command."""
    done = bench.run([sys.executable, "-m", "deploytool", "local", *words])
    assert done.code == 0, done.err


@contextmanager
def settings(bench: Any, text: str) -> Iterator[None]:
    """Give the stage dev these settings, for a while."""
    config = bench.folder / "deploytool.toml"
    before = config.read_text()
    config.write_text(f"{before}\n[stages.dev.settings]\n{text}\n")
    try:
        yield
    finally:
        config.write_text(before)


@pytest.fixture(scope="module")
def code(deployed: Any) -> Callable[..., None]:
    """Return a function that changes the code of the API, by a comment and by replacing text."""
    handler = deployed.folder / "lambda" / "api" / "handler.py"
    good = handler.read_text()

    def change(comment: str, old: str = "", new: str = "") -> None:
        text = good.replace(old, new) if old else good
        handler.write_text(f"{text}\n# {comment}\n")

    return change


def test_a_deployment_during_a_drill_is_refused(deployed: Any, clients: Any, code: Any) -> None:
    """The record of a drill refuses it, here of a killed drill; the hint says how to end that."""
    before = served(clients, WEST)
    drill = subprocess.Popen(
        deployed.command("drill", "--report-dir", "killed"),
        cwd=deployed.folder,
        env=deployed.environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    history = deployed.folder / "killed" / "latest" / "history.jsonl"
    deadline = time.monotonic() + 60
    while not (history.exists() and '"fault_injected"' in history.read_text()):
        assert drill.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    drill.kill()
    drill.wait()
    code("during a drill")
    done = deployed.deploytool("deploy")
    assert done.code == 1
    assert "a drill of stage dev is under way" in done.err
    assert "deploytool restore --stage dev" in done.err
    assert served(clients, WEST) == before
    assert deployed.deploytool("restore").code == 0


def test_a_bad_version_reaches_only_the_standby(deployed: Any, clients: Any, code: Any) -> None:
    """After a 500 from the standby the active region keeps the old version, and the run fails.

    A good version then reaches both regions.
    """
    _, old = served(clients, EAST)
    code("bad", '"statusCode": 200', '"statusCode": 500')
    done = deployed.deploytool("deploy", "--settle", "10", "--output", "json")
    assert done.code == 1
    (failed,) = done.json["failed"]
    assert (failed["stack"], failed["region"]) == ("lambda", EAST)
    for message in (
        f"https://{WEST}.{deployed.domain}/v1 answers 500",
        f"{EAST} was not touched and still serves",
    ):
        assert message in failed["cause"]
        assert message in done.err
    assert served(clients, EAST) == (200, old)
    assert served(clients, WEST)[0] == 500
    assert [item["what"] for item in done.json["parity"]["differences"]] == [
        "stack",
        "function code",
    ]

    code("good")
    done = deployed.deploytool("deploy", "--output", "json")
    assert done.code == 0, done.err
    assert done.json["parity"] == {"same": True, "differences": [], "unknown": []}
    east, west = served(clients, EAST), served(clients, WEST)
    assert east == west
    assert east[0] == 200
    assert east[1] != old


def test_the_region_that_serves_after_a_failover_is_not_changed(
    deployed: Any, clients: Any, code: Any
) -> None:
    """The broken us-east-1 is now the standby and fails its check.

    --parallel deploys in spite of that, with a warning.
    """
    before = served(clients, WEST)
    local(deployed, "break", EAST, "--how", "error")
    try:
        code("while us-east-1 is down")
        done = deployed.deploytool("deploy", "--settle", "5")
        assert done.code == 1
        assert f"{WEST} was not touched and still serves what it served before" in done.err
        assert "--parallel" in done.err
        assert served(clients, WEST) == before
        forced = deployed.deploytool("deploy", "--parallel")
        assert forced.code == 0, forced.err
        assert "changed without a check" in forced.err
    finally:
        local(deployed, "fix", EAST)
    assert served(clients, EAST) == served(clients, WEST) != before


def test_a_change_by_hand_in_one_region_is_reported(deployed: Any, clients: Any) -> None:
    """The next deployment reports the function's code and the API's integration, and succeeds."""
    where = ["--region", WEST]
    zipped = deployed.folder / "foreign.zip"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "zipfile",
            "-c",
            zipped,
            deployed.folder / "lambda" / "api" / "handler.py",
        ],
        check=True,
    )
    clients.aws(
        "lambda",
        "update-function-code",
        *where,
        "--function-name",
        "hello-dev-lambda",
        "--zip-file",
        f"fileb://{zipped}",
    )
    api = deployed.deploytool("outputs", "--output", "json").json["api"][WEST]
    method = [
        "--rest-api-id",
        api["RestApiId"],
        "--resource-id",
        api["V1ResourceId"],
        "--http-method",
        "ANY",
    ]
    patch = "op=replace,path=/timeoutInMillis,value=3000"
    clients.aws("apigateway", "update-integration", *where, *method, "--patch-operations", patch)
    with settings(deployed, "log_retention_days = 14"):
        done = deployed.deploytool("deploy", "--output", "json")
    assert done.code == 0, done.err
    assert [item["what"] for item in done.json["parity"]["differences"]] == ["function code", "API"]


def test_an_integration_is_not_changed_in_place(deployed: Any) -> None:
    """While the other integration's stack exists it is refused, with two ways to replace it."""
    http = 'integration = "http"\nintegration_url = "https://{region}.backend.example.com/v1"'
    with settings(deployed, http):
        done = deployed.deploytool("deploy")
    assert done.code == 1
    assert (
        "integration-http@us-east-1 cannot be created while lambda@us-east-1 is deployed"
        in done.err
    )
    assert "delete-stack" in done.err
