"""The reasons to refuse a drill, one at a time."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from deploytool.core.drill.preflight import reasons_to_refuse
from deploytool.core.failover.readiness import SwitchState
from deploytool.core.failover.records import COMMAND, SCHEMA_VERSION, SwitchRecord
from deploytool.core.ports import DnsAnswer, HttpAnswer
from deploytool.core.route53.health import HealthCheck
from deploytool.core.route53.zone import RecordSet
from deploytool.core.service.findings import Findings
from deploytool.simulated.example import (
    SERVICE,
    SWITCHED,
    calculated_check,
    default_check,
    failover_pair,
    switch_check,
)

EAST, WEST = "us-east-1", "us-west-2"
CHECK = HealthCheck("check", 1, default_check(SERVICE))
ANSWER = DnsAnswer("NOERROR", ("192.0.2.1",), 60)
GOOD = {region: HttpAnswer(200, region, "v1", "id", 0.1) for region in (EAST, WEST)}
FINDINGS = Findings({"ns-1": ANSWER}, {"resolver": ANSWER}, GOOD[EAST], GOOD)
PAIR = failover_pair(SERVICE)


CALCULATED = calculated_check(SWITCHED)
SWITCH = SwitchState(CALCULATED, switch_check(SWITCHED), None)
SWITCHED_PAIR = failover_pair(SWITCHED)
HELD = SwitchRecord(
    SCHEMA_VERSION, True, "2026-01-01T00:00:00+00:00", "ana@laptop", "the outage", COMMAND
)


def with_calculated(**changes: object) -> SwitchState:
    """The switch with other settings of the calculated health check."""
    config = replace(CALCULATED.config, **changes)  # type: ignore[arg-type]
    return replace(SWITCH, calculated=replace(CALCULATED, config=config))


def with_switch_check(**changes: object) -> SwitchState:
    """The switch with other settings of the health check on its alarm."""
    config = replace(SWITCH.on_alarm.config, **changes)  # type: ignore[arg-type]
    return replace(SWITCH, on_alarm=replace(SWITCH.on_alarm, config=config))


@pytest.mark.parametrize(
    "switch",
    [
        SWITCH,
        replace(SWITCH, record=replace(HELD, held=False)),
        # An alarm of the user is one more child
        with_calculated(child_health_checks=("check", "switch", "alarm"), health_threshold=3),
    ],
)
def test_a_stage_with_a_switch_as_deployed_is_not_refused(switch: SwitchState) -> None:
    """Its primary's record takes the calculated health check, and the switch is not held."""
    assert reasons_to_refuse(SWITCHED, CHECK, switch, SWITCHED_PAIR, FINDINGS) == ()


@pytest.mark.parametrize(
    ("switch", "records", "reason_part"),
    [
        (replace(SWITCH, record=HELD), SWITCHED_PAIR, "the switch is held since 2026-01-01T00:00:00+00:00 by ana@laptop: the outage; traffic is at us-west-2 on purpose"),
        (SWITCH, PAIR, "the primary's record of dev.example.com has check, not calculated"),
        (with_calculated(inverted=True), SWITCHED_PAIR, "calculated health check calculated is inverted"),
        (with_calculated(disabled=True), SWITCHED_PAIR, "is disabled: it never starts a failover"),
        (with_calculated(child_health_checks=("switch", "alarm")), SWITCHED_PAIR, "does not count health check check of the primary's endpoint"),
        (with_calculated(child_health_checks=("check", "alarm")), SWITCHED_PAIR, "does not count health check switch of the switch"),
        (with_calculated(health_threshold=1), SWITCHED_PAIR, "healthy with 1 of its 2 children, not with all"),
        (with_calculated(health_threshold=3), SWITCHED_PAIR, "healthy with 3 of its 2 children, not with all"),
        (with_switch_check(inverted=True), SWITCHED_PAIR, "health check switch of the switch is inverted"),
        (with_switch_check(disabled=True), SWITCHED_PAIR, "health check switch of the switch is disabled"),
    ],
)  # fmt: skip
def test_each_reason_of_the_switch_is_named(
    switch: SwitchState, records: Sequence[RecordSet], reason_part: str
) -> None:
    """One problem gives exactly one reason."""
    (reason,) = reasons_to_refuse(SWITCHED, CHECK, switch, records, FINDINGS)
    assert reason_part in reason


def test_a_service_as_deployed_is_not_refused() -> None:
    """There is no reason to refuse it."""
    assert reasons_to_refuse(SERVICE, CHECK, None, PAIR, FINDINGS) == ()


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
        (CHECK.config, (*PAIR, replace(PAIR[0], type="AAAA")), FINDINGS, "no SECONDARY failover AAAA record"),
        (CHECK.config, (*PAIR, replace(PAIR[0], type="AAAA", health_check_id="x"), replace(PAIR[1], type="AAAA")), FINDINGS, "the primary's AAAA record of dev.example.com has x, not check"),
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
    (reason,) = reasons_to_refuse(SERVICE, replace(CHECK, config=check), None, records, findings)  # type: ignore[arg-type]
    assert reason_part in reason
