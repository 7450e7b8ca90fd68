"""The life of a local cloud: start, addresses, end, and that nothing of it is left."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from deploytool.localcloud import lifecycle, lock
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.state import State


def processes(group: int) -> list[int]:
    """The living processes of a process group."""
    output = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in output.splitlines()]
    return [
        int(pid) for pid, pgid, state in rows if int(pgid) == group and not state.startswith("Z")
    ]


def local(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A `deploytool local` command on the cloud of a folder."""
    env = {**os.environ, "DEPLOYTOOL_LOCAL_DIR": str(folder)}
    command = [sys.executable, "-m", "deploytool", "local", *arguments]
    return subprocess.run(
        command, env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_up_status_down_and_no_process_is_left(tmp_path: Path) -> None:
    """A second `up` finds the first cloud, another speed is refused, and `down` leaves nothing."""
    assert local(tmp_path, "up", "--speed", "5").returncode == 0
    state = lifecycle.load(tmp_path)
    assert state is not None
    try:
        again = local(tmp_path, "up", "--speed", "5", "--output", "json")
        assert json.loads(again.stdout)["pid"] == state.pid
        refused = local(tmp_path, "up", "--speed", "1")
        assert (refused.returncode, "speed 5" in refused.stderr) == (2, True)
        status = ControlClient(state).status()
        assert status.edges == {"us-east-1": "serving", "us-west-2": "serving"}
        assert status.resident_mb < 600
    finally:
        assert local(tmp_path, "down").returncode == 0
    assert processes(state.pid) == []
    assert lifecycle.load(tmp_path) is None
    assert "No local cloud" in local(tmp_path, "down").stdout


def test_it_listens_on_loopback_only(cloud: State) -> None:
    """Every socket of the cloud's process is bound to 127.0.0.0/8."""
    inodes = set()
    for entry in Path(f"/proc/{cloud.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # a file that was closed since the listing
            target = str(entry.readlink())
            if target.startswith("socket:"):
                inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    bound = []
    for table in ("tcp", "udp", "tcp6", "udp6"):
        for line in Path(f"/proc/{cloud.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes:
                bound.append((table, fields[1].split(":")[0]))
    assert bound
    # little-endian: 127 stands last
    assert {address[-2:] for table, address in bound} == {"7F"}, bound
    assert {table for table, _ in bound} <= {"tcp", "udp"}


def test_a_killed_starter_takes_a_private_cloud_with_it(tmp_path: Path) -> None:
    """SIGKILL of the process that started a private cloud ends the cloud too."""
    script = (
        "import sys, time; from pathlib import Path; from deploytool.localcloud import lifecycle;"
        "from deploytool.localcloud.settings import Settings\n"
        f"with lifecycle.private(Settings(Path({str(tmp_path)!r}))) as state:\n"
        "    print(state.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        group = int(starter.stdout.readline())
        assert processes(group)
        starter.send_signal(signal.SIGKILL)
    assert lock.wait_until_free(tmp_path, 10.0)


def test_what_to_export_points_every_aws_tool_at_it(cloud: State) -> None:
    """The variables override a service's own endpoint, a profile and a session token."""
    inherited = {
        "AWS_ENDPOINT_URL_S3": "https://elsewhere.example",
        "AWS_PROFILE": "work",
        "NO_PROXY": "intranet",
    }
    variables = lifecycle.environment(cloud, inherited)
    assert variables["AWS_ENDPOINT_URL_S3"] == variables["AWS_ENDPOINT_URL"] == cloud.endpoint_url
    assert variables["AWS_PROFILE"] is None
    assert variables["AWS_SESSION_TOKEN"] is None
    assert str(variables["NO_PROXY"]).startswith("intranet,127.0.0.1")
