"""The alarms of a stage, from deploytool.toml to a health check, on the session's cloud."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploytool.cli import main
from deploytool.localcloud.state import State

ALARM = "arn:aws:cloudwatch:us-west-2:000000000000:alarm:errors of shop"
CONFIG = f"""
project = "alarmed"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
[stages.dev.settings]
alarms = ["{ALARM}"]
"""
GRAPH = """
settings: {alarms: {default: [], max_items: 5}}
stacks:
  check: {template: check.yaml, scope: global, parameters: {Alarm: {setting: alarms, item: 1}}}
"""
CHECK = """
Parameters: {Alarm: {Type: String}}
Resources:
  Check:
    Type: AWS::Route53::HealthCheck
    Properties:
      HealthCheckConfig:
        Type: CLOUDWATCH_METRIC
        AlarmIdentifier:
          Region: !Select [3, !Split [':', !Ref Alarm]]
          Name: !Select [6, !Split [':', !Ref Alarm]]
        InsufficientDataHealthStatus: Healthy
"""
SETTINGS: dict[str, Any] = {
    "AlarmName": "errors of shop",
    "Namespace": "shop",
    "MetricName": "errors",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 10,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture
def run(
    cloud: State,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[str], tuple[int, str]]:
    """Run a command in a project of its own; returns exit code and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEPLOYTOOL_LOCAL_DIR", str(cloud.ca.parent))
    (tmp_path / "infra").mkdir()
    files = {
        "deploytool.toml": CONFIG,
        "infra/stacks.yaml": GRAPH,
        "infra/check.yaml": CHECK,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    def call(command: str) -> tuple[int, str]:
        code = main([command, "--local", "--stage", "dev"])
        return code, capsys.readouterr().err

    return call


def test_an_alarm_is_refused_until_route_53_takes_it(
    run: Callable[[str], tuple[int, str]], aws: Any
) -> None:
    """Plan and deploy end with 2, name file, key, alarm and reason, and change nothing."""
    cloudwatch = aws.client("cloudwatch", "us-west-2")
    place = f"deploytool.toml: stages.dev.settings.alarms: {ALARM}: "
    percentile = {name: value for name, value in SETTINGS.items() if name != "Statistic"}
    reasons = {
        "there is no such alarm in us-west-2": None,
        "it uses the extended statistic p99": {**percentile, "ExtendedStatistic": "p99"},
        "its period is 10 s": {**SETTINGS, "Period": 10},
        "it needs 1 of 2 data points": {**SETTINGS, "DatapointsToAlarm": 1},
    }
    for reason, alarm in reasons.items():
        if alarm is not None:
            cloudwatch.put_metric_alarm(**alarm)
        for command in ("plan", "deploy"):
            code, error = run(command)
            assert code == 2
            assert place + reason in error

    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    assert not [stack for stack in stacks if stack["StackName"] == "alarmed-dev-check"]

    cloudwatch.put_metric_alarm(**SETTINGS)
    assert run("deploy")[0] == 0
    assert aws.status("alarmed-dev-check") == "CREATE_COMPLETE"
    aws.delete_stack("alarmed-dev-check")
