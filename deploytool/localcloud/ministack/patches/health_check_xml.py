"""Health checks in the XML of Route 53's API, where MiniStack reads or writes them wrongly.

Source: Route 53 API reference, HealthCheck and HealthCheckConfig.
"""

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from deploytool.core.route53.alarms import AlarmConfiguration
from deploytool.localcloud.ministack.patches.replace import Patcher

PATCHES = {
    "route53._build_health_check_el": "booleans are True and False; what an alarm says is missing",
    "route53._parse_health_check_config": "child health checks and regions are read as empty text",
}


def install(patcher: Patcher) -> None:
    """Read and write the settings of health checks as AWS does."""
    route53 = patcher.ministack.route53

    def build_health_check_element(parent: Element, hc: Mapping[str, Any]) -> None:
        settings = {}
        for name, value in hc["config"].items():
            settings[name] = str(value).lower() if isinstance(value, bool) else value
        build_original(parent, {**hc, "config": settings})
        if hc["alarm"] is not None:
            _alarm_element(parent[-1], hc["alarm"])

    def parse_health_check_config(el: Element) -> dict[str, Any]:
        settings: dict[str, Any] = parse_original(el)
        for name in ("ChildHealthChecks", "Regions"):
            listed = route53._find(el, name)
            if listed is not None:
                settings[name] = [item.text for item in listed]
        return settings

    build_original = patcher.replace("route53._build_health_check_el", build_health_check_element)
    parse_original = patcher.replace(
        "route53._parse_health_check_config", parse_health_check_config
    )


def _alarm_element(parent: Element, alarm: AlarmConfiguration) -> None:
    """Write what a health check read of its alarm."""
    element = SubElement(parent, "CloudWatchAlarmConfiguration")
    SubElement(element, "EvaluationPeriods").text = str(alarm.evaluation_periods)
    SubElement(element, "Threshold").text = str(alarm.threshold)
    SubElement(element, "ComparisonOperator").text = alarm.comparison_operator
    SubElement(element, "Period").text = str(alarm.period)
    SubElement(element, "MetricName").text = alarm.metric_name
    SubElement(element, "Namespace").text = alarm.namespace
    SubElement(element, "Statistic").text = alarm.statistic
    dimensions = SubElement(element, "Dimensions")
    for name, value in alarm.dimensions:
        dimension = SubElement(dimensions, "Dimension")
        SubElement(dimension, "Name").text = name
        SubElement(dimension, "Value").text = value
