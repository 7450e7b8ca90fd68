"""plan and deploy name what is wrong with a zone or its records before any stack is made."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploytool.cli import main

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(configure: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> Run:
    """`run(command, *settings)` runs a command on the shipped graph; exit code and messages."""

    def call(command: str, *settings: str) -> tuple[int, str]:
        configure("zones", *settings)
        code = main([command, "--local", "--stage", "dev"])
        captured = capsys.readouterr()
        return code, captured.err

    return call


def create_zone(route53: Any, name: str, **more: Any) -> str:
    created = route53.create_hosted_zone(Name=name, CallerReference=str(uuid.uuid4()), **more)
    return str(created["HostedZone"]["Id"]).removeprefix("/hostedzone/")


@pytest.mark.parametrize("command", ["plan", "deploy"])
def test_a_private_zone(run: Run, aws: Any, domain: str, command: str) -> None:
    """The id of a private zone is bad input, and the public zone of the name is given."""
    route53 = aws.client("route53")
    public = create_zone(route53, domain)
    private = create_zone(
        route53,
        domain,
        VPC={"VPCRegion": "us-east-1", "VPCId": "vpc-12345678"},
        HostedZoneConfig={"PrivateZone": True},
    )
    code, err = run(command, 'zone = "existing"', f'hosted_zone_id = "{private}"')
    assert code == 2
    assert "is private" in err
    assert f"the public one is {public}" in err
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    assert not [stack for stack in stacks if stack["StackName"].startswith("zones-")]


@pytest.mark.parametrize("type_", ["A", "CNAME"])
def test_a_name_that_is_in_use(run: Run, aws: Any, domain: str, type_: str) -> None:
    """A simple record or a CNAME of the stage's name is bad input: Route 53 refuses the pair."""
    route53 = aws.client("route53")
    zone = create_zone(route53, domain)
    value = "192.0.2.10" if type_ == "A" else "old.example.net"
    record = {
        "Name": f"dev.{domain}",
        "Type": type_,
        "TTL": 60,
        "ResourceRecords": [{"Value": value}],
    }
    changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    code, err = run("deploy", 'zone = "existing"')
    assert code == 2
    assert f"dev.{domain} has records in hosted zone {zone}" in err
    assert f"{type_} {value}" in err


def test_a_zone_of_the_registrar(run: Run, aws: Any, domain: str) -> None:
    """A public zone that exists of a new zone's name is bad input, and its id is given."""
    zone = create_zone(aws.client("route53"), f"dev.{domain}")
    code, err = run("plan")
    assert code == 2
    assert f"already has the public hosted zone {zone}" in err
