"""A region is lost for real, and nobody touches the health check: what dig, curl and the AWS CLI
see.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from deploytool.core.route53.health import HealthCheckConfig
from deploytool.core.route53.timing import expected_failover

pytestmark = pytest.mark.local_only
EAST, WEST = "127.0.0.11", "127.0.0.12"
SPEED = 10.0
SLACK = 5.0  # seconds of wall time for dig's own start and a busy machine


def wait_for(what: Callable[[], bool], seconds: float) -> float:
    """Poll until it holds; the seconds that took. Fails when they run out."""
    started = time.monotonic()
    while not what():
        assert time.monotonic() - started < seconds, f"still not so after {seconds:.1f} s"
        time.sleep(0.05)
    return time.monotonic() - started


def test_both_transports_answer_the_primary_and_curl_is_served_by_it(clients: Any) -> None:
    """Dig over UDP and TCP gives the primary's edge; curl verifies the certificate and is told
    us-east-1.
    """
    domain = clients.bench.domain
    assert clients.dig(domain) == [EAST]
    assert clients.dig(domain, "+tcp") == [EAST]
    status, body = clients.curl(domain, EAST)
    assert (status, body["region"]) == (200, "us-east-1")
    assert len(body["version"]) == 12
    assert body["request_id"]


def test_each_region_lists_its_stacks_to_the_aws_cli(clients: Any) -> None:
    """The global stacks are in the primary, the regional ones in both."""
    names = {}
    for region in ("us-east-1", "us-west-2"):
        found = clients.aws("cloudformation", "describe-stacks", "--region", region)["Stacks"]
        names[region] = {each["StackName"].removeprefix("hello-dev-") for each in found}
        assert {each["StackStatus"] for each in found} == {"CREATE_COMPLETE"}
    assert {"api", "lambda", "certificate", "api-mapping", "record-set", "code-bucket"} <= names[
        "us-west-2"
    ]
    assert names["us-east-1"] - names["us-west-2"] == {"hosted-zone", "health-check"}


def test_traffic_moves_when_the_primary_is_lost_and_comes_back_with_it(clients: Any) -> None:
    """Within the time that Route 53's rules predict, at the local cloud's speed, and by the health
    check's own finding.
    """
    bench, domain = clients.bench, clients.bench.domain
    bound = (
        expected_failover(HealthCheckConfig("HTTPS", request_interval=10, failure_threshold=3)).dns
        / SPEED
        + SLACK
    )
    region = [sys.executable, "-m", "deploytool", "local"]
    assert bench.run([*region, "stop-region", "us-east-1"]).code == 0
    try:
        wait_for(lambda: clients.dig(domain) == [WEST], bound)
        assert clients.dig(domain, "+tcp") == [WEST]
        status, body = clients.curl(domain, WEST)
        assert (status, body["region"]) == (200, "us-west-2")
        refused = bench.deploytool("check", "--output", "json")
        assert refused.json["served_by"] == "us-west-2"
    finally:
        assert bench.run([*region, "start-region", "us-east-1"]).code == 0
    wait_for(lambda: clients.dig(domain) == [EAST], bound)
    assert clients.curl(domain, EAST)[1]["region"] == "us-east-1"
