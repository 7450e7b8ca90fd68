"""Upgrades: an ordinary deployment changes the health checks of a stage, and traffic stays."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import dns.message
import dns.query
import pytest

# What the graph of an earlier version lacked: the new text -> the old one.
EARLIER = {
    "    template: switch.yaml\n    scope: secondary\n    when: {zone: [new, existing]}\n": (
        "    template: switch.yaml\n    scope: secondary\n    when: {zone: external}\n"
    ),
    "    template: failover-check.yaml\n    scope: global\n    when: {zone: [new, existing]}\n": (
        "    template: failover-check.yaml\n    scope: global\n    when: {zone: external}\n"
    ),
    "{output: failover-check.FailoverHealthCheckId, only: primary}": (
        "{output: health-check.HealthCheckId, only: primary}"
    ),
    "  failover_check: {output: failover-check.FailoverHealthCheckId,": "  #",
    "  switch_check: {output: failover-check.SwitchHealthCheckId,": "  #",
}


@dataclass
class Seen:
    """What a name server answered, and which health check the primary's record named."""

    addresses: set[tuple[str, ...]] = field(default_factory=set)
    health_checks: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)  # named although they do not exist
    rounds: int = 0


class Stage:
    """The deployed stage, as a client of DNS and of Route 53 sees it."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        env = bench.run([sys.executable, "-m", "deploytool", "local", "env", "--output", "json"])
        address, port = env.json["DEPLOYTOOL_DNS"].split(":")
        self._server = address, int(port)
        make: Any = boto3.client
        self.route53 = make(
            "route53",
            "us-east-1",
            endpoint_url=env.json["AWS_ENDPOINT_URL"],
            aws_access_key_id=env.json["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env.json["AWS_SECRET_ACCESS_KEY"],
        )
        self._zone = self.route53.list_hosted_zones()["HostedZones"][0]["Id"]

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses that a name server of the zone answers."""
        address, port = self._server
        answer = dns.query.udp(dns.message.make_query(name, "A"), address, timeout=5, port=port)
        return tuple(str(record) for rrset in answer.answer for record in rrset)

    def record_health_check(self) -> str:
        """Return the id of the health check that the primary's record names, "" for none."""
        records = self.route53.list_resource_record_sets(HostedZoneId=self._zone)
        [primary] = [
            record
            for record in records["ResourceRecordSets"]
            if record.get("Failover") == "PRIMARY"
        ]
        return str(primary.get("HealthCheckId", ""))

    def health_checks(self) -> dict[str, Any]:
        """Return the configuration of each health check, by id."""
        found = self.route53.list_health_checks()["HealthChecks"]
        return {check["Id"]: check["HealthCheckConfig"] for check in found}

    def look(self, seen: Seen) -> None:
        """Note one answer, and one state of the record."""
        seen.addresses.add(self.addresses(self.bench.domain))
        before = self.record_health_check()
        existing = self.health_checks()
        # While it was changed in between, the list may be of another moment
        if before == self.record_health_check():
            seen.health_checks.append(before)
            if before not in existing:
                seen.missing.add(before)
        seen.rounds += 1


@contextmanager
def watched(stage: Stage) -> Iterator[Seen]:
    """Look without a pause while the block runs."""
    seen, stop = Seen(), threading.Event()
    failures: list[BaseException] = []

    def watch() -> None:
        try:
            while not stop.is_set():
                stage.look(seen)
        except BaseException as error:  # noqa: BLE001  # raised below
            failures.append(error)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    assert failures == []


@pytest.fixture(scope="module")
def stage(bench: Any) -> Stage:
    """The stage as an earlier version of the graph deployed it."""
    graph = bench.folder / "infra" / "stacks.yaml"
    shipped = graph.read_text()
    text = shipped
    for new, old in EARLIER.items():
        assert new in text
        text = text.replace(new, old)
    graph.write_text(text)
    done = bench.deploytool("deploy")
    assert done.code == 0, done.err
    graph.write_text(shipped)
    return Stage(bench)


def outputs(stage: Stage) -> Any:
    done = stage.bench.deploytool("outputs", "--output", "json")
    assert done.code == 0, done.err
    return done.json


def check_id(stage: Stage, stack: str, output: str) -> str:
    [value] = [region[output] for region in outputs(stage)[stack].values()]
    return str(value)


def deploy_watched(stage: Stage, change: Callable[[], object] = lambda: None) -> Seen:
    """Deploy and check, and return what was seen meanwhile: only the primary's addresses."""
    primary = stage.addresses(f"us-east-1.{stage.bench.domain}")
    change()
    with watched(stage) as seen:
        done = stage.bench.deploytool("deploy")
        assert done.code == 0, done.err
        checked = stage.bench.deploytool("check")
        assert checked.code == 0, checked.err
    assert seen.rounds > 10
    assert seen.addresses == {primary}
    assert seen.missing == set()
    return seen


def test_an_existing_stage_gets_the_switch_without_a_gap(stage: Stage) -> None:
    """The record always names a health check that exists, and traffic stays at the primary.

    First it names the endpoint's health check, which is the same before and after, then the
    calculated one.
    """
    endpoint = check_id(stage, "health-check", "HealthCheckId")
    assert stage.record_health_check() == endpoint
    seen = deploy_watched(stage)
    assert check_id(stage, "health-check", "HealthCheckId") == endpoint
    calculated = check_id(stage, "failover-check", "FailoverHealthCheckId")
    assert list(dict.fromkeys(seen.health_checks)) == [endpoint, calculated]
    config = stage.health_checks()[calculated]
    assert config["Type"] == "CALCULATED"
    switch = check_id(stage, "failover-check", "SwitchHealthCheckId")
    assert set(config["ChildHealthChecks"]) == {endpoint, switch}
    assert config["HealthThreshold"] == 2


def test_a_replaced_health_check_stays_until_the_calculated_one_has_let_go_of_it(
    stage: Stage,
) -> None:
    """A search string replaces the endpoint's health check. The record does not change at all."""
    calculated, old = stage.record_health_check(), check_id(stage, "health-check", "HealthCheckId")
    config = stage.bench.folder / "deploytool.toml"

    def look_for_a_text() -> None:
        settings = f'[stages.{stage.bench.stage}.settings]\nsearch_string = "region"\n'
        config.write_text(f"{config.read_text()}\n{settings}")

    seen = deploy_watched(stage, look_for_a_text)
    assert set(seen.health_checks) == {calculated}
    new = check_id(stage, "health-check", "HealthCheckId")
    assert new != old
    checks = stage.health_checks()
    assert new in checks[calculated]["ChildHealthChecks"]
    assert old not in checks[calculated]["ChildHealthChecks"]
    # It costs until the user deletes it
    assert old in checks
    assert checks[new]["SearchString"] == "region"
