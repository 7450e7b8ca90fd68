"""Which health checks the local cloud can run."""

import ipaddress

from deploytool.core.route53.health import HealthCheckConfig

_TYPES = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")


def unsupported_reason(config: HealthCheckConfig) -> str | None:  # noqa: PLR0911  # one a rule
    """Return why the local cloud cannot run a health check, None when it can.

    The reason is given when the health check is created, which is then refused.
    """
    if config.type not in _TYPES:
        return (
            f"health checks of type {config.type} are not supported on the local cloud, "
            f"only {', '.join(_TYPES)}"
        )
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


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
