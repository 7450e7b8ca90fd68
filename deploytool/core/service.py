"""What has been deployed, as far as a check or a drill needs to know it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """One stage of an API in two regions.

    `domain` is the friendly name, `path` what is called below it. `regional_domains` names each region's own endpoint
    (region -> DNS name), which bypasses failover; the health check watches the primary's.
    """

    project: str
    stage: str
    domain: str
    path: str
    primary: str
    secondary: str
    regional_domains: Mapping[str, str]
    hosted_zone_id: str
    health_check_id: str
