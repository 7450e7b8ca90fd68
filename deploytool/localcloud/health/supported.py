"""Which health checks the local cloud can run."""

import ipaddress

from deploytool.core.route53.alarms import INSUFFICIENT_DATA_STATUSES
from deploytool.core.route53.calculated import CALCULATED, CLOUDWATCH_METRIC, MOST_CHILDREN
from deploytool.core.route53.health import CHECKER_REGIONS, FEWEST_REGIONS, HealthCheckConfig

_ENDPOINT_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")
_TYPES = (*_ENDPOINT_TYPES, CALCULATED, CLOUDWATCH_METRIC)


def unsupported_reason(config: HealthCheckConfig) -> str | None:
    """Return why the local cloud cannot run a health check, None when it can.

    The reason is given when the health check is created, which is then refused.
    """
    if config.type == CALCULATED:
        return _calculated_problem(config)
    if config.type == CLOUDWATCH_METRIC:
        return _alarm_problem(config)
    if config.type in _ENDPOINT_TYPES:
        return _endpoint_problem(config) or _regions_problem(config)
    return (
        f"health checks of type {config.type} are not supported on the local cloud, "
        f"only {', '.join(_TYPES)}"
    )


def _endpoint_problem(config: HealthCheckConfig) -> str | None:
    if config.request_interval not in (10, 30):
        return f"RequestInterval must be 10 or 30, not {config.request_interval}"
    if not 1 <= config.failure_threshold <= 10:
        return f"FailureThreshold must be 1 to 10, not {config.failure_threshold}"
    if not config.fqdn and not config.ip_address:
        return "a health check needs a FullyQualifiedDomainName or an IPAddress"
    if config.ip_address and not _is_ip_address(config.ip_address):
        return f"IPAddress is not an IP address: {config.ip_address}"
    if config.type.endswith("_STR_MATCH") and not config.search_string:
        return f"a health check of type {config.type} needs a SearchString"
    return None


def _regions_problem(config: HealthCheckConfig) -> str | None:
    """Return what is wrong with the regions of the checkers (HealthCheckConfig, Regions)."""
    if not config.regions:
        return None
    unknown = sorted(set(config.regions) - set(CHECKER_REGIONS))
    if unknown:
        return f"Regions: no health checkers in {', '.join(unknown)}"
    if len(set(config.regions)) < FEWEST_REGIONS:
        return f"Regions must name at least {FEWEST_REGIONS} regions"
    return None


def _calculated_problem(config: HealthCheckConfig) -> str | None:
    children = len(config.child_health_checks)
    if children > MOST_CHILDREN:
        return f"ChildHealthChecks has {children} health checks, {MOST_CHILDREN} are the most"
    if not 0 <= config.health_threshold <= MOST_CHILDREN + 1:
        return f"HealthThreshold must be 0 to {MOST_CHILDREN + 1}, not {config.health_threshold}"
    return None


def _alarm_problem(config: HealthCheckConfig) -> str | None:
    if config.alarm_identifier is None:
        return "a health check of type CLOUDWATCH_METRIC needs an AlarmIdentifier"
    if config.insufficient_data_health_status not in INSUFFICIENT_DATA_STATUSES:
        return (
            f"InsufficientDataHealthStatus must be one of {', '.join(INSUFFICIENT_DATA_STATUSES)},"
            f" not {config.insufficient_data_health_status}"
        )
    return None


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
