"""The ports of a simulated world, and a deployment with the certificate guard."""

from collections.abc import Callable
from typing import Any

import pytest

from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.ports import Nameserver
from deploytool.core.project.graph import Graph
from deploytool.core.stacks.events import Event
from deploytool.work.certificates.guard import CertificateGuard
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployOptions, DeployPorts
from tests.work.certificates.world import Acm, Queue, World, graph_of


@pytest.fixture
def world(stacks: Any) -> World:
    return World(stacks.clock)


@pytest.fixture
def ports(world: World) -> CertificatePorts:
    resolver = Nameserver("resolver", "192.0.2.1")

    def locate(name: str) -> Nameserver:
        return Nameserver(name.rstrip("."), "192.0.2.2")

    return CertificatePorts(Acm(world), world, world, world, resolver, locate, world.clock, Queue())


@pytest.fixture
def run(
    stacks: Any, buckets: Any, executor: Any, ports: CertificatePorts
) -> Callable[..., tuple[Outcome, list[Event]]]:
    def run(graph: Graph | None = None, timeout: float = 100.0) -> tuple[Outcome, list[Event]]:
        events: list[Event] = []
        guard = CertificateGuard(lambda: ports, events.append, timeout)
        deploy_ports = DeployPorts(stacks, buckets, stacks.clock, executor, stacks)
        options = DeployOptions(hooks=(guard,))
        outcome = deploy(graph or graph_of(), deploy_ports, events.append, options=options)
        return outcome, events

    return run
