"""`deploytool local run` that is killed leaves no process and no directory."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploytool.localcloud import lock, orphans
from deploytool.localcloud.settings import LOCK_FILE

# A command that says where its cloud is, and its process id; when it is asked to end, it says so
COMMAND = """
import os, signal, sys
from pathlib import Path

def end(*_):
    # The cloud is still there, as a command needs it that restores something
    alive = Path(os.environ["DEPLOYTOOL_LOCAL_DIR"], "state.json").exists()
    Path("ended").write_text(str(alive))
    sys.exit()

signal.signal(signal.SIGTERM, end)
Path("begun").write_text(f"{os.getpid()} {os.environ['DEPLOYTOOL_LOCAL_DIR']}")
signal.pause()
"""


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so; on a busy machine that takes its time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process_id: int) -> bool:
    """Tell whether a process runs. One that has ended may wait for its new parent."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_a_killed_run_takes_its_command_and_its_directory_with_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    """The command is asked to end while its cloud still runs; then both are gone."""
    words = [
        sys.executable,
        "-m",
        "deploytool",
        "local",
        "run",
        "--",
        sys.executable,
        "-c",
        COMMAND,
    ]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    run = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    begun = tmp_path / "begun"
    wait_for(lambda: begun.exists() and " " in begun.read_text())
    command, directory = begun.read_text().split(" ", maxsplit=1)

    run.send_signal(number)
    run.wait()
    wait_for(lambda: not is_running(int(command)))
    assert (tmp_path / "ended").read_text() == "True"
    wait_for(lambda: not Path(directory).exists())
    assert not list(tmp_path.glob(f"{orphans.PREFIX}*"))


def test_the_directory_of_a_killed_cloud_is_removed_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose cloud runs stays, as does one of a cloud that has just begun to start."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    now = time.time()
    folders = {name: tmp_path / f"{orphans.PREFIX}{name}" for name in ("killed", "runs", "young")}
    for name, folder in folders.items():
        folder.mkdir()
        (folder / LOCK_FILE).touch()
        moment = now if name == "young" else now - 3600
        os.utime(folder / LOCK_FILE, (moment, moment))
    for name, moment in (("no-lock", now - 3600), ("young-no-lock", now)):
        folder = tmp_path / f"{orphans.PREFIX}{name}"
        folder.mkdir()
        os.utime(folder, (moment, moment))
    (tmp_path / "of-somebody-else").mkdir()

    holder = [sys.executable, "-c", f"{HOLD}\nhold({str(folders['runs'])!r})"]
    with subprocess.Popen(holder, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert lock.is_held(folders["runs"])
        orphans.remove_abandoned(now)
        assert process.stdin is not None
        process.stdin.close()
    left = {path.name.removeprefix(orphans.PREFIX) for path in tmp_path.iterdir()}
    assert left == {"runs", "young", "young-no-lock", "of-somebody-else"}


HOLD = """
import sys
from pathlib import Path
from deploytool.localcloud import lock

def hold(directory):
    lock.hold(Path(directory))
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("lifeline", "command"),
    [(b"", None), (b"command 7\n", 7), (b"command 7\nended\n", None), (b"ended\n", None)],
)
def test_an_orderly_end_leaves_no_command(lifeline: bytes, command: int | None) -> None:
    """Only a run that was killed leaves its command to the cloud."""
    assert orphans.command_left(lifeline) == command


@pytest.mark.parametrize(
    ("lifeline", "is_abandoned"),
    [
        (b"", False),  # no directory of its own
        (b"temporary\n", True),
        (b"temporary\ncommand 7\n", True),
        (b"temporary\ncommand 7\nended\n", False),
        (b"temporary\nended\n", False),
    ],
)
def test_a_run_that_is_killed_before_its_command_leaves_its_directory(
    lifeline: bytes, is_abandoned: bool
) -> None:
    """The cloud removes its directory also when it was still starting."""
    assert orphans.is_abandoned(lifeline) is is_abandoned


def run_in(tmp_path: Path, *command: str) -> "subprocess.Popen[bytes]":
    """Start `deploytool local run` with a temporary directory of its own."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    words = [sys.executable, "-m", "deploytool", "local", "run", "--", *command]
    return subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)


def test_a_run_that_is_killed_while_its_cloud_starts_leaves_nothing(tmp_path: Path) -> None:
    """The cloud ends and removes the directory, though no command has begun."""
    with run_in(tmp_path, "true") as run:
        wait_for(lambda: bool(list(tmp_path.glob(f"{orphans.PREFIX}*/{LOCK_FILE}"))))
        run.kill()
    wait_for(lambda: not list(tmp_path.glob(f"{orphans.PREFIX}*")))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_the_command_has_started_ends_too(tmp_path: Path, number: signal.Signals) -> None:
    """A process in the background of a shell has no cloud any more."""
    background = "sleep 600 & echo $! > started; wait"
    started = tmp_path / "started"
    with run_in(tmp_path, "sh", "-c", background) as run:
        wait_for(lambda: started.exists() and started.read_text().endswith("\n"))
        run.send_signal(number)
    wait_for(lambda: not is_running(int(started.read_text())))
