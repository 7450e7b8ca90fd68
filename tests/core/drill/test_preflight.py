"""The reasons to refuse a drill, one at a time."""

from dataclasses import replace

import pytest

from deploytool.core.drill.preflight import reasons_to_refuse
from deploytool.core.ports import DnsAnswer, HttpAnswer
from deploytool.core.route53.health import HealthCheck
from deploytool.core.service.findings import Findings
from deploytool.simulated.example import SERVICE, default_check, failover_pair

EAST, WEST = "us-east-1", "us-west-2"
CHECK = HealthCheck("check", 1, default_check(SERVICE))
ANSWER = DnsAnswer("NOERROR", ("192.0.2.1",), 60)
GOOD = {region: HttpAnswer(200, region, "v1", "id", 0.1) for region in (EAST, WEST)}
FINDINGS = Findings({"ns-1": ANSWER}, {"resolver": ANSWER}, GOOD[EAST], GOOD)
PAIR = failover_pair(SERVICE)


def test_a_service_as_deployed_is_not_refused() -> None:
    """There is no reason to refuse it."""
    assert reasons_to_refuse(SERVICE, CHECK, PAIR, FINDINGS) == ()


@pytest.mark.parametrize(
    ("check", "records", "findings", "reason_part"),
    [
        (replace(CHECK.config, inverted=True), PAIR, FINDINGS, "is inverted"),
        (replace(CHECK.config, disabled=True), PAIR, FINDINGS, "is disabled"),
        (replace(CHECK.config, fqdn="dev.example.com"), PAIR, FINDINGS, "watches dev.example.com, not the primary's endpoint"),
        (replace(CHECK.config, resource_path="/"), PAIR, FINDINGS, "calls /, not /v1"),
        (CHECK.config, PAIR[:1], FINDINGS, "no SECONDARY failover record"),
        (CHECK.config, PAIR[1:], FINDINGS, "no PRIMARY failover record"),
        (CHECK.config, (replace(PAIR[0], health_check_id=""), PAIR[1]), FINDINGS, "has no health check, not check"),
        (CHECK.config, PAIR, replace(FINDINGS, regions={**GOOD, WEST: "refused"}), "the secondary, us-west-2, does not serve"),
        (CHECK.config, PAIR, replace(FINDINGS, regions={**GOOD, EAST: replace(GOOD[EAST], status=500)}), "already fails"),
        (CHECK.config, PAIR, replace(FINDINGS, regions={**GOOD, WEST: GOOD[EAST]}), "does not serve"),
        (CHECK.config, PAIR, replace(FINDINGS, name_servers={"ns-1": "timeout"}), "ns-1 does not answer"),
        (CHECK.config, PAIR, replace(FINDINGS, resolvers={"r": DnsAnswer("NXDOMAIN", (), None)}), "r does not answer"),
    ],
)  # fmt: skip
def test_each_reason_is_named(
    check: object, records: object, findings: Findings, reason_part: str
) -> None:
    """One problem gives exactly one reason."""
    (reason,) = reasons_to_refuse(SERVICE, replace(CHECK, config=check), records, findings)  # type: ignore[arg-type]
    assert reason_part in reason
