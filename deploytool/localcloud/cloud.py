"""The local cloud: clock, emulator, edges, name server, resolver and health checkers, put together
in one event loop.
"""

import asyncio
import os
import resource
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from deploytool.localcloud import lock
from deploytool.localcloud.clock import CloudClock
from deploytool.localcloud.control import Control
from deploytool.localcloud.dns.delegation import (
    Delegations,
    ParentZones,
    PublicView,
    public_authority,
)
from deploytool.localcloud.dns.nameserver import AnswerChanged, NameServer
from deploytool.localcloud.dns.resolver import Resolver, records
from deploytool.localcloud.dns.server import DnsServer
from deploytool.localcloud.edges.ca import CertificateAuthority
from deploytool.localcloud.edges.edge import Arrivals, ClientMoved, Edge, EdgeChanged, bind_edges
from deploytool.localcloud.edges.edge_state import Condition
from deploytool.localcloud.edges.httpserver import HttpServer, bind
from deploytool.localcloud.health.attempt import EndpointDial
from deploytool.localcloud.health.checkers import HealthChanged, HealthMonitor
from deploytool.localcloud.ministack import emulator
from deploytool.localcloud.ministack import patches as gaps
from deploytool.localcloud.ministack.callcounter import CallCounter
from deploytool.localcloud.ministack.controlplane import MiniStackState
from deploytool.localcloud.ministack.patches.permissions import Access, AccessLog
from deploytool.localcloud.settings import CA_FILE, CONTROL_ADDRESS, STATE_FILE, TEMPORARY, Settings
from deploytool.localcloud.state import Endpoint, State

_HTTPS = 443
_OPEN_FILES = 8192


class LocalCloud:
    """One local cloud. `run` is its life: it returns when the cloud has been asked to end and has
    ended.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = asyncio.Event()
        self._closing = threading.Event()
        self._lifeline: asyncio.Task[bytes] | None = None
        self._answers: list[AnswerChanged] = []
        self._verdicts: list[HealthChanged] = []
        self._edge_changes: list[EdgeChanged] = []
        self._moves: list[ClientMoved] = []
        self._started = time.time()
        self._clock = CloudClock(settings.speed)
        addresses = tuple(settings.edge_address(region) for region in settings.regions)
        edge_sockets = bind_edges(addresses)
        control_socket = bind(CONTROL_ADDRESS)
        port = control_socket.getsockname()[1]
        emulator.prepare_environment(
            settings.directory, port, settings.regions[0], enforce_iam=settings.enforce_iam
        )
        self._ministack = emulator.load()
        emulator.refuse_foreign_resource_types(self._ministack)
        self._control_plane = MiniStackState(
            self._ministack, dict(zip(settings.regions, addresses, strict=True))
        )
        self._ca = CertificateAuthority(
            settings.directory / CA_FILE, datetime.fromtimestamp(self._started, UTC)
        )
        app = self._ministack.app.app
        self._lifespan = emulator.Lifespan(app)
        arrivals = Arrivals(self._clock.now, self._moves.append)
        self._edges = {
            region: Edge(
                region,
                bound,
                self._control_plane,
                app,
                self._ca,
                self._clock,
                self._edge_changes.append,
                arrivals,
            )
            for region, bound in zip(settings.regions, edge_sockets, strict=True)
        }
        self._counter = CallCounter(app)
        self._access = AccessLog()
        self._control = HttpServer(control_socket, lambda _: Control(self._counter, self), None)
        dial = EndpointDial({_HTTPS: self._https_port})
        self.delegations = Delegations(
            self._control_plane.hosted_zones, automatic=settings.delegate
        )
        public = PublicView(self._control_plane, self.delegations)
        self._health = HealthMonitor(public, self._clock, dial, on_change=self._note_verdict)
        self._names = NameServer(
            self._control_plane, self._health, on_change=self._answers.append, now=self._clock.now
        )
        self._name_server = DnsServer(self._names.handle, CONTROL_ADDRESS)
        parents = NameServer(ParentZones(self.delegations), self._health)
        self._parent = DnsServer(parents.handle, CONTROL_ADDRESS)
        authority = public_authority(
            NameServer(public, self._health).respond, parents.respond, self.delegations
        )
        self._resolver = DnsServer(
            Resolver(authority, public, self._clock.now).handle, CONTROL_ADDRESS
        )
        gaps.install(self._ministack, self._surroundings(partial(records, authority, public)))

    async def run(self, on_ready: Callable[[State], None]) -> None:
        """Serve until asked to end (SIGTERM, SIGINT, `stop`, the lifeline). `on_ready` is called
        once all of it answers.
        """
        allow_many_connections()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        try:
            await self._begin()
            state = self._state()
            state.write()
            on_ready(state)
            await self._stop.wait()
        finally:
            await self._end()

    async def _begin(self) -> None:
        await self._lifespan.startup()
        self._control.start()
        for edge in self._edges.values():
            await edge.set_condition(Condition("serving"))
        await self._name_server.start()
        await self._parent.start()
        await self._resolver.start()
        await self._health.start()
        if self._settings.lifeline:
            await self._watch_lifeline()

    async def _end(self) -> None:
        """The other way round; a request under way is dropped, and the function that it waits for
        is killed.
        """
        self._closing.set()
        await self._health.stop()
        await self._resolver.stop()
        await self._parent.stop()
        await self._name_server.stop()
        for edge in self._edges.values():
            await edge.set_condition(Condition("refusing"))
        await self._control.stop()
        self._ministack.lambda_runtime.reset()
        for edge in self._edges.values():
            await edge.close()
        await self._control.close()
        await self._lifespan.shutdown()

    def stop(self) -> None:
        """Let `run` end."""
        self._stop.set()

    def edge(self, region: str) -> Edge | None:
        """The edge of a region, None when the cloud has no such region."""
        return self._edges.get(region)

    def answers(self) -> Sequence[AnswerChanged]:
        """How the answers for failover names have changed since the start."""
        return tuple(self._answers)

    def access(self) -> Sequence[Access]:
        """What was asked under IAM enforcement, and whether it was allowed; oldest first."""
        return self._access.entries()

    def truth(self) -> dict[str, Any]:
        """What really happened when: answers, verdicts, edges and where clients went, as they
        changed, oldest first.
        """
        logs: dict[str, Sequence[AnswerChanged | HealthChanged | EdgeChanged | ClientMoved]]
        logs = {
            "answers": self._answers,
            "verdicts": self._verdicts,
            "edges": self._edge_changes,
            "clients": self._moves,
        }
        return {
            name: [
                {**asdict(change), "monotonic": self._clock.monotonic(change.at)} for change in log
            ]
            for name, log in logs.items()
        }

    def status(self) -> dict[str, Any]:
        """The cloud's state and what its parts are doing now. Memory in MB."""
        return {
            **self._state().to_json(),
            "edges": {region: edge.condition.state for region, edge in self._edges.items()},
            "seconds": round(self._clock.now(), 3),
            "delegations": self.delegations.servers(),
            "health_checks": {
                id_: self._verdict(id_) for id_ in self._control_plane.health_checks()
            },
            "calls": dict(sorted(self._counter.calls.items())),
            "resident_mb": round(resident_mb(), 1),
            "ministack": emulator.ministack_version(),
        }

    @property
    def _https_port(self) -> int:
        return next(iter(self._edges.values())).port

    def _verdict(self, health_check_id: str) -> Mapping[str, Any]:
        seen = self._health.observations(health_check_id)
        healthy = sum(observation.healthy for observation in seen)
        return {
            "healthy": self._health.is_healthy(health_check_id),
            "checkers": len(seen),
            "checkers_healthy": healthy,
        }

    def _note_verdict(self, change: HealthChanged) -> None:
        self._verdicts.append(change)
        self._names.refresh()

    def _state(self) -> State:
        return State(
            pid=os.getpid(),
            speed=self._settings.speed,
            regions={region: edge.address for region, edge in self._edges.items()},
            endpoint_url=f"http://{CONTROL_ADDRESS}:{self._control.port}",
            https_port=self._https_port,
            dns=Endpoint(self._name_server.address, self._name_server.port),
            resolver=Endpoint(self._resolver.address, self._resolver.port),
            parent=Endpoint(self._parent.address, self._parent.port),
            ca=self._ca.path,
            directory=self._settings.directory,
            started=self._started,
            delegate=self._settings.delegate,
            durations=self._settings.durations,
            enforce_iam=self._settings.enforce_iam,
        )

    def _surroundings(self, resolve: Callable[[str, str], Sequence[str]]) -> gaps.Surroundings:
        began, speed, loop = self._started, self._settings.speed, asyncio.get_running_loop()
        return gaps.Surroundings(
            regions=self._settings.regions,
            resolve=resolve,
            health=self._health,
            respond=self._names.respond,
            to_unix=lambda seconds: began + seconds / speed,
            closing=self._closing,
            on_health_check=lambda: loop.call_soon_threadsafe(self._health.refresh),
            durations=self._settings.durations,
            enforce_iam=self._settings.enforce_iam,
            access=self._access,
        )

    async def _watch_lifeline(self) -> None:
        """Stop when standard input ends: whoever started this cloud has ended, in whatever way."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        # kept: a task that nobody refers to may vanish
        self._lifeline = loop.create_task(reader.read())
        self._lifeline.add_done_callback(lambda _: self.stop())


def allow_many_connections() -> None:
    """Raise this process's limit of open files to what the system allows: many clients meet one
    cloud.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def resident_mb() -> float:
    """The resident memory of this process: now where /proc tells, else the most it has been."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except FileNotFoundError:
        # macOS counts bytes here.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000_000
    return pages * resource.getpagesize() / 1_000_000


async def run(settings: Settings, on_ready: Callable[[State], None]) -> None:
    """Run a local cloud until it is asked to end; this process holds the directory as long as it
    lives.

    Raises DeploytoolError when it cannot start or another cloud runs in the directory.
    """
    settings.directory.mkdir(parents=True, exist_ok=True)
    lock.hold(settings.directory)
    temporary = settings.directory / TEMPORARY
    shutil.rmtree(temporary, ignore_errors=True)  # what a killed one left
    try:
        await LocalCloud(settings).run(on_ready)
    finally:
        (settings.directory / STATE_FILE).unlink(missing_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
