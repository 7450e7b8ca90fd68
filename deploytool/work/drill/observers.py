"""Observers of a service: lanes that send probes on an open-loop schedule.

Open-loop means that a slow answer does not delay any other probe.
"""

import itertools
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from deploytool.core.drill.history import (
    FRESH_CLIENT,
    KEPT_CONNECTION_CLIENT,
    DnsAnswered,
    Event,
    HealthSeen,
    ObserverLate,
    Served,
    name_server_lane,
    region_lane,
    resolver_lane,
)
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.scenario import Scenario
from deploytool.core.errors import DeploytoolError, ProbeFailed
from deploytool.core.ports import Clock, Connection, DnsAnswer, HttpAnswer, Nameserver
from deploytool.core.service.service import Service

Emit = Callable[[Event], None]


@dataclass
class Lane:
    """One observer. `probe` sends one probe and emits the answer; it never raises.

    `interval` and `due`, the time of the next probe, are in seconds of the target's clock.
    """

    name: str
    interval: float
    probe: Callable[[], None]
    due: float


class Observers:
    """All lanes of a drill.

    What is late by `tolerance` seconds of the clock or more is an event. By default nothing is.
    """

    def __init__(
        self,
        ports: DrillPorts,
        clock: Clock,
        service: Service,
        scenario: Scenario,
        servers: Sequence[Nameserver],
        emit: Emit,
        *,
        tolerance: float = math.inf,
    ) -> None:
        self._ports = ports
        self._clock = clock
        self._service = service
        self._emit = emit
        self._tolerance = tolerance
        # The fresh client's cached addresses, and when their TTL is over
        self._cached: tuple[tuple[str, ...], float] = ((), 0.0)
        self._turns = itertools.count()
        self._kept: Connection | None = None
        self._kept_address = ""
        self._kept_lock = threading.Lock()
        self._lanes: list[Lane] = []

        self._add(FRESH_CLIENT, scenario.client_interval, self._fresh)
        self._add(KEPT_CONNECTION_CLIENT, scenario.client_interval, self._keeping)
        self._add("health-check", scenario.health_interval, self._health)
        for region, name in service.regional_domains.items():
            lane = region_lane(region)
            probe = partial(self._past_the_failover, lane, name, service.host_of(region))
            self._add(lane, 2 * scenario.client_interval, probe)
        for server in servers:
            lane = name_server_lane(server.name)
            self._add(lane, scenario.dns_interval, partial(self._dns, lane, server))
        for resolver in ports.probes.resolvers:
            lane = resolver_lane(resolver.name)
            self._add(lane, scenario.dns_interval, partial(self._dns, lane, resolver))
        self._spread()

    def _add(self, name: str, interval: float, probe: Callable[[], None]) -> None:
        self._lanes.append(Lane(name, interval, probe, due=0.0))

    def _spread(self) -> None:
        """Spread the first probes over the intervals, so that they are not all sent at once."""
        start = self._clock.now()
        for number, lane in enumerate(self._lanes):
            lane.due = start + lane.interval * number / len(self._lanes)

    def resume(self) -> None:
        """Go on after a call of the drill itself, during which no probe was due."""
        now = self._clock.now()
        for lane in self._lanes:
            lane.due = max(lane.due, now)

    def tick(self) -> float:
        """Send every probe that is due. Return the seconds until the next one is.

        Probes that were missed while this process stalled are left out.
        """
        now = self._clock.now()
        self._note_lateness(now, now - min(lane.due for lane in self._lanes))
        for lane in self._lanes:
            if lane.due <= now:
                self._ports.executor.start(partial(self._begin, lane.probe, now))
                lane.due = max(lane.due + lane.interval, now)
        return min(lane.due for lane in self._lanes) - now

    def _begin(self, probe: Callable[[], None], sent: float) -> None:
        """Send a probe from its thread, which a busy machine may begin late."""
        now = self._clock.now()
        self._note_lateness(now, now - sent)
        probe()

    def _note_lateness(self, now: float, seconds: float) -> None:
        if seconds >= self._tolerance:
            self._emit(ObserverLate(now, round(seconds, 3)))

    def _fresh(self) -> None:
        """Send a request as a client that honours the TTL and connects anew each time."""
        sent = self._clock.now()
        addresses, expires = self._cached
        try:
            if sent >= expires:
                answer = self._resolve(self._service.domain)
                addresses = answer.addresses
                self._cached = (addresses, self._clock.now() + (answer.ttl or 0))
            self._get(FRESH_CLIENT, sent, self._service.domain, self._in_turn(addresses))
        except ProbeFailed as error:
            self._failed(FRESH_CLIENT, sent, error)

    def _keeping(self) -> None:
        """Send a request as a client that keeps its connection and resolves only when it breaks.

        A connection carries one request at a time. While one is under way none is sent, and its own
        answer tells how long it took.
        """
        sent = self._clock.now()
        if not self._kept_lock.acquire(blocking=False):
            return
        try:
            if self._kept is None:
                domain = self._service.domain
                self._kept_address = self._resolve(domain).addresses[0]
                self._kept = self._ports.probes.http.connect(domain, self._kept_address)
            answer = self._kept.get(self._service.path)
        except ProbeFailed as error:
            self._failed(KEPT_CONNECTION_CLIENT, sent, error, self._kept_address)
            self._drop()
        else:
            self._answered(KEPT_CONNECTION_CLIENT, sent, self._kept_address, answer)
        finally:
            self._kept_lock.release()

    def close(self) -> None:
        """Close the kept connection."""
        with self._kept_lock:
            self._drop()

    def _drop(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _past_the_failover(self, lane: str, name: str, host: str) -> None:
        """Send a request to a region's own endpoint: to `host` at the addresses of `name`."""
        sent = self._clock.now()
        try:
            addresses = self._resolve(name).addresses
            self._get(lane, sent, host, self._in_turn(addresses))
        except ProbeFailed as error:
            self._failed(lane, sent, error)

    def _resolve(self, domain: str) -> DnsAnswer:
        """Ask the system's resolver. Raises ProbeFailed when the answer has no address."""
        probes = self._ports.probes
        answer = probes.dns.query(probes.resolvers[0], domain)
        if not answer.addresses:
            raise ProbeFailed("dns", f"{domain} has no address ({answer.rcode})")
        return answer

    def _in_turn(self, addresses: Sequence[str]) -> str:
        """Return the addresses of an answer one after the other.

        So each of them is called, and the header of its answer tells its region.
        """
        return addresses[next(self._turns) % len(addresses)]

    def _get(self, lane: str, sent: float, domain: str, address: str) -> None:
        try:
            answer = self._ports.probes.http.get(domain, address, self._service.path)
        except ProbeFailed as error:
            self._failed(lane, sent, error, address)
        else:
            self._answered(lane, sent, address, answer)

    def _answered(self, lane: str, sent: float, address: str, answer: HttpAnswer) -> None:
        event = Served(
            sent=sent,
            at=self._clock.now(),
            lane=lane,
            address=address,
            status=answer.status,
            region=answer.region,
            version=answer.version,
        )
        self._emit(event)

    def _failed(self, lane: str, sent: float, error: ProbeFailed, address: str = "") -> None:
        self._emit(Served(sent, self._clock.now(), lane, address, failure=error.kind))

    def _dns(self, lane: str, server: Nameserver) -> None:
        """Ask a DNS server for the domain."""
        sent = self._clock.now()
        try:
            answer = self._ports.probes.dns.query(server, self._service.domain)
        except ProbeFailed as error:
            self._emit(DnsAnswered(sent, self._clock.now(), lane, failure=error.kind))
            return
        now = self._clock.now()
        self._emit(DnsAnswered(sent, now, lane, answer.rcode, answer.addresses, answer.ttl))

    def _health(self) -> None:
        """Read the health check and its checkers' last results."""
        health_checks = self._ports.health_checks
        id_ = self._service.health_check_id
        try:
            health_check = health_checks.get(id_)
            checkers = tuple(health_checks.observations(id_))
        except DeploytoolError as error:
            self._emit(HealthSeen(self._clock.now(), failure=str(error)))
            return
        event = HealthSeen(
            at=self._clock.now(),
            version=health_check.version,
            inverted=health_check.config.inverted,
            disabled=health_check.config.disabled,
            checkers=checkers,
        )
        self._emit(event)
