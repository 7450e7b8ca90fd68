"""CloudWatch: the alarms that a stage counts as failures of its primary."""

from typing import TYPE_CHECKING

from deploytool.aws.errors import translated
from deploytool.aws.sessions import Clients
from deploytool.core.route53.alarms import AlarmConfiguration, AlarmIdentifier
from deploytool.core.route53.metric_alarms import MetricAlarm

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef


class CloudWatchAlarms:
    """The Alarms port on botocore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def find(self, identifier: AlarmIdentifier) -> MetricAlarm | None:
        """DescribeAlarms with the alarm's name, for alarms of both types."""
        region, name = identifier.region, identifier.name
        with translated(f"reading the alarm {name} in {region}"):
            answer = self._clients.get("cloudwatch", region).describe_alarms(
                AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
        for alarm in answer["MetricAlarms"]:
            return _metric_alarm(alarm)
        for composite in answer["CompositeAlarms"]:
            return MetricAlarm(composite.get("AlarmArn", ""), is_composite=True)
        return None


def _metric_alarm(alarm: "MetricAlarmTypeDef") -> MetricAlarm:
    return MetricAlarm(
        arn=alarm.get("AlarmArn", ""),
        configuration=_configuration(alarm),
        extended_statistic=alarm.get("ExtendedStatistic", ""),
        datapoints_to_alarm=alarm.get("DatapointsToAlarm"),
        # An alarm on metric math has queries in place of a metric of its own.
        has_metrics=bool(alarm.get("Metrics")),
    )


def _configuration(alarm: "MetricAlarmTypeDef") -> AlarmConfiguration | None:
    """Return what a health check reads of an alarm, None for one without a metric of its own."""
    if "MetricName" not in alarm or "Namespace" not in alarm:
        return None
    dimensions = alarm.get("Dimensions", ())
    return AlarmConfiguration(
        namespace=alarm["Namespace"],
        metric_name=alarm["MetricName"],
        dimensions=tuple((dimension["Name"], dimension["Value"]) for dimension in dimensions),
        statistic=alarm.get("Statistic", ""),
        period=alarm.get("Period", 0),
        evaluation_periods=alarm.get("EvaluationPeriods", 1),
        threshold=alarm.get("Threshold", 0.0),
        comparison_operator=alarm.get("ComparisonOperator", ""),
    )
