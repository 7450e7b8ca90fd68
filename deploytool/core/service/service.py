"""What has been deployed, as far as a check or a drill needs to know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DrillGuard:
    """The stack that restores a drill when its time is up: its region, function, the scheduler's
    role and schedule group.
    """

    region: str
    function_arn: str
    role_arn: str
    schedules: str


@dataclass(frozen=True)
class Service:
    """One stage of an API in two regions.

    `domain` is the friendly name, `path` what is called below it. `regional_domains` names each
    region's own endpoint (region -> DNS name), which bypasses failover; the health check watches
    the primary's. What the graph file does not name or the deployment does not have yet is missing:
    `functions` and `rest_apis` (region -> name, id), `guard`.
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
    functions: Mapping[str, str] = field(default_factory=dict)
    rest_apis: Mapping[str, str] = field(default_factory=dict)
    guard: DrillGuard | None = None
