"""Observers of a service: lanes that ask on an open-loop schedule, so that a slow answer delays no
other probe.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deploytool.core.drill.history import (
    FRESH,
    KEPT,
    DnsAnswered,
    Event,
    HealthSeen,
    Served,
    name_server_lane,
    region_lane,
    resolver_lane,
)
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import DeploytoolError, ProbeFailed
from deploytool.core.ports import Clock, Connection, DnsAnswer, Nameserver
from deploytool.core.service.service import Service

Emit = Callable[[Event], None]


@dataclass
class Lane:
    """One observer. `probe` asks once and emits what came; it raises nothing. `due` is when it asks
    next, in seconds.
    """

    name: str
    interval: float
    probe: Callable[[], None]
    due: float


class Observers:
    """All lanes of a drill."""

    def __init__(
        self,
        ports: DrillPorts,
        clock: Clock,
        service: Service,
        scenario: Scenario,
        servers: Sequence[Nameserver],
        emit: Emit,
    ) -> None:
        self._ports, self._clock, self._service, self._emit = (
            ports,
            clock,
            service,
            emit,
        )
        self._cached: tuple[tuple[str, ...], float] = ((), 0.0)
        self._turns = itertools.count()
        self._kept: Connection | None = None
        self._kept_address, self._kept_lock = "", threading.Lock()
        resolver = ports.probes.resolvers[0]
        lanes: list[tuple[str, float, Callable[[], None]]] = [
            (FRESH, scenario.client_interval, self._fresh),
            (KEPT, scenario.client_interval, self._keeping),
            ("health-check", scenario.health_interval, self._health),
        ]
        lanes += [
            (
                region_lane(region),
                2 * scenario.client_interval,
                self._past_the_failover(region, name, resolver),
            )
            for region, name in service.regional_domains.items()
        ]
        lanes += [
            (
                name_server_lane(each.name),
                scenario.dns_interval,
                self._dns(name_server_lane(each.name), each),
            )
            for each in servers
        ]
        lanes += [
            (
                resolver_lane(each.name),
                scenario.dns_interval,
                self._dns(resolver_lane(each.name), each),
            )
            for each in ports.probes.resolvers
        ]
        # Spread over their intervals, so that they do not all ask at once.
        start = clock.now()
        self._lanes = [
            Lane(name, interval, probe, start + interval * number / len(lanes))
            for number, (name, interval, probe) in enumerate(lanes)
        ]

    def tick(self) -> float:
        """Send every probe that is due; seconds until the next one is. Probes missed in a stall of
        our own are left out.
        """
        now = self._clock.now()
        for lane in self._lanes:
            if lane.due <= now:
                self._ports.executor.start(lane.probe)
                lane.due = max(lane.due + lane.interval, now)
        return min(lane.due for lane in self._lanes) - now

    def _fresh(self) -> None:
        """A client that honours the TTL: it resolves again when its answer has expired, and
        connects anew each time.
        """
        sent = self._clock.now()
        addresses, expires = self._cached
        try:
            if sent >= expires:
                answer = self._resolved(self._service.domain, self._ports.probes.resolvers[0])
                addresses = answer.addresses
                self._cached = (addresses, self._clock.now() + (answer.ttl or 0))
            self._get(FRESH, sent, self._service.domain, self._in_turn(addresses))
        except ProbeFailed as error:
            self._emit(Served(sent, self._clock.now(), FRESH, failure=error.kind))

    def _keeping(self) -> None:
        """A client that keeps its connection: it does not ask DNS again before that breaks.

        A connection carries one request at a time: while one is under way none is sent, and its own
        answer says how long it took.
        """
        sent = self._clock.now()
        if not self._kept_lock.acquire(blocking=False):
            return
        try:
            if self._kept is None:
                self._kept_address = self._resolved(
                    self._service.domain, self._ports.probes.resolvers[0]
                ).addresses[0]
                self._kept = self._ports.probes.http.connect(
                    self._service.domain, self._kept_address
                )
            answer = self._kept.get(self._service.path)
        except ProbeFailed as error:
            self._emit(
                Served(sent, self._clock.now(), KEPT, self._kept_address, failure=error.kind)
            )
            self._drop()
        else:
            now, address = self._clock.now(), self._kept_address
            self._emit(
                Served(sent, now, KEPT, address, answer.status, answer.region, answer.version)
            )
        finally:
            self._kept_lock.release()

    def close(self) -> None:
        """Close what is kept open."""
        with self._kept_lock:
            self._drop()

    def _drop(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _past_the_failover(
        self, region: str, name: str, resolver: Nameserver
    ) -> Callable[[], None]:
        lane = region_lane(region)

        def probe() -> None:
            sent = self._clock.now()
            try:
                self._get(lane, sent, name, self._in_turn(self._resolved(name, resolver).addresses))
            except ProbeFailed as error:
                self._emit(Served(sent, self._clock.now(), lane, failure=error.kind))

        return probe

    def _resolved(self, name: str, resolver: Nameserver) -> DnsAnswer:
        answer = self._ports.probes.dns.query(resolver, name)
        if not answer.addresses:
            raise ProbeFailed("dns", f"{name} has no address ({answer.rcode})")
        return answer

    def _in_turn(self, addresses: Sequence[str]) -> str:
        """One address of an answer with several: each in its turn, so that it is learnt of all of
        them whose they are.
        """
        return addresses[next(self._turns) % len(addresses)]

    def _get(self, lane: str, sent: float, domain: str, address: str) -> None:
        try:
            answer = self._ports.probes.http.get(domain, address, self._service.path)
        except ProbeFailed as error:
            self._emit(Served(sent, self._clock.now(), lane, address, failure=error.kind))
        else:
            self._emit(
                Served(
                    sent,
                    self._clock.now(),
                    lane,
                    address,
                    answer.status,
                    answer.region,
                    answer.version,
                )
            )

    def _dns(self, lane: str, server: Nameserver) -> Callable[[], None]:
        def probe() -> None:
            sent = self._clock.now()
            try:
                answer = self._ports.probes.dns.query(server, self._service.domain)
            except ProbeFailed as error:
                self._emit(DnsAnswered(sent, self._clock.now(), lane, failure=error.kind))
            else:
                self._emit(
                    DnsAnswered(
                        sent, self._clock.now(), lane, answer.rcode, answer.addresses, answer.ttl
                    )
                )

        return probe

    def _health(self) -> None:
        health_checks, id_ = self._ports.health_checks, self._service.health_check_id
        try:
            found = health_checks.get(id_)
            checkers = tuple(health_checks.observations(id_))
        except DeploytoolError as error:
            self._emit(HealthSeen(self._clock.now(), failure=str(error)))
        else:
            config = found.config
            self._emit(
                HealthSeen(
                    self._clock.now(), found.version, config.inverted, config.disabled, checkers
                )
            )
