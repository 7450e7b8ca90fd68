"""The ports with which a command moves traffic. None of them needs the primary region's API."""

from collections.abc import Callable
from dataclasses import dataclass

from deploytool.core.drill.ports import Deployments, DrillRecords
from deploytool.core.errors import ProbeFailed
from deploytool.core.failover.ports import StandbyRecords, SwitchMetric
from deploytool.core.ports import Clock, Dns, DnsAnswer, Executor, Http, Nameserver


@dataclass(frozen=True)
class MovePorts:
    """The ports of a failover and of a failback.

    `resolver` is the system's recursive DNS server. `locate` finds a name server by its name; it
    raises DeploytoolError when the name has no address. `now` returns the time of day (ISO 8601,
    UTC). Without `deployments` nobody is warned of a run that deploys the stage.
    """

    clock: Clock
    dns: Dns
    http: Http
    executor: Executor
    resolver: Nameserver
    locate: Callable[[str], Nameserver]
    records: StandbyRecords
    metric: SwitchMetric
    drills: DrillRecords
    now: Callable[[], str]
    deployments: Deployments | None = None

    def resolve(self, name: str) -> DnsAnswer:
        """Ask the resolver for a name. Raises ProbeFailed when the answer has no address."""
        answer = self.dns.query(self.resolver, name)
        if not answer.addresses:
            raise ProbeFailed("dns", f"{name} has no address ({answer.rcode})")
        return answer
