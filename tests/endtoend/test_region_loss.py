"""A region is lost, with the health check untouched: what dig, curl and the AWS CLI observe."""

import sys
import time
from collections.abc import Callable
from typing import Any

from deploytool.core.route53.health import HealthCheckConfig
from deploytool.core.route53.timing import expected_failover

EAST, WEST = "127.0.0.11", "127.0.0.12"
SPEED = 10.0
SLACK = 5.0  # seconds of wall time, for the start of dig and for a busy machine


def wait_for(condition: Callable[[], bool], seconds: float) -> float:
    """Poll until the condition is true and return the seconds that took; fail after `seconds`."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"still false after {seconds:.1f} s"
        time.sleep(0.05)
    return time.monotonic() - started


def test_dns_answers_the_primary_and_it_serves(clients: Any) -> None:
    """Over UDP and TCP dig gets the primary's edge; curl verifies it and gets us-east-1."""
    domain = clients.bench.domain
    assert clients.dig(domain) == [EAST]
    assert clients.dig(domain, "+tcp") == [EAST]
    status, body = clients.curl(domain, EAST)
    assert (status, body["region"]) == (200, "us-east-1")
    assert len(body["version"]) == 12
    assert body["request_id"]


def test_each_region_lists_its_stacks_to_the_aws_cli(clients: Any) -> None:
    """The global stacks are in the primary, the regional ones in both regions."""
    names = {}
    for region in ("us-east-1", "us-west-2"):
        stacks = clients.aws("cloudformation", "describe-stacks", "--region", region)["Stacks"]
        names[region] = {stack["StackName"].removeprefix("hello-dev-") for stack in stacks}
        assert {stack["StackStatus"] for stack in stacks} == {"CREATE_COMPLETE"}
    assert {"api", "lambda", "certificate", "api-mapping", "record-set", "code-bucket"} <= names[
        "us-west-2"
    ]
    only_in_the_primary = {"hosted-zone", "health-check", "failover-check"}
    assert names["us-east-1"] - names["us-west-2"] == only_in_the_primary


def test_traffic_moves_when_the_primary_is_lost_and_returns(clients: Any) -> None:
    """It does so within the time that Route 53's rules predict, at the local cloud's speed."""
    bench = clients.bench
    domain = bench.domain
    config = HealthCheckConfig("HTTPS", request_interval=10, failure_threshold=3)
    bound = expected_failover(config).dns / SPEED + SLACK
    local = [sys.executable, "-m", "deploytool", "local"]
    assert bench.run([*local, "stop-region", "us-east-1"]).code == 0
    try:
        wait_for(lambda: clients.dig(domain) == [WEST], bound)
        assert clients.dig(domain, "+tcp") == [WEST]
        status, body = clients.curl(domain, WEST)
        assert (status, body["region"]) == (200, "us-west-2")
        check = bench.deploytool("check", "--output", "json")
        assert check.json["served_by"] == "us-west-2"
    finally:
        assert bench.run([*local, "start-region", "us-east-1"]).code == 0
    wait_for(lambda: clients.dig(domain) == [EAST], bound)
    assert clients.curl(domain, EAST)[1]["region"] == "us-east-1"
