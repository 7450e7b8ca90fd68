"""Deployments as real processes: killed and resumed, two at once, stopped by signals."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploytool.localcloud import lifecycle
from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY, Settings
from deploytool.localcloud.state import State

REGIONS = ("us-east-1", "us-west-2")
CONFIG = """
project = "hello"
domain = "example.com"
regions = ["us-east-1", "us-west-2"]
graph = "stacks.yaml"
[stages.dev]
"""
GRAPH = """
stacks:
  quick: {template: quick.yaml, scope: regional}
  slow: {template: slow.yaml, scope: global, parameters: {Domain: {setting: domain}}}
  last: {template: quick.yaml, scope: global, parameters: {Value: {output: slow.Arn}}}
"""
QUICK = """
Parameters: {Value: {Type: String, Default: x}}
Resources: {Parameter: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Value: !Ref Value}}}
Outputs: {Value: {Value: !Ref Value}}
"""
SLOW = """
Parameters: {Domain: {Type: String}}
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties: {DomainName: !Ref Domain, ValidationMethod: DNS}
Outputs: {Arn: {Value: !Ref Certificate}}
"""


class Deployment:
    """A `deploytool deploy` that runs; a test reads its standard error line by line."""

    def __init__(self, root: Path, cloud: State, project: str, *options: str) -> None:
        self.project = project
        command = [
            sys.executable,
            "-m",
            "deploytool",
            "deploy",
            "--local",
            "--config",
            str(root / "deploytool.toml"),
            *options,
        ]
        environment = {
            **os.environ,
            "DEPLOYTOOL_LOCAL_DIR": str(cloud.directory),
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )

    def until(self, *patterns: str) -> None:
        """Read until each pattern has matched a line.

        Raises AssertionError with all lines when one does not.
        """
        assert self.process.stderr
        lines: list[str] = []
        missing = set(patterns)
        for line in self.process.stderr:
            lines.append(line)
            missing = {pattern for pattern in missing if not re.search(pattern, line)}
            if not missing:
                return
        raise AssertionError(f"no line matches {missing}: {lines}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        self.process.communicate()
        return self.process.returncode


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    with lifecycle.private(Settings(tmp_path_factory.mktemp("cloud"), REGIONS, 10.0)) as state:
        yield state


@pytest.fixture
def deployment(
    tmp_path: Path, cloud: State, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Deployment]]:
    """Return a function that starts a deployment of a project which only this test has."""
    project = "p" + str(abs(hash(request.node.name)))[:8]
    for name, text in {
        "deploytool.toml": CONFIG,
        "stacks.yaml": GRAPH,
        "quick.yaml": QUICK,
        "slow.yaml": SLOW,
    }.items():
        (tmp_path / name).write_text(
            text.replace("hello", project).replace("example.com", f"{project}.example.com")
        )
    started: list[Deployment] = []

    def start(*options: str) -> Deployment:
        started.append(Deployment(tmp_path, cloud, project, *options))
        return started[-1]

    yield start
    for deployment in started:
        if deployment.process.poll() is None:
            deployment.process.kill()
        deployment.process.communicate()


def client(cloud: State, service: str) -> Any:
    """Return a client of the local cloud as its root user; boto3 makes the types at run time."""
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint_url,
        region_name=REGIONS[0],
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


def issue_certificates(cloud: State) -> None:
    """Create a zone with the validation records of each certificate."""
    acm = client(cloud, "acm")
    route53 = client(cloud, "route53")
    for certificate in acm.list_certificates()["CertificateSummaryList"]:
        arn = certificate["CertificateArn"]
        created = route53.create_hosted_zone(Name=certificate["DomainName"], CallerReference=arn)
        details = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        record = details["DomainValidationOptions"][0]["ResourceRecord"]
        records = {
            "Name": record["Name"],
            "Type": "CNAME",
            "TTL": 60,
            "ResourceRecords": [{"Value": record["Value"]}],
        }
        changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": records}]}
        zone_id = created["HostedZone"]["Id"]
        route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=changes)


def stack_names(cloud: State, project: str) -> set[str]:
    """Return the names of a project's stacks, without project and stage."""
    stacks = client(cloud, "cloudformation").describe_stacks()["Stacks"]
    names = [stack["StackName"] for stack in stacks]
    return {name.split("-")[-1] for name in names if name.startswith(f"{project}-")}


def test_a_killed_run_is_resumed_and_a_second_one_is_refused(
    deployment: Callable[..., Deployment], cloud: State
) -> None:
    """After SIGKILL during a creation the next run resumes it at once; a third is refused.

    The refusal names who deploys.
    """
    killed = deployment()
    killed.until(r"slow@us-east-1 +create \.\.\.")
    killed.send(signal.SIGKILL)
    killed.end()
    resumed = deployment()
    resumed.until(r"slow@us-east-1 +create, started by an earlier run")
    other = deployment()
    other.until("error: this stage is being deployed by .* on .* since")
    assert other.end() == 1
    issue_certificates(cloud)
    assert resumed.end() == 0
    assert deployment("--output", "json").end() == 0


def test_a_second_request_cancels_and_keeps_what_is_done(
    deployment: Callable[..., Deployment], cloud: State
) -> None:
    """The creation in progress is deleted, the finished stack stays, the exit code is 130.

    SIGTERM counts as Ctrl-C does.
    """
    stopped = deployment()
    stopped.until(
        r"quick@us-west-2 +created", r"quick@us-east-1 +created", r"slow@us-east-1 +create"
    )
    stopped.send(signal.SIGTERM)
    stopped.until("stopping: nothing more is started, .* Ctrl-C again cancels")
    stopped.send(signal.SIGINT)
    stopped.until("cancelling 1 operation: .* Ctrl-C again leaves them")
    assert stopped.end() == 130
    assert stack_names(cloud, stopped.project) == {"quick"}


def test_a_third_request_leaves_the_operation_running(
    deployment: Callable[..., Deployment], cloud: State
) -> None:
    """The run ends at once, and the message says how to continue."""
    stopped = deployment()
    stopped.until(r"slow@us-east-1 +create \.\.\.")
    for message in (
        "stopping",
        "cancelling",
        "left to CloudFormation: .*Run the same command again",
    ):
        stopped.send(signal.SIGINT)
        stopped.until(message)
    assert stopped.end() == 130
