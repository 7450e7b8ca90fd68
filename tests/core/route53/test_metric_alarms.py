"""Which alarms Route 53 takes for a health check."""

from dataclasses import replace

import pytest

from deploytool.core.route53.alarms import AlarmConfiguration, AlarmIdentifier
from deploytool.core.route53.metric_alarms import (
    MetricAlarm,
    alarm_problem,
    parse_alarm_arn,
    route53_refusal,
)

ACCOUNT = "123456789012"
ARN = f"arn:aws:cloudwatch:us-west-2:{ACCOUNT}:alarm:errors: 5xx"
CONFIGURATION = AlarmConfiguration(
    namespace="AWS/ApiGateway",
    metric_name="5XXError",
    dimensions=(("ApiName", "shop"),),
    statistic="Sum",
    period=60,
    evaluation_periods=3,
    threshold=10.0,
    comparison_operator="GreaterThanThreshold",
)
GOOD = MetricAlarm(ARN, CONFIGURATION)


def with_configuration(**changes: object) -> MetricAlarm:
    return replace(GOOD, configuration=replace(CONFIGURATION, **changes))


@pytest.mark.parametrize(
    "alarm",
    [
        pytest.param(GOOD, id="three periods"),
        pytest.param(replace(GOOD, datapoints_to_alarm=3), id="three of three"),
        pytest.param(with_configuration(period=86400), id="a day"),
        pytest.param(with_configuration(statistic="SampleCount"), id="SampleCount"),
    ],
)
def test_taken(alarm: MetricAlarm) -> None:
    """Route 53 takes alarms on one metric of standard resolution with a basic statistic."""
    assert route53_refusal(alarm, ACCOUNT) is None
    assert route53_refusal(alarm) is None
    assert alarm_problem(alarm) is None


@pytest.mark.parametrize(
    ("alarm", "reason"),
    [
        pytest.param(with_configuration(period=10), "high-resolution metric", id="10 s"),
        pytest.param(with_configuration(period=30), "high-resolution metric", id="30 s"),
        pytest.param(with_configuration(statistic="TM(10%:90%)"), "TM(10%:90%)", id="statistic"),
        pytest.param(replace(GOOD, extended_statistic="p99"), "p99", id="percentile"),
        pytest.param(replace(GOOD, has_metrics=True), "metric math", id="metric math"),
        pytest.param(MetricAlarm(ARN), "metric math", id="no metric"),
        pytest.param(MetricAlarm(ARN, is_composite=True), "composite", id="composite"),
        pytest.param(
            with_configuration(comparison_operator="GreaterThanUpperThreshold"),
            "GreaterThanUpperThreshold",
            id="anomaly detection",
        ),
        pytest.param(
            replace(GOOD, arn=ARN.replace(ACCOUNT, "210987654321")),
            "account 210987654321",
            id="another account",
        ),
    ],
)
def test_refused(alarm: MetricAlarm, reason: str) -> None:
    """Every other alarm is refused, and the reason names what is wrong."""
    refusal = route53_refusal(alarm, ACCOUNT)
    assert refusal is not None
    assert reason in refusal
    assert alarm_problem(alarm, ACCOUNT) == refusal


def test_m_out_of_n() -> None:
    """Route 53 takes an alarm with M out of N, and a stage does not: it would mean N out of N."""
    alarm = replace(GOOD, datapoints_to_alarm=2)
    assert route53_refusal(alarm) is None
    problem = alarm_problem(alarm)
    assert problem is not None
    assert "2 of 3 data points" in problem


def test_arn() -> None:
    """The ARN of an alarm has its region, account and name, which may hold colons and spaces."""
    parsed = parse_alarm_arn(ARN)
    assert parsed is not None
    assert (parsed.region, parsed.account) == ("us-west-2", ACCOUNT)
    assert parsed.identifier == AlarmIdentifier("us-west-2", "errors: 5xx")


@pytest.mark.parametrize(
    "arn", ["", "errors", "arn:aws:sns:us-west-2:123456789012:topic", ARN.rpartition(":")[0][:-8]]
)
def test_no_arn_of_an_alarm(arn: str) -> None:
    """Other text is not taken for an alarm."""
    assert parse_alarm_arn(arn) is None
