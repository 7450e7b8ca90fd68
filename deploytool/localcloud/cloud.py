"""The local cloud: its parts, put together in one event loop."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from deploytool.localcloud import lock, orphans
from deploytool.localcloud.clock import Calendar, CloudClock
from deploytool.localcloud.control.application import ControlApplication, ControlledParts
from deploytool.localcloud.control.event_log import EventLog
from deploytool.localcloud.control.status import CloudStatus, HealthCheckStatus
from deploytool.localcloud.dns.delegation import Delegations, PublicView
from deploytool.localcloud.dns.server import DnsServer
from deploytool.localcloud.dns.service import DnsService
from deploytool.localcloud.edges.arrivals import Arrivals
from deploytool.localcloud.edges.ca import CertificateAuthority
from deploytool.localcloud.edges.edge import Edge
from deploytool.localcloud.edges.edge_state import EdgeState
from deploytool.localcloud.edges.httpserver import HttpServer
from deploytool.localcloud.edges.sockets import bind, bind_all
from deploytool.localcloud.health.attempt import EndpointDial
from deploytool.localcloud.health.monitor import HealthChanged, HealthMonitor
from deploytool.localcloud.ministack import emulator, patches
from deploytool.localcloud.ministack.api_gate import ApiGate
from deploytool.localcloud.ministack.api_state import RegionalApis
from deploytool.localcloud.ministack.callcounter import CallCounter
from deploytool.localcloud.ministack.controlplane import MiniStackState
from deploytool.localcloud.ministack.metrics import MiniStackMetrics
from deploytool.localcloud.ministack.patches.permissions import AccessLog
from deploytool.localcloud.ministack.quota_gate import QuotaGate
from deploytool.localcloud.quotas import RequestQuotas
from deploytool.localcloud.settings import CA_FILE, CONTROL_ADDRESS, STATE_FILE, TEMPORARY, Settings
from deploytool.localcloud.state import Endpoint, State
from deploytool.localcloud.system import raise_open_files_limit, resident_mb

_HTTPS = 443


async def run(settings: Settings, on_ready: Callable[[State], None]) -> None:
    """Run a local cloud until it is asked to end.

    This process holds the lock of the directory as long as it lives. Raises DeploytoolError when
    the cloud cannot start or another one runs in the directory.
    """
    settings.directory.mkdir(parents=True, exist_ok=True)
    lock.hold(settings.directory)
    temporary = settings.directory / TEMPORARY
    shutil.rmtree(temporary, ignore_errors=True)  # left by a cloud that was killed
    cloud = LocalCloud(settings)
    try:
        await cloud.run(on_ready)
    finally:
        (settings.directory / STATE_FILE).unlink(missing_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        if cloud.is_abandoned:
            orphans.signal_left(settings.directory, signal.SIGKILL)
            orphans.remove(settings.directory)


class LocalCloud:
    """One local cloud; `run` is its whole life."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = time.time()
        self._stop_requested = asyncio.Event()
        self._closing = threading.Event()  # for threads that wait within MiniStack
        self._lifeline: asyncio.Task[None] | None = None
        # Whether the process that ran this cloud beside a command was killed
        self.is_abandoned = False

        # The ports come first: MiniStack reads its own port while it is imported.
        edge_sockets = bind_all(tuple(settings.edge_addresses.values()))
        control_socket = bind(CONTROL_ADDRESS)
        self._ministack = _load_ministack(settings, control_socket)
        self._control_plane = MiniStackState(self._ministack, settings.edge_addresses)
        self._lifespan = emulator.Lifespan(self._ministack.app.app)

        self._clock = CloudClock(settings.speed)
        self._calendar = Calendar(self._clock, time.time())
        self._event_log = EventLog(self._clock)
        self._access_log = AccessLog()
        self._ca_path = settings.directory / CA_FILE
        self._edges = self._create_edges(edge_sockets)
        self._https_port = next(iter(self._edges.values())).port

        self._delegations = Delegations(
            self._control_plane.hosted_zones, automatic=settings.delegate
        )
        public = PublicView(self._control_plane, self._delegations)
        # Health checks of port 443 reach the edges' port.
        dial = EndpointDial({_HTTPS: self._https_port})
        metrics = MiniStackMetrics(self._ministack, self._calendar)
        self._health = HealthMonitor(
            public, self._clock, dial, metrics, on_change=self._on_health_change
        )
        self._dns = self._create_dns(public)

        regions = settings.regions
        self._apis = RegionalApis(regions, self._clock.now, self._event_log.record)
        self._quotas = RequestQuotas() if settings.quotas else None
        self._quota_gate = QuotaGate(self._ministack.app.app, self._quotas, self._clock.now)
        self._call_counter = CallCounter(
            ApiGate(self._quota_gate, self._apis, unsigned_region=regions[0])
        )
        self._control = self._create_control_server(control_socket)
        patches.install(self._ministack, self._surroundings())

    async def run(self, on_ready: Callable[[State], None]) -> None:
        """Serve until asked to end (SIGTERM, SIGINT, the control API, the lifeline).

        `on_ready` is called once every part answers.
        """
        raise_open_files_limit()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop_requested.set)
        try:
            await self._start_parts()
            state = self._state()
            state.write()
            on_ready(state)
            await self._stop_requested.wait()
        finally:
            await self._stop_parts()

    async def _start_parts(self) -> None:
        # MiniStack first: every other part asks it. The health checks last, so that none of them
        # fails because a part is not there yet.
        await self._lifespan.startup()
        self._control.start()
        for edge in self._edges.values():
            await edge.set_state(EdgeState("serving"))
        await self._dns.start()
        emulator.set_function_environment(
            resolver=_address(self._dns.resolver), name_server_port=self._dns.name_server.port
        )
        await self._health.start()
        if self._settings.lifeline:
            await self._watch_lifeline()

    async def _stop_parts(self) -> None:
        """Stop the parts in reverse order.

        Requests under way are dropped, and the functions that they wait for are killed.
        """
        self._closing.set()
        await self._health.stop()
        await self._dns.stop()
        for edge in self._edges.values():
            await edge.set_state(EdgeState("refusing"))
        await self._control.stop()
        # Ends the functions for which requests under way wait.
        self._ministack.lambda_runtime.reset()
        for edge in self._edges.values():
            await edge.close()
        await self._control.close()
        await self._lifespan.shutdown()

    async def _watch_lifeline(self) -> None:
        """Stop when standard input ends: the process that started this cloud has ended.

        If it was killed, the command that it ran is ended before, which may need the cloud for that.
        """
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        # Kept in an attribute: the event loop has only weak references to its tasks.
        self._lifeline = loop.create_task(self._outlive(reader))
        self._lifeline.add_done_callback(lambda _: self._stop_requested.set())

    async def _outlive(self, lifeline: asyncio.StreamReader) -> None:
        said = await lifeline.read()
        self.is_abandoned = orphans.is_abandoned(said)
        command = orphans.command_left(said)
        if command is not None:
            await orphans.end_command(command)
            orphans.signal_left(self._settings.directory, signal.SIGTERM)

    def _on_health_change(self, change: HealthChanged) -> None:
        self._event_log.record(change)
        # The verdict decides a failover name's answer: log that change now, not at the next query.
        self._dns.zones.refresh()

    def _create_edges(self, sockets: Sequence[socket.socket]) -> dict[str, Edge]:
        started = datetime.fromtimestamp(self._started, UTC)
        ca = CertificateAuthority(self._ca_path, started)
        arrivals = Arrivals(self._clock.now, self._event_log.record)
        edges = {}
        for region, bound in zip(self._settings.regions, sockets, strict=True):
            edges[region] = Edge(
                region,
                bound,
                self._control_plane,
                self._ministack.app.app,
                ca,
                self._clock,
                self._event_log.record,
                arrivals,
            )
        return edges

    def _create_dns(self, public: PublicView) -> DnsService:
        return DnsService(
            self._control_plane,
            public,
            self._delegations,
            self._health,
            self._clock.now,
            self._event_log.record,
            CONTROL_ADDRESS,
        )

    def _create_control_server(self, bound: socket.socket) -> HttpServer:
        """Create the server of the AWS API and the control API, which share a port."""
        parts = ControlledParts(
            edges=self._edges,
            apis=self._apis,
            delegations=self._delegations,
            event_log=self._event_log,
            access_log=self._access_log,
            status=self._status,
            stop=self._stop_requested.set,
        )
        application = ControlApplication(self._call_counter, parts)
        return HttpServer(bound, lambda _: application, None)

    def _surroundings(self) -> patches.Surroundings:
        loop = asyncio.get_running_loop()
        return patches.Surroundings(
            state=self._control_plane,
            regions=self._settings.regions,
            api_condition=self._apis.condition,
            resolve=self._dns.uncached.values,
            health=self._health,
            respond=self._dns.zones.respond,
            calendar=self._calendar,
            speed=self._settings.speed,
            closing=self._closing,
            # MiniStack changes resources in threads of its own.
            on_health_check=lambda: loop.call_soon_threadsafe(self._health.refresh),
            durations=self._settings.durations,
            enforce_iam=self._settings.enforce_iam,
            quotas=self._quotas,
            clock=self._clock,
            access=self._access_log,
            left_out=self._settings.left_out,
        )

    def _state(self) -> State:
        return State(
            pid=os.getpid(),
            speed=self._settings.speed,
            regions=self._settings.edge_addresses,
            endpoint_url=f"http://{CONTROL_ADDRESS}:{self._control.port}",
            https_port=self._https_port,
            dns=_endpoint(self._dns.name_server),
            resolver=_endpoint(self._dns.resolver),
            parent=_endpoint(self._dns.parent),
            ca=self._ca_path,
            directory=self._settings.directory,
            started=self._started,
            delegate=self._settings.delegate,
            durations=self._settings.durations,
            enforce_iam=self._settings.enforce_iam,
            quotas=self._settings.quotas,
            left_out=self._settings.left_out,
        )

    def _status(self) -> CloudStatus:
        health_checks = {id_: self._verdict(id_) for id_ in self._control_plane.health_checks()}
        return CloudStatus(
            state=self._state(),
            edges={region: edge.state.condition for region, edge in self._edges.items()},
            apis=self._apis.conditions,
            seconds=self._clock.now(),
            delegations=self._delegations.servers(),
            health_checks=health_checks,
            calls=self._call_counter.calls,
            calls_by_region=self._call_counter.by_region,
            throttled=self._quota_gate.throttled,
            resident_mb=resident_mb(),
            ministack=emulator.ministack_version(),
        )

    def _verdict(self, health_check_id: str) -> HealthCheckStatus:
        observations = self._health.observations(health_check_id)
        return HealthCheckStatus(
            healthy=self._health.is_healthy(health_check_id),
            checkers=len(observations),
            checkers_healthy=sum(observation.healthy for observation in observations),
        )


def _load_ministack(settings: Settings, control_socket: socket.socket) -> emulator.MiniStack:
    """Import MiniStack with an environment in which it serves on the control port."""
    emulator.prepare_environment(
        settings.directory,
        control_socket.getsockname()[1],
        settings.regions[0],
        enforce_iam=settings.enforce_iam,
    )
    ministack = emulator.load()
    emulator.refuse_foreign_resource_types(ministack)
    return ministack


def _address(server: DnsServer) -> str:
    return f"{server.address}:{server.port}"


def _endpoint(server: DnsServer) -> Endpoint:
    return Endpoint(server.address, server.port)
