"""Certificates end to end, on a private local cloud that does not delegate new hosted zones."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.settings import Settings
from deploytool.localcloud.state import State
from deploytool.targets.factory import LOCAL_DIRECTORY
from tests import forked

INFRA = Path(__file__).parents[2] / "infra"
REGIONS = ("us-east-1", "us-west-2")
# Seconds of wall time within which a line must be printed. It takes one or two.
LIMIT = 60.0


@pytest.fixture(scope="module")
def undelegated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    with lifecycle.private(
        Settings(tmp_path_factory.mktemp("cloud"), REGIONS, 10.0, delegate=False)
    ) as state:
        yield state


GRAPH = """
stacks:
  hosted-zone:
    template: hosted-zone.yaml
    scope: global
    parameters: {DomainName: {setting: domain}}
  certificate:
    template: certificate.yaml
    scope: regional
    parameters:
      DomainName: {setting: domain}
      RegionalDomainName: {setting: regional_domain}
      HostedZoneId: {output: hosted-zone.HostedZoneId}
"""
ELSEWHERE = """
stacks:
  certificate: {template: c.yaml, scope: global, parameters: {Name: {setting: domain}}}
"""
WITHOUT_ZONE = """
Parameters: {Name: {Type: String}}
Resources:
  C:
    Type: AWS::CertificateManager::Certificate
    Properties: {DomainName: !Ref Name, ValidationMethod: DNS}
"""


def project(root: Path, domain: str, graph: str = GRAPH) -> Path:
    """Write a project of a hosted zone and certificates, with this project's templates."""
    (root / "infra").mkdir()
    (root / "deploytool.toml").write_text(
        f"""
project = "hello"
domain = "{domain}"
regions = ["us-east-1", "us-west-2"]
[stages.dev]
""",
        encoding="utf-8",
    )
    for name in ("hosted-zone.yaml", "certificate.yaml"):
        (root / "infra" / name).symlink_to(INFRA / name)
    (root / "infra" / "stacks.yaml").write_text(graph, encoding="utf-8")
    (root / "infra" / "c.yaml").write_text(WITHOUT_ZONE, encoding="utf-8")
    return root


class Cli:
    """Runs deploytool in the project, with that cloud."""

    def __init__(self, state: State, root: Path) -> None:
        self.environment = {**os.environ, LOCAL_DIRECTORY: str(state.directory)}
        self.root = root

    @contextmanager
    def start(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """Start a command; it is killed when the block ends before it does."""
        with subprocess.Popen(
            [sys.executable, "-m", "deploytool", *arguments],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return a command's exit code, standard output and standard error."""
        done = forked.run(arguments, self.root, self.environment, LIMIT)
        return done.returncode, done.stdout, done.stderr


def next_line(process: "subprocess.Popen[str]", *texts: str) -> str:
    """Return the next line of standard error that contains all these texts.

    Raises AssertionError when the process ends or LIMIT passes first.
    """
    assert process.stderr is not None
    lines: list[str] = []
    deadline = time.monotonic() + LIMIT
    for line in process.stderr:
        lines.append(line)
        if all(text in line for text in texts):
            return line
        assert time.monotonic() < deadline, lines
    raise AssertionError(lines)


def test_a_deployment_waits_for_the_delegation(undelegated: State, tmp_path: Path) -> None:
    """It reports what is missing, again when that changes, and succeeds once the zone is delegated.

    Then destroy leaves no validation record, and deletes the zone only without foreign records.
    """
    cli = Cli(undelegated, project(tmp_path, "example.com"))
    with cli.start("deploy", "--local", "--stage", "dev", "--output", "json") as process:
        line = next_line(process, "certificate@", "does not delegate dev.example.com")
        assert "a.parent-servers.internal" in line
        assert "set its NS records to ns-1.awsdns-1.com" in line
        cli.run("local", "delegate", "dev.example.com", "ns1.other.net")
        next_line(process, "points dev.example.com to ns1.other.net, not to ns-1.awsdns-1.com")
        cli.run("local", "delegate", "dev.example.com")
        out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, err
    document = json.loads(out)
    assert (document["ok"], document["records_to_create"]) == (True, [])

    route53 = _client(undelegated, "route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]
    record = {
        "Name": "mail.dev.example.com",
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }
    route53.change_resource_record_sets(
        HostedZoneId=zone["Id"],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )
    code, out, err = cli.run("destroy", "--local", "--stage", "dev", "--yes", "--delete-zone")
    assert (code, "mail.dev.example.com. A" in out) == (1, True), err
    kept = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    types = {record_set["Type"] for record_set in kept}
    assert types == {"NS", "SOA", "A"}, "the validation records are gone"
    assert len(kept) == 3
    route53.change_resource_record_sets(
        HostedZoneId=zone["Id"],
        ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]},
    )
    code, _, err = cli.run("destroy", "--local", "--stage", "dev", "--yes", "--delete-zone")
    assert code == 0, err
    assert route53.list_hosted_zones()["HostedZones"] == []


def test_an_undelegated_zone_of_an_earlier_run_fails_at_once(
    undelegated: State, tmp_path: Path
) -> None:
    """The exit code is 1, the message says what the parent answers, ACM is not called."""
    cli = Cli(undelegated, project(tmp_path, "example.net"))
    code, _, err = cli.run("deploy", "--local", "--stage", "dev", "--delegation-timeout", "0")
    assert (code, "was not delegated within 0 s" in err) == (1, True), err
    code, _, err = cli.run("deploy", "--local", "--stage", "dev")
    assert (code, "a certificate for dev.example.net will never validate" in err) == (1, True), err
    for region in REGIONS:
        summaries = _client(undelegated, "acm", region).list_certificates()
        certificates = summaries["CertificateSummaryList"]
        assert "dev.example.net" not in [item["DomainName"] for item in certificates]


def test_a_pending_certificate_shows_its_record(undelegated: State, tmp_path: Path) -> None:
    """With DNS hosted elsewhere the record to create is printed, and the run ends when it resolves.

    deploytool polls after three seconds for the first time, so that the test takes as long.
    """
    with Cli(undelegated, project(tmp_path, "example.org", ELSEWHERE)).start(
        "deploy", "--local", "--output", "json"
    ) as process:
        line = next_line(process, "300 IN CNAME _", "dev.example.org.")
        next_line(
            process, "pending", "ACM looks for _", "create it where the domain's DNS is hosted"
        )
        route53 = _client(undelegated, "route53")
        zone = route53.create_hosted_zone(Name="dev.example.org", CallerReference="elsewhere")[
            "HostedZone"
        ]["Id"]
        name, ttl, _, kind, value = line.split()
        record = {
            "Name": name,
            "Type": kind,
            "TTL": int(ttl),
            "ResourceRecords": [{"Value": value}],
        }
        route53.change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
        )
        ControlClient(undelegated).delegate("dev.example.org", None)
        out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, err
    assert json.loads(out)["records_to_create"] == [{"name": name, "type": kind, "value": value}]


def _client(state: State, service: str, region: str = REGIONS[0]) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=region,
        endpoint_url=state.endpoint_url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
