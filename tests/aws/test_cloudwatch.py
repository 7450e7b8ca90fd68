"""CloudWatch's adapter against botocore's own model of the service."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from deploytool.aws.cloudwatch import CloudWatchAlarms
from deploytool.aws.sessions import Clients
from deploytool.core.route53.alarms import AlarmConfiguration, AlarmIdentifier
from deploytool.core.route53.metric_alarms import MetricAlarm

ARN = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:errors"
SETTINGS = {
    "AlarmName": "errors",
    "AlarmArn": ARN,
    "Namespace": "AWS/ApiGateway",
    "MetricName": "5XXError",
    "Dimensions": [{"Name": "ApiName", "Value": "shop"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 10.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
CONFIGURATION = AlarmConfiguration(
    "AWS/ApiGateway", "5XXError", (("ApiName", "shop"),), "Sum", 60, 3, 10.0, "GreaterThanThreshold"
)


@pytest.fixture
def service() -> str:
    return "cloudwatch"


def find(stub: Stubber, clients: Clients, **answer: Any) -> MetricAlarm | None:
    """Return what the adapter finds when the API answers with these alarms."""
    stub.add_response(
        "describe_alarms",
        {"MetricAlarms": [], "CompositeAlarms": [], **answer},
        {"AlarmNames": ["errors"], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
    )
    return CloudWatchAlarms(clients).find(AlarmIdentifier("us-west-2", "errors"))


def test_a_metric_alarm(stub: Stubber, clients: Clients) -> None:
    """All that decides whether Route 53 takes it is read."""
    found = find(stub, clients, MetricAlarms=[SETTINGS])
    assert found == MetricAlarm(ARN, CONFIGURATION, datapoints_to_alarm=2)


def test_an_extended_statistic(stub: Stubber, clients: Clients) -> None:
    """An alarm on a percentile has no statistic."""
    settings = {name: value for name, value in SETTINGS.items() if name != "Statistic"}
    found = find(stub, clients, MetricAlarms=[{**settings, "ExtendedStatistic": "p99"}])
    assert found is not None
    assert found.extended_statistic == "p99"


def test_metric_math(stub: Stubber, clients: Clients) -> None:
    """An alarm on metric math has queries and no metric of its own."""
    alarm = {
        "AlarmName": "errors",
        "AlarmArn": ARN,
        "Metrics": [{"Id": "rate", "Expression": "m1 / m2", "ReturnData": True}],
        "EvaluationPeriods": 1,
    }
    assert find(stub, clients, MetricAlarms=[alarm]) == MetricAlarm(ARN, None, has_metrics=True)


def test_a_composite_alarm(stub: Stubber, clients: Clients) -> None:
    """A composite alarm is told from a metric alarm."""
    alarm = {
        "AlarmName": "errors",
        "AlarmArn": ARN,
        "AlarmRule": "ALARM(one) OR ALARM(two)",
        "StateUpdatedTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
    }
    assert find(stub, clients, CompositeAlarms=[alarm]) == MetricAlarm(ARN, is_composite=True)


def test_no_alarm(stub: Stubber, clients: Clients) -> None:
    """A name that no alarm has is answered with empty lists."""
    assert find(stub, clients) is None
