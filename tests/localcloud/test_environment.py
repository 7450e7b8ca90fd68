"""What `deploytool local env` prints."""

import dataclasses
import fcntl
import os
import shlex
import subprocess
import sys
from pathlib import Path

from deploytool.localcloud.settings import CA_FILE, LOCK_FILE
from deploytool.localcloud.state import State

SHOW_ACCOUNT = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


def test_any_tool_reaches_the_cloud_whatever_the_shell_had(cloud: State) -> None:
    """After the printed lines a tool uses the cloud, even if the shell had an unknown profile."""
    print_lines = shlex.join([sys.executable, "-m", "deploytool", "local", "env"])
    show_account = shlex.join([sys.executable, "-c", SHOW_ACCOUNT])
    script = f'eval "$({print_lines})" && {show_account}'
    environment = {
        **os.environ,
        "AWS_PROFILE": "elsewhere",
        "AWS_SESSION_TOKEN": "old",
        "DEPLOYTOOL_LOCAL_DIR": str(cloud.directory),
    }
    done = subprocess.run(
        ["sh", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["000000000000"]


def test_the_lines_keep_every_character_of_a_path(cloud: State, tmp_path: Path) -> None:
    """Spaces, quotes, brackets and dollar signs in a directory reach the variables unchanged."""
    directory = tmp_path / "it's [bold] in $HOME"
    directory.mkdir()
    ca = directory / CA_FILE
    dataclasses.replace(cloud, directory=directory, ca=ca).write()
    print_lines = shlex.join([sys.executable, "-m", "deploytool", "local", "env"])
    script = f'eval "$({print_lines})" && printf "%s" "$DEPLOYTOOL_CA"'
    environment = {**os.environ, "DEPLOYTOOL_LOCAL_DIR": str(directory)}

    with (directory / LOCK_FILE).open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as a running cloud does
        done = subprocess.run(
            ["sh", "-c", script], env=environment, capture_output=True, text=True, check=True
        )
    assert done.stdout == str(ca)
