"""Which alarms of CloudWatch Route 53 can base a health check on. Pure.

Sources: Route 53 API reference, AlarmIdentifier (standard-resolution metrics; no extended
statistics) and CloudWatchAlarmConfiguration (one metric, five statistics, four comparisons); Route
53 Developer Guide, "Values that you specify when you create or update health checks".
"""

import re
from dataclasses import dataclass

from deploytool.core.route53.alarms import EVALUATION_INTERVAL, AlarmConfiguration, AlarmIdentifier

# What a health check takes (API reference of AlarmIdentifier and CloudWatchAlarmConfiguration).
STATISTICS = ("Average", "Minimum", "Maximum", "Sum", "SampleCount")
COMPARISONS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)

# arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME
_ALARM_ARN = re.compile(
    r"arn:aws[a-z-]*:cloudwatch:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):alarm:(?P<name>.+)",
    re.DOTALL,
)


@dataclass(frozen=True)
class AlarmArn:
    """The parts of the ARN of an alarm."""

    region: str
    account: str
    name: str

    @property
    def identifier(self) -> AlarmIdentifier:
        """The alarm as a health check names it."""
        return AlarmIdentifier(self.region, self.name)


def parse_alarm_arn(arn: str) -> AlarmArn | None:
    """Return the parts of an alarm's ARN, or None when it is not the ARN of an alarm."""
    match = _ALARM_ARN.fullmatch(arn)
    if match is None:
        return None
    return AlarmArn(match["region"], match["account"], match["name"])


@dataclass(frozen=True)
class MetricAlarm:
    """A metric alarm of CloudWatch, with what decides whether a health check can use it.

    `is_composite` means that its rule combines other alarms. `has_metrics` means that it uses
    metric math, or the metric of another account. `datapoints_to_alarm` is None when it is not set:
    then every one of the evaluation periods counts.
    """

    arn: str
    configuration: AlarmConfiguration | None = None
    extended_statistic: str = ""
    datapoints_to_alarm: int | None = None
    has_metrics: bool = False
    is_composite: bool = False


def route53_refusal(alarm: MetricAlarm, account: str = "") -> str | None:
    """Return why Route 53 cannot base a health check on an alarm, None when it can.

    `account` is the account of the health check; empty when it is not known.
    """
    owner = parse_alarm_arn(alarm.arn)
    if account and owner is not None and owner.account != account:
        return (
            f"it belongs to account {owner.account}, and a health check takes an alarm of its own"
            f" account only ({account})"
        )
    if alarm.is_composite:
        return "it is a composite alarm; Route 53 watches the data of one metric"
    if alarm.has_metrics or alarm.configuration is None:
        return "it uses metric math or several metrics; Route 53 watches the data of one metric"
    if alarm.extended_statistic:
        return (
            f"it uses the extended statistic {alarm.extended_statistic}; Route 53 takes"
            f" {', '.join(STATISTICS)}"
        )

    return _configuration_refusal(alarm.configuration)


def alarm_problem(alarm: MetricAlarm, account: str = "") -> str | None:
    """Return why a stage cannot use an alarm, None when it can.

    Beside what Route 53 refuses this is "M out of N". Route 53 takes such an alarm, and reads no
    DatapointsToAlarm (see `alarms`), so that its health check needs N out of N. It would fail later
    than the alarm goes off, which nobody expects of it.
    """
    refusal = route53_refusal(alarm, account)
    if refusal is not None or alarm.configuration is None:
        return refusal

    periods = alarm.configuration.evaluation_periods
    needed = alarm.datapoints_to_alarm
    if needed is None or needed >= periods:
        return None
    return (
        f"it needs {needed} of {periods} data points, and Route 53 reads no DatapointsToAlarm;"
        " set both to the same number"
    )


def _configuration_refusal(configuration: AlarmConfiguration) -> str | None:
    if configuration.period < EVALUATION_INTERVAL:
        return (
            f"its period is {configuration.period} s, which needs a high-resolution metric; Route 53"
            f" takes standard resolution, periods of {EVALUATION_INTERVAL} s or more"
        )
    if configuration.statistic not in STATISTICS:
        return (
            f"it uses the statistic {configuration.statistic}; Route 53 takes"
            f" {', '.join(STATISTICS)}"
        )
    if configuration.comparison_operator not in COMPARISONS:
        return (
            f"it compares with {configuration.comparison_operator}; Route 53 takes"
            f" {', '.join(COMPARISONS)}"
        )
    return None
