"""The settings of a health check in Route 53's API: defaults, and which settings a type takes.

Source: Route 53 API reference, HealthCheckConfig and UpdateHealthCheck. The texts of the refusals
follow those that users report: "Calculated health checks must have a health threshold specified",
"Calculated health checks must not have a failure threshold specified" (Terraform's AWS provider,
issues 39428 and 20455).
"""

from collections.abc import Callable, Mapping
from typing import Any

from deploytool.core.route53.calculated import CALCULATED, CLOUDWATCH_METRIC

Settings = Mapping[str, Any]

INTEGERS = ("Port", "RequestInterval", "FailureThreshold", "HealthThreshold")
BOOLEANS = ("MeasureLatency", "Inverted", "Disabled", "EnableSNI")

_PORTS = {"HTTP": 80, "HTTP_STR_MATCH": 80, "HTTPS": 443, "HTTPS_STR_MATCH": 443}

# The settings of each kind of health check, with the words for messages.
_ENDPOINT_SETTINGS = {
    "IPAddress": "an IP address",
    "Port": "a port",
    "FullyQualifiedDomainName": "a domain name",
    "ResourcePath": "a resource path",
    "SearchString": "a search string",
    "RequestInterval": "a request interval",
    "FailureThreshold": "a failure threshold",
    "MeasureLatency": "latency measurement",
    "EnableSNI": "SNI",
    "Regions": "regions",
}
_CALCULATED_SETTINGS = {
    "HealthThreshold": "a health threshold",
    "ChildHealthChecks": "child health checks",
}
_ALARM_SETTINGS = {
    "AlarmIdentifier": "an alarm",
    "InsufficientDataHealthStatus": "an insufficient data health status",
}
# The settings that the local checkers do not support, each with the reason for the user.
_UNSUPPORTED = {
    "RoutingControlArn": "Application Recovery Controller is not supported locally",
}


class HealthCheckRefused(ValueError):
    """The settings of a health check are wrong or not supported. The message says which."""


def with_defaults(settings: Settings) -> dict[str, Any]:
    """Return the settings with Route 53's default for each one that is missing."""
    type_ = settings.get("Type", "")
    defaults: dict[str, Any] = {"Inverted": False, "Disabled": False}
    if type_ not in (CALCULATED, CLOUDWATCH_METRIC):
        defaults |= {
            "RequestInterval": 30,
            "FailureThreshold": 3,
            "MeasureLatency": False,
            "EnableSNI": type_.startswith("HTTPS"),
        }
    if type_ in _PORTS:
        defaults["Port"] = _PORTS[type_]
    return defaults | dict(settings)


def from_template(properties: Settings) -> dict[str, Any]:
    """Return HealthCheckConfig with numbers and booleans, which a template may have as text."""
    settings = dict(properties.get("HealthCheckConfig") or {})
    for name in INTEGERS:
        if name in settings:
            settings[name] = int(settings[name])
    for name in BOOLEANS:
        if name in settings:
            settings[name] = str(settings[name]).lower() == "true"
    return settings


def check_settings(settings: Settings) -> None:
    """Check the settings of one type against each other. Raises HealthCheckRefused."""
    type_ = settings.get("Type")
    if not type_:
        raise HealthCheckRefused("Type is required")
    for name, reason in _UNSUPPORTED.items():
        if name in settings:
            raise HealthCheckRefused(f"{name}: {reason}")

    if type_ == CALCULATED:
        _refuse(settings, "Calculated", _ENDPOINT_SETTINGS | _ALARM_SETTINGS)
        if "HealthThreshold" not in settings:
            raise _invalid("Calculated health checks must have a health threshold specified.")
        return
    if type_ == CLOUDWATCH_METRIC:
        _refuse(settings, "CloudWatch metric", _ENDPOINT_SETTINGS | _CALCULATED_SETTINGS)
        return

    _refuse(settings, "Basic", _CALCULATED_SETTINGS | _ALARM_SETTINGS)
    if settings.get("MeasureLatency"):
        raise HealthCheckRefused("MeasureLatency: the local checkers do not publish latency")
    if not 1 <= settings.get("Port", 0) <= 65535:
        raise HealthCheckRefused(f"Port must be 1 to 65535, got {settings.get('Port')}")


def check_children(settings: Settings, type_of: Callable[[str], str | None]) -> None:
    """Check the children of a calculated health check. Raises HealthCheckRefused.

    `type_of` returns the type of a health check of the account, None when there is none. Route 53
    takes no calculated child (Developer Guide, "Values that you specify when you create or update
    health checks").
    """
    children = settings.get("ChildHealthChecks") or ()
    if len(set(children)) < len(children):
        raise _invalid("A child health check is specified more than once.")
    for child in children:
        child_type = type_of(child)
        if child_type is None:
            raise _invalid(f"Child health check {child} does not exist.")
        if child_type == CALCULATED:
            raise _invalid(
                f"Child health check {child} is a calculated health check, "
                "which cannot be the child of another one."
            )


def check_update(before: Settings, after: Settings) -> None:
    """Check what an update may not change. Raises HealthCheckRefused."""
    if before.get("Type") != after.get("Type"):
        raise _invalid("The type of a health check cannot be changed.")
    if bool(before.get("IPAddress")) != bool(after.get("IPAddress")):
        raise _invalid("An update can neither add nor remove the IP address of a health check.")


def _refuse(settings: Settings, kind: str, refused: Mapping[str, str]) -> None:
    for name, words in refused.items():
        if name in settings:
            raise _invalid(f"{kind} health checks must not have {words} specified.")


def _invalid(message: str) -> HealthCheckRefused:
    return HealthCheckRefused(f"Invalid parameter : {message}")
