"""The composition root: the one module that knows which target it is, AWS or the local cloud."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deploytool.aws.buckets import S3Buckets
from deploytool.aws.cloudformation import CloudFormation
from deploytool.aws.route53 import Route53HealthChecks, Route53HostedZones
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.graph import Graph, NodeId
from deploytool.core.plan import output_of
from deploytool.core.ports import Dns, Environment, Http, Nameserver
from deploytool.core.service import Service
from deploytool.net.clock import RealClock
from deploytool.net.runner import ThreadRunner
from deploytool.project import Project
from deploytool.work.deploy import DeployPorts, find_deployed

LOCAL_DIRECTORY = "DEPLOYTOOL_LOCAL_DIR"

Network = tuple[Dns, Http, tuple[Nameserver, ...]]


@dataclass(frozen=True)
class Target:
    """Where the work is done. `ports` deploy in real time; `environment` checks and drills in the target's time, at `speed`."""

    name: str
    speed: float
    ports: DeployPorts
    make_environment: Callable[[], Environment]

    @cached_property
    def environment(self) -> Environment:
        """Made when it is first asked for: a deployment asks no DNS and no HTTPS, and importing them takes a while."""
        return self.make_environment()


def local_directory(root: Path) -> Path:
    """Where a project's local cloud keeps its state; DEPLOYTOOL_LOCAL_DIR wins."""
    return Path(os.environ.get(LOCAL_DIRECTORY) or root / ".deploytool" / "local").absolute()


@contextmanager
def open_target(project: Project, *, local: bool) -> Iterator[Target]:
    """The target for a run. Raises InputError when the local cloud is asked for and none runs."""
    with ThreadRunner() as runner:
        yield _local(project, runner) if local else _aws(runner)


def _aws(runner: ThreadRunner) -> Target:
    def network() -> Network:
        from deploytool.net.dns import DnsClient, system_resolvers  # noqa: PLC0415  # see Target.environment
        from deploytool.net.http import HttpsClient  # noqa: PLC0415  # the same

        return DnsClient(), HttpsClient(), tuple(system_resolvers())

    return _target("aws", 1.0, Clients(), runner, network, 53)


def _local(project: Project, runner: ThreadRunner) -> Target:
    from deploytool.localcloud import lifecycle  # noqa: PLC0415  # a production install does not have it
    from deploytool.localcloud.settings import ACCESS_KEY, SECRET_KEY  # noqa: PLC0415  # the same

    state = lifecycle.load(local_directory(project.root))
    if state is None:
        raise InputError("no local cloud is running", hint="start one with: deploytool local up")
    missing = [region for region in project.config.regions if region not in state.regions]
    if missing:
        mend = "end it (deploytool local down) and start it again in this project"
        raise InputError(f"the local cloud has {', '.join(state.regions)}, not {', '.join(missing)}", hint=mend)
    clients = Clients(Endpoint(state.endpoint_url, ACCESS_KEY, SECRET_KEY))

    def network() -> Network:
        from deploytool.net.dns import DnsClient  # noqa: PLC0415  # see Target.environment
        from deploytool.net.http import HttpsClient  # noqa: PLC0415  # the same

        resolver = Nameserver("the local cloud's resolver", state.resolver.address, state.resolver.port)
        return DnsClient(), HttpsClient(https_port=state.https_port, ca=state.ca), (resolver,)

    return _target("local", state.speed, clients, runner, network, state.dns.port)


def _target(name: str, speed: float, clients: Clients, runner: ThreadRunner, network: Callable[[], Network], port: int) -> Target:
    def make_environment() -> Environment:
        dns, http, resolvers = network()

        def locate(server: str) -> tuple[str, int]:
            answer = dns.query(resolvers[0], server)
            if not answer.addresses:
                raise DeploytoolError(f"the name server {server} has no address ({answer.rcode})")
            return answer.addresses[0], port

        zones = Route53HostedZones(clients, locate)
        return Environment(RealClock(speed), runner, dns, http, Route53HealthChecks(clients), zones, resolvers)

    real = RealClock()
    ports = DeployPorts(CloudFormation(clients, real), S3Buckets(clients), real, runner)
    return Target(name, speed, ports, make_environment)


def service_of(project: Project, graph: Graph, outputs: Mapping[NodeId, Mapping[str, str]]) -> Service:
    """What is deployed, as a check and a drill need to know it. Raises InputError when the graph file does not say that."""
    config = project.config
    domain = config.stage(graph.stage).domain
    for name in ("hosted_zone", "health_check"):
        if name not in graph.service:
            raise InputError(f"{config.graph}: service.{name}: is missing; say which output it is")
    return Service(
        project=config.project,
        stage=graph.stage,
        domain=domain,
        path=str(graph.settings.get("path", "/v1")),
        primary=config.primary,
        secondary=config.secondary,
        regional_domains={region: f"{region}.{domain}" for region in config.regions},
        hosted_zone_id=output_of(graph.service["hosted_zone"], outputs),
        health_check_id=output_of(graph.service["health_check"], outputs),
    )


def deployed_service(project: Project, graph: Graph, target: Target) -> Service:
    """The service of a stage from what is deployed. Raises DeploytoolError when it is not."""
    deployed = find_deployed(target.ports, graph)
    if not deployed:
        where = " --local" if target.name == "local" else ""
        raise DeploytoolError(f"stage {graph.stage} is not deployed", hint=f"deploytool deploy --stage {graph.stage}{where}")
    return service_of(project, graph, {node: stack.outputs for node, stack in deployed.items()})
