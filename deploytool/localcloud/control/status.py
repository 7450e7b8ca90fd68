"""What a running cloud reports about itself on request."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deploytool.localcloud.edges.edge_state import EdgeCondition
from deploytool.localcloud.ministack.api_state import ApiCondition
from deploytool.localcloud.state import State


@dataclass(frozen=True)
class HealthCheckStatus:
    """The verdict on a health check, and how many of its checkers consider it healthy."""

    healthy: bool
    checkers: int
    checkers_healthy: int


@dataclass(frozen=True)
class CloudStatus:
    """The state of a cloud and of its parts at one moment.

    `edges` has the condition of each region's edge, `apis` that of its AWS API; `seconds` is the
    age of the cloud in cloud seconds; `delegations` maps each domain to the name servers that its
    parent names; `health_checks` is keyed by id; `calls` counts the calls of the AWS API by
    operation (`cloudformation.DescribeStacks`), `calls_by_region` also by the region of the API
    (`unsigned` without a signature), whether or not they were answered; `throttled` counts those that
    were over a quota; `resident_mb` is the memory
    of the cloud's process in MB; `ministack` is the version of MiniStack.
    """

    state: State
    edges: Mapping[str, EdgeCondition]
    apis: Mapping[str, ApiCondition]
    seconds: float
    delegations: Mapping[str, tuple[str, ...]]
    health_checks: Mapping[str, HealthCheckStatus]
    calls: Mapping[str, int]
    calls_by_region: Mapping[str, Mapping[str, int]]
    throttled: Mapping[str, int]
    resident_mb: float
    ministack: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values, those of the state at the same level as the others."""
        health_checks = {id_: asdict(status) for id_, status in self.health_checks.items()}
        return {
            **self.state.to_json(),
            "edges": dict(self.edges),
            "apis": dict(self.apis),
            "seconds": round(self.seconds, 3),
            "delegations": dict(self.delegations),
            "health_checks": health_checks,
            "calls": dict(sorted(self.calls.items())),
            "calls_by_region": {
                region: dict(sorted(calls.items()))
                for region, calls in sorted(self.calls_by_region.items())
            },
            "throttled": dict(sorted(self.throttled.items())),
            "resident_mb": round(self.resident_mb, 1),
            "ministack": self.ministack,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "CloudStatus":
        """Read what `to_json` wrote."""
        delegations = document["delegations"]
        health_checks = document["health_checks"]
        return cls(
            state=State.from_json(document),
            edges=document["edges"],
            apis=document["apis"],
            seconds=document["seconds"],
            delegations={domain: tuple(servers) for domain, servers in delegations.items()},
            health_checks={
                id_: HealthCheckStatus(**status) for id_, status in health_checks.items()
            },
            calls=document["calls"],
            calls_by_region=document["calls_by_region"],
            throttled=document["throttled"],
            resident_mb=document["resident_mb"],
            ministack=document["ministack"],
        )
