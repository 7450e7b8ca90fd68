"""Degraded worlds in which a drill runs: credentials that expire, a full disk, no network."""

import json
import resource
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faultproxy import Fault, FaultProxy, Weather, fault_proxy
from tests.endtoend.conftest import DEPLOYTOOL
from tests.endtoend.test_drill import start_drill

EXPIRED = Weather("expired credentials", {Fault.EXPIRED: 1.0})
SIGN_IN = 3  # the exit code when AWS refuses the credentials
FILE_LIMIT = 16 * 1024  # bytes of a file: less than a history has


@pytest.fixture
def proxied(deployed: Any, tmp_path: Path) -> Iterator[tuple[Any, FaultProxy]]:
    """The deployed stage, behind a proxy that lets calls fail."""
    real = Path(deployed.env["DEPLOYTOOL_LOCAL_DIR"])
    state = json.loads((real / "state.json").read_text())
    with fault_proxy(state["endpoint_url"]) as (proxy, url):
        (tmp_path / "lock").symlink_to(real / "lock")
        (tmp_path / "state.json").write_text(json.dumps({**state, "endpoint_url": url}))
        env = {**deployed.env, "DEPLOYTOOL_LOCAL_DIR": str(tmp_path)}
        yield replace(deployed, env=env), proxy


def test_credentials_that_expire_during_a_drill(proxied: Any, deployed: Any) -> None:
    """The drill says what is in force, how to undo it, and when the guard does. Then `restore` works."""
    behind, proxy = proxied
    drill = start_drill(behind, "expired", "--patience-seconds", "100")
    with proxy.storm(EXPIRED, seed=1):
        _, err = drill.communicate(timeout=100)
    assert drill.returncode == SIGN_IN, err
    assert "what the drill changed is still in force" in err
    assert "credentials are invalid or expired" in err
    assert f"deploytool restore --stage {deployed.stage} --local undoes it, from any machine" in err
    assert "the guard undoes it at 20" in err
    report = json.loads((deployed.folder / "expired" / "latest" / "drill.json").read_text())
    assert (report["verdict"], report["restored"]) == ("fail", False)

    restored = deployed.deploytool("restore", "--output", "json")
    assert restored.code == 0, restored.err
    assert restored.json["restored"] is True
    status = deployed.deploytool("status", "--output", "json")
    assert status.json["unfinished_drill"] is False


def test_a_disk_that_fills_up_during_a_drill(deployed: Any) -> None:
    """Everything is restored, the figures are printed, and the error names the folder."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))

    drill = subprocess.run(
        deployed.command("drill", "--report-dir", "full"),
        cwd=deployed.folder,
        env=deployed.environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert drill.returncode == 1, drill.stderr
    assert "full: the history cannot be written" in drill.stderr
    assert "restored    yes" in drill.stdout
    assert "INCONCLUSIVE" in drill.stdout
    assert deployed.deploytool("restore", "--output", "json").json["calls"] == []
    assert deployed.deploytool("status", "--output", "json").json["unfinished_drill"] is False


@pytest.mark.parametrize(
    "words",
    [
        ("deploy",),
        ("plan",),
        ("status",),
        ("outputs",),
        ("drill", "--yes"),
        ("restore",),
        ("failover", "--yes"),
        ("failback", "--yes"),
        ("destroy", "--yes"),
    ],
)
def test_without_a_network_each_command_says_so(
    words: tuple[str, ...], project: Path, deployed: Any
) -> None:
    """The exit code is that of an API that does not answer, and the hint asks for the network."""
    env = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    there = replace(deployed, folder=project, env=env)
    done = there.run([*DEPLOYTOOL, words[0], "--stage", there.stage, *words[1:]])
    assert done.code == 4, done.err
    said = done.out + done.err
    assert "did not answer" in said
    assert "is this machine online?" in said
