"""deploytool doctor against the local cloud: with --local, and as if it were AWS."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploytool.cli import main
from deploytool.core.ports import Nameserver
from deploytool.localcloud import lifecycle
from deploytool.localcloud.control.client import ControlClient
from deploytool.localcloud.state import State

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def run(
    configure: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """`run(*words, settings=...)` runs doctor; the exit code, and each finding by its id."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str, settings: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
        configure("doctor", *settings)
        code = main(["doctor", "--output", "json", *words])
        checks = json.loads(capsys.readouterr().out)["checks"]
        return code, {check["id"]: check for check in checks}

    return call


def create_zone(route53: Any, name: str) -> str:
    created = route53.create_hosted_zone(Name=name, CallerReference=str(uuid.uuid4()))
    return str(created["HostedZone"]["Id"]).removeprefix("/hostedzone/")


def test_a_new_project(run: Run) -> None:
    """Nothing is wrong, and DNS is asked nothing about a zone that is not there yet."""
    code, checks = run("--local")
    assert code == 0
    assert "deploy creates it" in checks["zone.dev"]["message"]
    assert checks["region.us-west-2"]["status"] == "ok"
    assert set(checks).isdisjoint({"delegation.dev", "soa.dev", "clock", "credentials"})


def test_another_zone_of_the_name(run: Run, aws: Any, domain: str) -> None:
    """What deploy would refuse is a problem, with the zone's id."""
    zone = create_zone(aws.client("route53"), f"dev.{domain}")
    code, checks = run("--local")
    assert code == 1
    assert f"already has the public hosted zone {zone}" in checks["zone.dev"]["message"]


def test_a_zone_that_is_not_delegated(run: Run, aws: Any, cloud: State, domain: str) -> None:
    """The fix names the servers of the zone; delegated, every check of the domain is good."""
    zone = create_zone(aws.client("route53"), domain)
    settings = ('zone = "existing"', f'hosted_zone_id = "{zone}"')
    code, checks = run("--local", settings=settings)
    names = ("zone.dev", "delegation.dev", "caa.dev", "soa.dev")
    assert code == 0, checks
    assert [checks[name]["status"] for name in names] == ["ok"] * 4

    ControlClient(cloud).delegate(domain, [])
    code, checks = run("--local", settings=('zone = "existing"',))
    assert code == 1
    assert checks["delegation.dev"]["status"] == "problem"
    assert f"set the NS records of {domain} to " in checks["delegation.dev"]["hint"]


def test_caa_records_without_amazon(run: Run, aws: Any, domain: str) -> None:
    """They are in the zone itself, so the local cloud has them too."""
    route53 = aws.client("route53")
    zone = create_zone(route53, domain)
    record = {
        "Name": domain,
        "Type": "CAA",
        "TTL": 60,
        "ResourceRecords": [{"Value": '0 issue "letsencrypt.org"'}],
    }
    changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    code, checks = run("--local", settings=('zone = "existing"',))
    assert code == 1
    assert checks["caa.dev"]["status"] == "problem"
    assert domain in checks["caa.dev"]["hint"]


def test_no_zone_holds_the_domain(run: Run) -> None:
    """A zone to look up that the account does not have is a problem of the zone alone."""
    code, checks = run("--local", settings=('zone = "existing"',))
    assert code == 1
    assert "no public hosted zone of the account holds" in checks["zone.dev"]["message"]


def test_a_dead_region(run: Run, cloud: State) -> None:
    """The other region is checked all the same."""
    control = ControlClient(cloud)
    control.set_api_condition("us-west-2", "failing")
    try:
        code, checks = run("--local")
    finally:
        control.set_api_condition("us-west-2", "answering")
    assert code == 1
    assert checks["region.us-west-2"]["status"] == "problem"
    assert checks["region.us-east-1"]["status"] == "ok"
    assert checks["zone.dev"]["status"] == "not_checked"


def test_the_calls_of_aws(run: Run, cloud: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local cloud in the place of AWS: what it knows is checked, and the rest is left."""
    for name, value in lifecycle.environment(cloud).items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    # It takes no part in the answer, and must not be asked of the internet
    resolver = Nameserver("nobody", "127.0.0.1", 1)
    monkeypatch.setattr("deploytool.net.dns.system_resolvers", lambda: [resolver])
    _, checks = run("--stage", "dev")
    assert checks["endpoints"]["status"] == "warning"
    assert "account 000000000000" in checks["credentials"]["message"]
    assert checks["region.us-east-1"]["status"] == "ok"
    assert checks["clock"]["status"] == "ok"
    assert checks["zone.dev"]["status"] == "ok", checks["zone.dev"]
    assert checks["roles.dev"]["status"] == "warning"
    assert "executions free" in checks["quota.concurrency.us-east-1"]["message"]
    # It has no Service Quotas and no GetAccountLimit
    for name in ("quota.hosted-zones", "quota.health-checks", "quota.domain-names.us-east-1"):
        assert checks[name]["status"] == "not_checked"
