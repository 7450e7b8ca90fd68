"""What `deploytool local env` prints."""

import os
import subprocess
import sys

from deploytool.localcloud.state import State

ASK = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


def test_any_tool_reaches_the_cloud_whatever_the_shell_had(cloud: State) -> None:
    """After the lines a tool finds the cloud, also where the shell had a profile that this machine
    does not know.
    """
    script = f'eval "$({sys.executable} -m deploytool local env)" && {sys.executable} -c "{ASK}"'
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
