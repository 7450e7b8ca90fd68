"""What `deploytool lint` reports of cfn-lint's findings."""

import json
import subprocess
import sys
from pathlib import Path

ALIASES = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  First:
    Type: AWS::SNS::Topic
    Properties: &common
      DisplayName: Orders
  Second:
    Type: AWS::SNS::Topic
    Properties:
      <<: *common
      FifoTopic: PERHAPS
"""


def test_yaml_that_is_resolved_is_no_finding_and_the_rest_is(tmp_path: Path) -> None:
    """cfn-lint warns of aliases and merges, which are not sent. A wrong property is reported, in the
    region of the stack.
    """
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "t.yaml").write_text(ALIASES)
    (tmp_path / "infra" / "stacks.yaml").write_text(
        "stacks: {topics: {template: t.yaml, scope: global, region: us-east-1}}"
    )
    (tmp_path / "deploytool.toml").write_text(
        'project = "hello"\ndomain = "example.com"\nregions = ["eu-west-1", "eu-central-1"]\n'
        "[stages.dev]\n"
    )
    process = subprocess.run(
        [sys.executable, "-m", "deploytool", "lint", "--output", "json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1, process.stderr
    [finding] = json.loads(process.stdout)["cfn_lint"]
    assert "'PERHAPS' is not of type 'boolean'" in finding
