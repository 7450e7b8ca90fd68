"""A service in two regions with health checkers, name servers and a resolver, by Route 53's rules,
on a virtual clock.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import DrillRecord, DrillUnderWay
from deploytool.core.errors import DeploytoolError, ProbeFailed, StaleVersion
from deploytool.core.ports import DnsAnswer, HttpAnswer, Nameserver, Result
from deploytool.core.route53.health import (
    CheckerObservation,
    CheckerState,
    HealthCheck,
    HealthCheckConfig,
    checkers_for,
    is_healthy,
)
from deploytool.core.route53.routing import PRIMARY, SECONDARY, failover
from deploytool.core.route53.zone import ALIAS_TTL, AliasTarget, RecordSet, canonical
from deploytool.core.service.ports import ApiMapping, Probes
from deploytool.core.service.service import Service
from deploytool.simulated.executor import InlineExecutor

SERVICE = Service(
    project="hello",
    stage="dev",
    domain="dev.example.com",
    path="/v1",
    primary="us-east-1",
    secondary="us-west-2",
    regional_domains={
        "us-east-1": "us-east-1.dev.example.com",
        "us-west-2": "us-west-2.dev.example.com",
    },
    hosted_zone_id="Z1",
    health_check_id="check",
)


def default_check(
    service: Service, request_interval: int = 10, failure_threshold: int = 3
) -> HealthCheckConfig:
    """The settings of a health check of the service's primary."""
    return HealthCheckConfig(
        "HTTPS",
        fqdn=service.regional_domains[service.primary],
        resource_path=service.path,
        request_interval=request_interval,
        failure_threshold=failure_threshold,
    )


def failover_pair(service: Service) -> tuple[RecordSet, ...]:
    """The two records of the friendly name, as they are deployed."""
    return tuple(
        RecordSet(
            name=canonical(service.domain),
            type="A",
            alias=AliasTarget(
                f"d-{number}.execute-api.{region}.amazonaws.com.", "Z2", evaluate_target_health=True
            ),
            set_identifier=region,
            failover=role,
            health_check_id=service.health_check_id if role == PRIMARY else "",
        )
        for number, (region, role) in enumerate(
            ((service.primary, PRIMARY), (service.secondary, SECONDARY))
        )
    )


@dataclass
class _Checker:
    region: str
    state: CheckerState
    passed: bool = True
    checked: float = 0.0


class World:
    """The world. `rng` draws the checkers' phases and how long each name server takes to hear of a
    verdict, in seconds.

    `conditions` says for each region what its endpoint does: a status, or how a connection fails
    (refused, timeout). `at` lets something happen later.
    """

    def __init__(
        self,
        service: Service = SERVICE,
        config: HealthCheckConfig | None = None,
        *,
        rng: random.Random | None = None,
        propagation: tuple[float, float] = (0.0, 0.0),
        ttl: int = ALIAS_TTL,
    ) -> None:
        self.service, self.ttl = service, ttl
        self.check = HealthCheck(service.health_check_id, 1, config or default_check(service))
        self.conditions: dict[str, int | str] = dict.fromkeys(service.regional_domains, 200)
        self.addresses = {
            region: f"192.0.2.{number}" for number, region in enumerate(service.regional_domains, 1)
        }
        self.records = failover_pair(service)
        self.drill_records, self.guard = HeldRecord(), HeldGuard()
        self.health_checks = _Checks(self)
        self.functions = Concurrencies()
        self.mappings = HeldMappings()
        self.name_servers = tuple(
            Nameserver(f"ns-{number}.example.net", f"198.51.100.{number}") for number in range(1, 5)
        )
        self.resolver = Nameserver("resolver", "198.51.100.53")
        self._rng = rng or random.Random(0)  # noqa: S311  # it spreads checks over time and keeps no secret
        self._time = 0.0
        self._order = itertools.count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._cache: dict[str, tuple[DnsAnswer, float]] = {}
        self._told = {each.name: True for each in self.name_servers}
        self._propagation = propagation
        self.checkers = [
            _Checker(region, CheckerState()) for region in checkers_for(self.check.config)
        ]
        for checker in self.checkers:
            self.at(
                self._rng.uniform(0.0, self.check.config.request_interval), self._checking(checker)
            )

    def probes(self) -> Probes:
        """Return the ports that observe this world."""
        return Probes(self, self, self, _Zones(self), (self.resolver,))

    def drill_ports(self) -> DrillPorts:
        """Return the ports of a drill in this world."""
        return DrillPorts(
            probes=self.probes(),
            executor=self,
            health_checks=self.health_checks,
            functions=self.functions,
            mappings=self.mappings,
            edges=_Edges(self),
            records=self.drill_records,
            guard=self.guard,
            shortest_limit=0.0,
        )

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Let something happen at a second of the world's clock."""
        heapq.heappush(self._agenda, (when, next(self._order), action))

    # The clock and the executor.

    def now(self) -> float:
        return self._time

    def sleep(self, seconds: float) -> None:
        # Who asks for no sleep lets the least of time pass: nothing else does
        until = self._time + max(seconds, 0.001)
        while self._agenda and self._agenda[0][0] <= until:
            when, _, action = heapq.heappop(self._agenda)
            self._time = max(self._time, when)
            action()
        self._time = max(self._time, until)

    def submit(self, call: Callable[[], Result], /) -> Future[Result]:
        return InlineExecutor().submit(call)

    def start(self, call: Callable[[], object], /) -> None:
        call()

    def wait(self, futures: Collection[Future[Any]], seconds: float, /) -> None:
        """Every future is done: there is nothing to wait for."""

    # The endpoints and DNS.

    def get(self, domain: str, address: str, path: str) -> HttpAnswer:
        region = next(name for name, each in self.addresses.items() if each == address)
        condition = self.conditions[region]
        if isinstance(condition, str):
            raise ProbeFailed(condition, f"https://{domain}{path} at {address}: {condition}")
        return HttpAnswer(condition, region if condition < 500 else None, "v1", "request", 0.01)

    def connect(self, domain: str, address: str) -> "_Kept":
        return _Kept(self, domain, address)

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:  # noqa: ARG002  # no transport here
        if server.name != self.resolver.name:
            return self._authoritative(server.name, name)
        answer, expires = self._cache.get(name, (None, 0.0))
        if answer is None or expires <= self._time:
            answer, expires = (
                self._authoritative(self.name_servers[0].name, name),
                self._time + self.ttl,
            )
            self._cache[name] = (answer, expires)
        return replace(answer, ttl=int(expires - self._time))

    def _authoritative(self, server: str, name: str) -> DnsAnswer:
        service = self.service
        regional = {each: region for region, each in service.regional_domains.items()}
        region = regional.get(name)
        if name == service.domain:
            region = (
                service.primary
                if failover(self._told[server], secondary_healthy=True) == PRIMARY
                else service.secondary
            )
        return (
            DnsAnswer("NOERROR", (self.addresses[region],), self.ttl)
            if region
            else DnsAnswer("NXDOMAIN", (), None)
        )

    # The health checkers.

    def _checking(self, checker: _Checker) -> Callable[[], None]:
        def check() -> None:
            condition = self.conditions[self.service.primary]
            checker.passed = isinstance(condition, int) and 200 <= condition < 400
            checker.checked = self._time
            checker.state = checker.state.observe(
                checker.passed, self.check.config.failure_threshold
            )
            self.tell()
            self.at(self._time + self.check.config.request_interval, check)

        return check

    def tell(self) -> None:
        """Let each name server hear of the verdict, after its propagation time."""
        verdict = is_healthy(self.check.config, [each.state for each in self.checkers])
        for server in self.name_servers:
            self.at(
                self._time + self._rng.uniform(*self._propagation),
                partial(self._told.__setitem__, server.name, verdict),
            )


@dataclass(frozen=True)
class _Kept:
    """A connection that is kept: it goes where it was made to."""

    world: World
    domain: str
    address: str

    def get(self, path: str) -> HttpAnswer:
        return self.world.get(self.domain, self.address, path)

    def close(self) -> None:
        pass


class _Checks:
    """The health check of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, health_check_id: str) -> HealthCheck:
        if health_check_id != self._world.check.id:
            raise DeploytoolError(f"no health check {health_check_id}")
        return self._world.check

    def set_inverted(self, health_check_id: str, *, inverted: bool, version: int) -> HealthCheck:
        found = self.get(health_check_id)
        if version != found.version:
            raise StaleVersion(f"health check {health_check_id} is at version {found.version}")
        self._world.check = HealthCheck(
            found.id, version + 1, replace(found.config, inverted=inverted)
        )
        self._world.tell()
        return self._world.check

    def observations(self, health_check_id: str) -> Sequence[CheckerObservation]:
        self.get(health_check_id)
        return [
            CheckerObservation(
                each.region,
                "203.0.113.1",
                each.passed,
                "Success" if each.passed else "Failure",
                checked=str(each.checked),
            )
            for each in self._world.checkers
        ]


class _Edges:
    """The edges of a world."""

    CONDITIONS: ClassVar[dict[str, int | str]] = {
        "serving": 200, "refusing": "refused", "blackholed": "timeout", "slow": "timeout", "failing": 503
    }  # fmt: skip

    def __init__(self, world: World) -> None:
        self._world = world

    def set_condition(self, region: str, condition: str, seconds: float = 0.0) -> None:  # noqa: ARG002  # no latency here
        self._world.conditions[region] = self.CONDITIONS[condition]

    def condition(self, region: str) -> str:
        return next(
            name for name, each in self.CONDITIONS.items() if each == self._world.conditions[region]
        )


@dataclass
class HeldRecord:
    """A drill's record in memory."""

    record: DrillRecord | None = None

    def write(self, record: DrillRecord) -> None:
        if self.record:
            raise DrillUnderWay(self.record)
        self.record = record

    def read(self) -> DrillRecord | None:
        return self.record

    def clear(self, drill_id: str) -> None:
        if self.record and self.record.drill_id == drill_id:
            self.record = None


@dataclass
class HeldGuard:
    """A guard in memory: the drills that it watches, and for how many seconds."""

    armed: dict[str, float] = field(default_factory=dict)

    def arm(self, drill_id: str, seconds: float) -> None:
        self.armed[drill_id] = seconds

    def disarm(self, drill_id: str) -> None:
        self.armed.pop(drill_id, None)


@dataclass
class Concurrencies:
    """The reserved concurrency of functions, by region and name."""

    reserved: dict[tuple[str, str], int] = field(default_factory=dict)

    def reserved_concurrency(self, region: str, name: str) -> int | None:
        return self.reserved.get((region, name))

    def set_reserved_concurrency(self, region: str, name: str, reserved: int | None) -> None:
        if reserved is None:
            self.reserved.pop((region, name), None)
        else:
            self.reserved[region, name] = reserved


@dataclass
class HeldMappings:
    """Base path mappings by region and domain."""

    mappings: dict[tuple[str, str], list[ApiMapping]] = field(default_factory=dict)

    def of(self, region: str, domain: str) -> Sequence[ApiMapping]:
        return tuple(self.mappings.get((region, domain), ()))

    def create(self, region: str, domain: str, mapping: ApiMapping) -> None:
        present = self.mappings.setdefault((region, domain), [])
        if mapping not in present:
            present.append(mapping)

    def delete(self, region: str, domain: str, base_path: str) -> None:
        present = self.mappings.get((region, domain), [])
        self.mappings[region, domain] = [each for each in present if each.base_path != base_path]


class _Zones:
    """The hosted zone of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def name_servers(self, hosted_zone_id: str) -> Sequence[Nameserver]:  # noqa: ARG002  # there is one
        return self._world.name_servers

    def records(self, hosted_zone_id: str, name: str) -> Sequence[RecordSet]:  # noqa: ARG002  # there is one
        return [each for each in self._world.records if each.name == canonical(name)]
