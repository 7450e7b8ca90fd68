"""Real processes on a local cloud: killed and taken up again, two at once, stopped by signals."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

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
  Certificate: {Type: 'AWS::CertificateManager::Certificate', Properties: {DomainName: !Ref Domain, ValidationMethod: DNS}}
Outputs: {Arn: {Value: !Ref Certificate}}
"""


class Deployment:
    """A `deploytool deploy` that runs; what it says on standard error is read line by line."""

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
        """Read until each pattern has matched a line. Raises AssertionError with all lines when one
        does not.
        """
        assert self.process.stderr
        lines, missing = [], set(patterns)
        for line in self.process.stderr:
            lines.append(line)
            missing = {each for each in missing if not re.search(each, line)}
            if not missing:
                return
        raise AssertionError(f"no line matches {missing}: {lines}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Its exit code."""
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
    """Begins a deployment of a project of this test's own."""
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
    begun: list[Deployment] = []

    def begin(*options: str) -> Deployment:
        begun.append(Deployment(tmp_path, cloud, project, *options))
        return begun[-1]

    yield begin
    for each in begun:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


def client(cloud: State, service: str) -> "boto3.client":  # type: ignore[valid-type]  # boto3 makes its types at run time
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint_url,
        region_name=REGIONS[0],
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


def issue_certificates(cloud: State) -> None:
    """Put the records into a zone that the certificates wait for."""
    acm, route53 = client(cloud, "acm"), client(cloud, "route53")
    for each in acm.list_certificates()["CertificateSummaryList"]:
        zone = route53.create_hosted_zone(
            Name=each["DomainName"], CallerReference=each["CertificateArn"]
        )["HostedZone"]["Id"]
        options = acm.describe_certificate(CertificateArn=each["CertificateArn"])["Certificate"][
            "DomainValidationOptions"
        ]
        record = options[0]["ResourceRecord"]
        records = {
            "Name": record["Name"],
            "Type": "CNAME",
            "TTL": 60,
            "ResourceRecords": [{"Value": record["Value"]}],
        }
        changes = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": records}]}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)


def stack_names(cloud: State, project: str) -> set[str]:
    found = client(cloud, "cloudformation").describe_stacks()["Stacks"]
    return {
        each["StackName"].split("-")[-1]
        for each in found
        if each["StackName"].startswith(f"{project}-")
    }


def test_a_killed_run_is_taken_up_and_a_second_one_is_kept_out(
    deployment: Callable[..., Deployment], cloud: State
) -> None:
    """SIGKILL while a certificate waits: the next run goes on with that creation at once; a third
    says who deploys.
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


def test_twice_cancels_and_leaves_what_is_done(
    deployment: Callable[..., Deployment], cloud: State
) -> None:
    """The creation under way is deleted; what was created before stays; SIGTERM counts as Ctrl-C;
    exit code 130.
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


def test_three_times_leaves_it_running(deployment: Callable[..., Deployment], cloud: State) -> None:
    """The run ends at once and says how to go on."""
    stopped = deployment()
    stopped.until(r"slow@us-east-1 +create \.\.\.")
    for said in ("stopping", "cancelling", "left to CloudFormation: .*Run the same command again"):
        stopped.send(signal.SIGINT)
        stopped.until(said)
    assert stopped.end() == 130
