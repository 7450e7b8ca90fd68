"""The parts of a deployed stage that a check or a drill needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MANUAL = "manual"  # the failback of a stage whose traffic returns by command only


@dataclass(frozen=True)
class DrillGuard:
    """The deployed stack that restores a drill when its time is up.

    `role_arn` is the role of EventBridge Scheduler, `schedules` the name of the schedule group.
    """

    region: str
    function_arn: str
    role_arn: str
    schedules: str


@dataclass(frozen=True)
class Service:
    """One stage of an API in two regions.

    `domain` is the name that fails over, and `path` the path that probes call below it.
    `regional_domains` has the DNS name of each region's own endpoint, which bypasses failover; the
    health check `health_check_id` watches the primary's.

    `failover_health_check_id` is the calculated health check that the primary's record takes, and
    `switch_health_check_id` its child on the switch's alarm. They are empty for a stage without a
    switch; then the primary's record takes `health_check_id`. `targets` has the name to which the
    domain's record of each region points. With a `failback` of manual, traffic stays at the
    secondary until it is moved back by command.

    A pair of failover records that deploytool did not deploy has no `project` and no `stage`. Its
    regions have no names of their own: with `by_domain` a region is called by the name `domain`, at
    the addresses of its `regional_domains`.

    `functions` has the name of each region's function, `rest_apis` or `http_apis` the id of each
    region's API, and `guard` the stack of the guard. They lack what the graph file does not name, and what is not
    deployed yet.
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
    http_apis: Mapping[str, str] = field(default_factory=dict)
    guard: DrillGuard | None = None
    failover_health_check_id: str = ""
    switch_health_check_id: str = ""
    targets: Mapping[str, str] = field(default_factory=dict)
    failback: str = "automatic"
    by_domain: bool = False

    @property
    def selector(self) -> str:
        """The options with which a command of deploytool works on this service."""
        return f"--stage {self.stage}" if self.stage else f"--domain {self.domain}"

    def host_of(self, region: str) -> str:
        """Return the name, in TLS and in the Host header, by which a region is called."""
        return self.domain if self.by_domain else self.regional_domains[region]
