"""What `deploytool local env` prints."""

import os
import shlex
import subprocess
import sys

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
