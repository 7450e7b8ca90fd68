"""A simulated service in two regions, with health checkers, name servers and a resolver.

They follow Route 53's rules on a virtual clock, so a whole drill takes milliseconds.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar

from deploytool.core.drill.ports import DrillPorts
from deploytool.core.errors import DeploytoolError, ProbeFailed, StaleVersion
from deploytool.core.ports import DnsAnswer, HttpAnswer, Nameserver
from deploytool.core.route53.calculated import is_calculated_healthy
from deploytool.core.route53.health import (
    CheckerObservation,
    CheckerState,
    HealthCheck,
    HealthCheckConfig,
    checkers_for,
    is_healthy,
)
from deploytool.core.route53.routing import PRIMARY, failover
from deploytool.core.route53.zone import ALIAS_TTL, RecordSet, canonical
from deploytool.core.service.ports import Probes
from deploytool.core.service.service import Service
from deploytool.simulated.example import (
    SERVICE,
    calculated_check,
    default_check,
    failover_pair,
    standby_record,
    switch_check,
)
from deploytool.simulated.executor import InlineExecutor
from deploytool.simulated.memory import (
    SimulatedDrillRecords,
    SimulatedFunctions,
    SimulatedGuard,
    SimulatedMappings,
    SimulatedStandbyRecords,
)
from deploytool.simulated.switch import SimulatedSwitch, SimulatedSwitchFunction
from deploytool.work.failover.ports import MovePorts

# Seconds that pass at least in each sleep. Time passes in sleeps alone, so a caller that polls
# without a pause would otherwise poll for ever.
_SHORTEST_SLEEP = 0.001

# A hosted zone has four name servers. All addresses of a world are reserved for documentation
# (RFC 5737).
_NAME_SERVERS = tuple(
    Nameserver(f"ns-{number}.example.net", f"198.51.100.{number}") for number in range(1, 5)
)
_RESOLVER = Nameserver("resolver", "198.51.100.53")


@dataclass
class _Checker:
    """A health checker. `checked` is the second of its last check, `passed` its result."""

    region: str
    state: CheckerState
    passed: bool = True
    checked: float = 0.0


class World:
    """The simulated world. It implements the Clock, Http and Dns ports.

    `conditions` has what each region's endpoint does: the HTTP status that it answers with, or how
    a connection fails ("refused", "timeout"). A test changes it, now or with `at`.

    `rng` draws the phases of the checkers, and for each name server the delay with which it
    receives a verdict. The delay is between the two seconds of `propagation`. `ttl` is the time to
    live of DNS answers, in seconds.
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
        self.service = service
        self.records = failover_pair(service)
        self.check = HealthCheck(service.health_check_id, 1, config or default_check(service))
        # Only of a service with a switch
        self.calculated = calculated_check(service)
        self.switch_check = switch_check(service)

        self.conditions: dict[str, int | str] = dict.fromkeys(service.regional_domains, 200)
        self.addresses: dict[str, str] = {}
        for number, region in enumerate(service.regional_domains, 1):
            self.addresses[region] = f"192.0.2.{number}"

        # More addresses of a region, which no answer has now
        self.aliases: dict[str, str] = {}

        self.resolver = _RESOLVER
        self.name_servers = _NAME_SERVERS
        self.ttl = ttl
        # The resolver's answers, each with the second at which it expires
        self._cache: dict[str, tuple[DnsAnswer, float]] = {}

        self.drill_records = SimulatedDrillRecords()
        self.guard = SimulatedGuard()
        self.functions = SimulatedFunctions()
        self.mappings = SimulatedMappings()
        self.standby = SimulatedStandbyRecords()
        self.switch = SimulatedSwitch(self.now)
        self.health_checks = _HealthChecks(self)

        self._time = 0.0
        # A heap of what is to happen, by second. The number keeps the order of equal seconds.
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

        self._rng = rng or random.Random(0)  # noqa: S311  # it spreads checks over time and keeps no secret
        self._propagation = propagation
        # The verdict that each name server has received
        self._verdicts = {server.name: True for server in self.name_servers}
        self.checkers = self._started_checkers()
        self.at(self.switch.next_evaluation(), self._evaluate_switch)

    def probes(self) -> Probes:
        """Return the ports that observe this world."""
        return Probes(
            clock=self,
            dns=self,
            http=self,
            hosted_zones=_HostedZones(self),
            resolvers=(self.resolver,),
        )

    def drill_ports(self) -> DrillPorts:
        """Return the ports of a drill in this world."""
        return DrillPorts(
            probes=self.probes(),
            executor=InlineExecutor(),
            health_checks=self.health_checks,
            functions=self.functions,
            mappings=self.mappings,
            edges=_Edges(self),
            records=self.drill_records,
            deployments=None,
            guard=self.guard,
            standby=self.standby,
            switch=self.switch,
            who="somebody",
            wall_time=self.wall_time,
            shortest_limit=0.0,
        )

    def locate(self, name: str) -> Nameserver:
        """Find a name server by its name. Raises DeploytoolError when there is none."""
        for server in self.name_servers:
            if server.name == name:
                return server
        raise DeploytoolError(f"the name server {name} has no address (NXDOMAIN)")

    def move_ports(self) -> MovePorts:
        """Return the ports of a failover and of a failback in this world."""
        return MovePorts(
            clock=self,
            dns=self,
            http=self,
            executor=InlineExecutor(),
            resolver=self.resolver,
            locate=self.locate,
            records=self.standby,
            metric=self.switch,
            drills=self.drill_records,
            now=self.wall_time,
        )

    def deploy_switch(self) -> None:
        """Keep the stage's record in the standby region, and run the function there every minute."""
        self.standby.write(standby_record(self.service, self.name_servers))
        self._run_switch_function()

    def _run_switch_function(self) -> None:
        SimulatedSwitchFunction(self.standby, self.switch).run()
        self.at(self._time + SimulatedSwitchFunction.INTERVAL, self._run_switch_function)

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Let something happen at a second of the world's clock."""
        heapq.heappush(self._agenda, (when, next(self._numbers), action))

    def wall_time(self) -> str:
        """Return the time of day: the world begins with the year 2026."""
        begin = datetime(2026, 1, 1, tzinfo=UTC)
        return (begin + timedelta(seconds=self._time)).isoformat(timespec="seconds")

    # The Clock port.

    def now(self) -> float:
        return self._time

    def sleep(self, seconds: float) -> None:
        until = self._time + max(seconds, _SHORTEST_SLEEP)
        while self._agenda and self._agenda[0][0] <= until:
            when, _, action = heapq.heappop(self._agenda)
            self._time = max(self._time, when)
            action()
        # An action may itself have slept beyond `until`.
        self._time = max(self._time, until)

    # The Http port.

    def get(self, domain: str, address: str, path: str) -> HttpAnswer:
        regions = {address: region for region, address in self.addresses.items()} | self.aliases
        if address not in regions:
            raise ProbeFailed("timeout", f"https://{domain}{path} at {address}: timeout")
        region = regions[address]
        condition = self.conditions[region]
        if isinstance(condition, str):
            raise ProbeFailed(condition, f"https://{domain}{path} at {address}: {condition}")

        # The function names its region. An answer of 5xx is not the function's.
        served_by = region if condition < 500 else None
        return HttpAnswer(condition, served_by, "v1", "request", 0.01)

    def connect(self, domain: str, address: str) -> "_Connection":
        return _Connection(self, domain, address)

    # The Dns port.

    def query(self, server: Nameserver, name: str, *, tcp: bool = False) -> DnsAnswer:  # noqa: ARG002  # no transport here
        if server.name != self.resolver.name:
            return self._authoritative(server.name, name)

        answer, expires = self._cache.get(name, (None, 0.0))
        if answer is None or expires <= self._time:
            answer = self._authoritative(self.name_servers[0].name, name)
            expires = self._time + self.ttl
            self._cache[name] = (answer, expires)
        return replace(answer, ttl=int(expires - self._time))

    def _authoritative(self, server: str, name: str) -> DnsAnswer:
        region = self._region_of(server, name)
        if region is None:
            return DnsAnswer("NXDOMAIN", (), None)
        return DnsAnswer("NOERROR", (self.addresses[region],), self.ttl)

    def _region_of(self, server: str, name: str) -> str | None:
        """Return the region that a name server answers with, or None for an unknown name."""
        if name == self.service.domain:
            role = failover(self._verdicts[server], secondary_healthy=True)
            return self.service.primary if role == PRIMARY else self.service.secondary

        for names in (self.service.regional_domains, self.service.targets):
            for region, domain in names.items():
                if domain == name:
                    return region
        return None

    # The health checkers.

    def _started_checkers(self) -> list[_Checker]:
        """Return the checkers, each with its first check scheduled within one interval."""
        checkers: list[_Checker] = []
        for region in checkers_for(self.check.config):
            checker = _Checker(region, CheckerState())
            checkers.append(checker)
            phase = self._rng.uniform(0.0, self.check.config.request_interval)
            self.at(phase, partial(self._run_check, checker))
        return checkers

    def _run_check(self, checker: _Checker) -> None:
        """Check the primary, publish the verdict and schedule the checker's next check."""
        config = self.check.config
        condition = self.conditions[self.service.primary]
        checker.passed = isinstance(condition, int) and 200 <= condition < 400
        checker.checked = self._time
        checker.state = checker.state.observe(checker.passed, config.failure_threshold)

        self.publish_verdict()
        self.at(self._time + config.request_interval, partial(self._run_check, checker))

    def _evaluate_switch(self) -> None:
        """Judge the switch's metric, publish a new verdict and schedule the next evaluation."""
        if self.switch.evaluate(self.switch_check):
            self.publish_verdict()
        self.at(self.switch.next_evaluation(), self._evaluate_switch)

    def publish_verdict(self) -> None:
        """Send the verdict on the primary's record to each name server, with its delay."""
        states = [checker.state for checker in self.checkers]
        verdict = is_healthy(self.check.config, states)
        if self.service.failover_health_check_id:
            verdicts = {self.check.id: verdict, self.switch_check.id: self.switch.healthy}
            config = self.calculated.config
            children = [verdicts[child] for child in config.child_health_checks]
            verdict = is_calculated_healthy(config, children)
        for server in self.name_servers:
            arrival = self._time + self._rng.uniform(*self._propagation)
            self.at(arrival, partial(self._verdicts.__setitem__, server.name, verdict))


@dataclass(frozen=True)
class _Connection:
    """A kept HTTP connection. It goes to the address for which it was opened."""

    world: World
    domain: str
    address: str

    def get(self, path: str) -> HttpAnswer:
        return self.world.get(self.domain, self.address, path)

    def close(self) -> None:
        pass


class _HealthChecks:
    """The HealthChecks port of a world. Only its endpoint check can be inverted and observed."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, health_check_id: str) -> HealthCheck:
        world = self._world
        for health_check in (world.check, world.calculated, world.switch_check):
            if health_check.id == health_check_id:
                return health_check
        raise DeploytoolError(f"no health check {health_check_id}")

    def _endpoint_check(self, health_check_id: str) -> HealthCheck:
        if health_check_id != self._world.check.id:
            raise DeploytoolError(f"health check {health_check_id} has no checkers")
        return self._world.check

    def set_inverted(self, health_check_id: str, *, inverted: bool, version: int) -> HealthCheck:
        current = self._endpoint_check(health_check_id)
        if version != current.version:
            raise StaleVersion(f"health check {health_check_id} is at version {current.version}")

        config = replace(current.config, inverted=inverted)
        self._world.check = HealthCheck(current.id, version + 1, config)
        self._world.publish_verdict()
        return self._world.check

    def observations(self, health_check_id: str) -> Sequence[CheckerObservation]:
        self._endpoint_check(health_check_id)  # raises for any other
        return [_observation(checker) for checker in self._world.checkers]


def _observation(checker: _Checker) -> CheckerObservation:
    return CheckerObservation(
        checker.region,
        "203.0.113.1",
        checker.passed,
        "Success" if checker.passed else "Failure",
        checked=str(checker.checked),
    )


class _Edges:
    """The Edges port of a world. It has no latency, so a slow edge never answers."""

    CONDITIONS: ClassVar[dict[str, int | str]] = {
        "serving": 200,
        "refusing": "refused",
        "blackholed": "timeout",
        "slow": "timeout",
        "failing": 503,
    }

    def __init__(self, world: World) -> None:
        self._world = world

    def set_condition(self, region: str, condition: str, seconds: float = 0.0) -> None:  # noqa: ARG002  # no latency here
        self._world.conditions[region] = self.CONDITIONS[condition]

    def condition(self, region: str) -> str:
        current = self._world.conditions[region]
        return next(name for name, value in self.CONDITIONS.items() if value == current)


class _HostedZones:
    """The HostedZones port of a world, which has one zone."""

    def __init__(self, world: World) -> None:
        self._world = world

    def name_servers(self, hosted_zone_id: str) -> Sequence[Nameserver]:  # noqa: ARG002  # there is one
        return self._world.name_servers

    def records(self, hosted_zone_id: str, name: str) -> Sequence[RecordSet]:  # noqa: ARG002  # there is one
        return [record for record in self._world.records if record.name == canonical(name)]
