"""Failover pairs that deploytool did not deploy: each shape is drilled and restored, or refused.

The records and health checks are made by boto3, as Terraform or a person would. A stage lends its
two APIs, whose names it answers to; its own records are taken away.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

EAST, WEST = "us-east-1", "us-west-2"
SPEED = 20.0
DOMAIN = "dev.example.com"
Record = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """A local cloud with two APIs, and a zone in which the records of a pair are made."""

    bench: Any
    route53: Any
    zone_id: str
    targets: Mapping[str, Mapping[str, Any]]  # the AliasTarget of each region
    folder: Path

    def deploytool(self, *words: str) -> Any:
        """Run deploytool in a folder without a project."""
        there = replace(self.bench, folder=self.folder)
        return there.run([sys.executable, "-m", "deploytool", *words, "--local"], timeout=110)

    def drill(self, *words: str) -> Any:
        return self.deploytool("drill", "--domain", DOMAIN, "--path", "/v1", "--yes", *words)

    def check(self, **more: Any) -> str:
        """Create a health check, of the primary's own endpoint if nothing else is said."""
        config = {
            "Type": "HTTPS",
            "FullyQualifiedDomainName": f"{EAST}.{DOMAIN}",
            "ResourcePath": "/v1",
            "RequestInterval": 10,
            "FailureThreshold": 3,
            "EnableSNI": True,
            **more,
        }
        config = {name: value for name, value in config.items() if value is not None}
        answer = self.route53.create_health_check(
            CallerReference=str(time.monotonic_ns()), HealthCheckConfig=config
        )
        return str(answer["HealthCheck"]["Id"])

    @contextmanager
    def records(self, *records: Record) -> Iterator[None]:
        """Let the zone have these records within the block."""
        self._change("CREATE", records)
        try:
            yield
        finally:
            self._change("DELETE", records)

    def _change(self, action: str, records: Sequence[Record]) -> None:
        changes = [{"Action": action, "ResourceRecordSet": record} for record in records]
        self.route53.change_resource_record_sets(
            HostedZoneId=self.zone_id, ChangeBatch={"Changes": changes}
        )

    def alias(self, region: str, name: str = DOMAIN, **more: Any) -> Record:
        """Return an alias record to the API of a region."""
        return {"Name": name, "Type": "A", "AliasTarget": self.targets[region], **more}

    def inside(self, target: str, **more: Any) -> Record:
        """Return an alias record to another name of the zone."""
        alias = {"DNSName": target, "HostedZoneId": self.zone_id, "EvaluateTargetHealth": True}
        return {"Name": DOMAIN, "Type": "A", "AliasTarget": alias, **more}

    def pair(self, check: str) -> tuple[Record, Record]:
        """Return the two aliases of the simplest pair."""
        return self.alias(EAST, **primary(check)), self.alias(WEST, **SECOND)


def primary(check: str) -> dict[str, Any]:
    return {"Failover": "PRIMARY", "SetIdentifier": "one"} | (
        {"HealthCheckId": check} if check else {}
    )


SECOND = {"Failover": "SECONDARY", "SetIdentifier": "two"}


@pytest.fixture(scope="module")
def account(bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """Two APIs behind a zone of somebody else, in which nothing fails over."""
    env = bench.run([sys.executable, "-m", "deploytool", "local", "env", "--output", "json"]).json
    route53 = boto3.client(
        "route53",
        endpoint_url=env["AWS_ENDPOINT_URL"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name=EAST,
    )
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="theirs")["HostedZone"]
    config = bench.folder / "deploytool.toml"
    config.write_text(f'{config.read_text()}\n[stages.dev.settings]\nzone = "existing"\n')
    done = bench.deploytool("deploy")
    assert done.code == 0, done.err

    zone_id = zone["Id"].rpartition("/")[2]
    records = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    ours = [record for record in records if record.get("Failover")]
    targets = {}
    for record, region in zip(
        sorted(ours, key=lambda each: each["Failover"]), (EAST, WEST), strict=True
    ):
        targets[region] = record["AliasTarget"]
    account = Account(bench, route53, zone_id, targets, tmp_path_factory.mktemp("nothing"))
    account._change("DELETE", ours)
    return account


def shapes(account: Account) -> dict[str, list[Record]]:
    """Return the records of each shape that is drilled."""
    check = account.check()
    child = account.check()
    children = {
        "Type": "CALCULATED",
        "ChildHealthChecks": [child],
        "HealthThreshold": 1,
        **dict.fromkeys(
            (
                "FullyQualifiedDomainName",
                "ResourcePath",
                "RequestInterval",
                "FailureThreshold",
                "EnableSNI",
            )
        ),
    }
    own = account.check(FullyQualifiedDomainName=f"{WEST}.{DOMAIN}")
    cname = {"Name": DOMAIN, "Type": "CNAME", "TTL": 10}
    return {
        "aliases to API Gateway": [*account.pair(check)],
        "CNAME records": [
            {**cname, **primary(check), "ResourceRecords": [{"Value": f"{EAST}.{DOMAIN}"}]},
            {**cname, **SECOND, "ResourceRecords": [{"Value": f"{WEST}.{DOMAIN}"}]},
        ],
        "addresses": [
            {
                "Name": DOMAIN,
                "Type": "A",
                "TTL": 10,
                **primary(check),
                "ResourceRecords": [{"Value": "127.0.0.11"}],
            },
            {
                "Name": DOMAIN,
                "Type": "A",
                "TTL": 10,
                **SECOND,
                "ResourceRecords": [{"Value": "127.0.0.12"}],
            },
        ],
        "nested aliases": [
            account.alias(EAST, "east.example.com"),
            account.alias(WEST, "west.example.com"),
            account.inside("east.example.com", **primary(check)),
            account.inside("west.example.com", **SECOND),
        ],
        "a calculated check": [*account.pair(account.check(**children))],
        "a secondary with a check of its own": [
            account.alias(EAST, **primary(check)),
            account.alias(WEST, **SECOND, HealthCheckId=own),
        ],
    }


SHAPES = (
    "aliases to API Gateway",
    "CNAME records",
    "addresses",
    "nested aliases",
    "a calculated check",
    "a secondary with a check of its own",
)


@pytest.fixture(scope="module")
def made(account: Account) -> dict[str, list[Record]]:
    return shapes(account)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_pair_is_drilled_and_restored(
    account: Account, made: dict[str, list[Record]], shape: str, tmp_path: Path
) -> None:
    """Traffic moves and returns, and health checks, tags and records are as before."""
    with account.records(*made[shape]):
        before = state_of(account)
        done = account.drill("--report-dir", str(tmp_path), "--output", "json")
        assert done.code == 0, done.err + done.out
        # An address tells no region
        first, second = ("primary", "secondary") if shape == "addresses" else (EAST, WEST)
        assert done.json["served_by"] == {"before": first, "during": second, "after": first}
        assert (done.json["verdict"], done.json["restored"]) == ("pass", True)
        assert state_of(account) == before


def state_of(account: Account) -> Any:
    """Return the records of the zone, and each health check with its tags."""
    records = account.route53.list_resource_record_sets(HostedZoneId=account.zone_id)
    checks = {}
    for check in account.route53.list_health_checks()["HealthChecks"]:
        tags = account.route53.list_tags_for_resource(
            ResourceType="healthcheck", ResourceId=check["Id"]
        )["ResourceTagSet"].get("Tags", [])
        is_inverted = check["HealthCheckConfig"].get("Inverted", False)
        checks[check["Id"]] = (is_inverted, sorted(tag["Key"] for tag in tags))
    return records["ResourceRecordSets"], checks


def test_what_cannot_be_drilled_is_refused_with_the_reason(account: Account) -> None:
    """Each of them before anything is touched."""
    check, inverted = account.check(), account.check(Inverted=True)
    dead = account.check(FullyQualifiedDomainName="nothing.example.com")
    pair = account.pair(check)
    six = {**pair[0], "Type": "AAAA", "HealthCheckId": account.check()}
    other = account.alias(
        EAST, "other.example.com", SetIdentifier="x", Weight=1, HealthCheckId=check
    )
    simple = account.alias(EAST)
    cases: list[tuple[str, list[Record]]] = [
        ("has no failover pair of dev.example.com", []),
        ("have simple routing, not failover", [simple]),
        ("has a PRIMARY failover record of type A and no SECONDARY", [pair[0]]),
        ("has no health check", [account.alias(EAST, **primary("")), pair[1]]),
        ("moves other records too: other.example.com A (x)", [*pair, other]),
        ("is inverted already", [*account.pair(inverted)]),
        ("have different health checks", [*pair, six, {**pair[1], "Type": "AAAA"}]),
        ("is unhealthy now", [pair[0], {**pair[1], "HealthCheckId": dead}]),
    ]
    time.sleep(60 / SPEED)  # until the checkers have found the dead one dead
    for reason, records in cases:
        with account.records(*records) if records else contextmanager(lambda: iter([None]))():
            before = state_of(account)
            done = account.drill("--plan")
            assert done.code in {1, 2}, reason
            assert reason in done.err
            assert state_of(account) == before


def test_two_zones_of_the_name_are_told_apart_by_the_user(account: Account) -> None:
    """Only one of them is delegated to, and nobody but the user may choose."""
    second = account.route53.create_hosted_zone(Name="example.com", CallerReference="second")
    try:
        with account.records(*account.pair(account.check())):
            done = account.drill("--plan")
            assert done.code == 2
            assert "has 2 public hosted zones" in done.err
            # The parent of the local cloud refers to the newer zone now, so the pair does not answer
            named = account.drill("--plan", "--zone-id", account.zone_id)
            assert "hosted zones" not in named.err
    finally:
        account.route53.delete_hosted_zone(Id=second["HostedZone"]["Id"])


def test_a_killed_drill_is_restored_from_any_machine(account: Account, tmp_path: Path) -> None:
    """The tag of the health check tells what to undo; a second drill is refused meanwhile."""
    with account.records(*account.pair(account.check())):
        before = state_of(account)
        words = ["drill", "--domain", DOMAIN, "--path", "/v1", "--yes", "--local"]
        drill = subprocess.Popen(
            [sys.executable, "-m", "deploytool", *words, "--report-dir", str(tmp_path)],
            cwd=account.folder,
            env=account.bench.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        history = tmp_path / "latest" / "history.jsonl"
        deadline = time.monotonic() + 60
        while not (history.exists() and '"fault_injected"' in history.read_text()):
            assert drill.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        drill.kill()
        drill.wait()

        refused = account.drill()
        assert refused.code == 1
        # Somebody changes the records meanwhile
        second = [record for record in before[0] if record.get("Failover") == "SECONDARY"]
        account._change("DELETE", second)
        assert f"deploytool restore --local --domain {DOMAIN}" in refused.err
        done = account.deploytool("restore", "--domain", DOMAIN, "--output", "json")
        account._change("CREATE", second)
        assert (done.code, done.json["restored"]) == (0, True), done.err
        assert state_of(account) == before


def test_the_policy_names_the_pair(account: Account) -> None:
    """It is a document for IAM, with the zone and the health check of the pair."""
    check = account.check()
    with account.records(*account.pair(check)):
        policy = json.loads(account.drill("--show-policy").out)
    by_sid = {statement["Sid"]: statement for statement in policy["Statement"]}
    assert by_sid["InvertAndRestore"]["Resource"] == [f"arn:aws:route53:::healthcheck/{check}"]
    assert by_sid["ReadTheZone"]["Resource"] == [f"arn:aws:route53:::hostedzone/{account.zone_id}"]


def test_weighted_records_inside_failover(account: Account) -> None:
    """The health check of the only weighted record moves the pair.

    The local cloud's name server does not answer with weighted records, so the drill is refused.
    """
    check = account.check()
    records = [
        account.alias(EAST, "w.example.com", SetIdentifier="a", Weight=1, HealthCheckId=check),
        account.inside("w.example.com", **primary("")),
        account.alias(WEST, **SECOND),
    ]
    with account.records(*records):
        policy = json.loads(account.drill("--show-policy").out)
        done = account.drill("--plan")
    assert f"arn:aws:route53:::healthcheck/{check}" in policy["Statement"][-1]["Resource"]
    assert done.code == 1
    assert "SERVFAIL" in done.err


def test_options_of_a_stage_are_refused(account: Account) -> None:
    """They belong to a project, and a pair has none."""
    for words, message in (
        (["--stage", "dev"], "--stage: belongs to a stage of a project"),
        (["--fault", "throttle"], "is drilled by health-check only"),
    ):
        done = account.drill(*words)
        assert done.code == 2
        assert message in done.err
