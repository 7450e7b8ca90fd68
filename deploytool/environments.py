"""The composition root: the one module that knows which target it is, AWS or the local cloud."""

import getpass
import os
import random
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from deploytool.aws.buckets import S3Buckets
from deploytool.aws.changesets import ChangeSets
from deploytool.aws.cloudformation import CloudFormation
from deploytool.aws.drift import DriftDetection
from deploytool.aws.drillrecords import SsmDrillRecords
from deploytool.aws.guard import SchedulerGuard
from deploytool.aws.lambdas import LambdaFunctions
from deploytool.aws.locks import ParameterLocks
from deploytool.aws.mappings import ApiGatewayMappings
from deploytool.aws.route53 import Route53HealthChecks, Route53HostedZones
from deploytool.aws.sessions import Clients, Endpoint
from deploytool.core.budget import Rate
from deploytool.core.config import Setting
from deploytool.core.drill.record import record_name
from deploytool.core.errors import DeploytoolError, InputError, InputFault
from deploytool.core.graph import Graph, NodeId, OutputRef, Value
from deploytool.core.lease import Holder
from deploytool.core.plan import value_of
from deploytool.core.ports import Dns, Environment, Nameserver
from deploytool.core.service import DrillGuard, Service
from deploytool.net.clock import RealClock, unix_time, wall_time
from deploytool.net.dns import DnsClient, system_resolvers
from deploytool.net.http import HttpsClient
from deploytool.net.runner import ThreadRunner
from deploytool.project import Project
from deploytool.work.deploy import DeployPorts, find_deployed
from deploytool.work.holding import Coordination
from deploytool.work.plan import PlanPorts

__all__ = [
    "LOCAL_DIRECTORY",
    "Target",
    "deployed_service",
    "drill_environment",
    "local_directory",
    "open_target",
    "service_of",
    "wall_time",
]

LOCAL_DIRECTORY = "DEPLOYTOOL_LOCAL_DIR"
LOCAL_RATE = Rate(per_second=200.0, burst=200.0)  # nobody throttles on a local cloud


@dataclass(frozen=True)
class Target:
    """Where the work is done. `ports` deploy in real time; `environment` checks and drills in the target's time, at `speed`.

    `find_hosted_zone` gives the id of the public hosted zone that holds a domain, or None.
    """

    name: str
    speed: float
    ports: DeployPorts
    planning: PlanPorts
    environment: Environment
    find_hosted_zone: Callable[[str], str | None]
    clients: Clients


def local_directory(root: Path) -> Path:
    """Where a project's local cloud keeps its state; DEPLOYTOOL_LOCAL_DIR wins."""
    return Path(os.environ.get(LOCAL_DIRECTORY) or root / ".deploytool" / "local").absolute()


@contextmanager
def open_target(project: Project, *, local: bool) -> Iterator[Target]:
    """The target for a run. Raises InputError when the local cloud is asked for and none runs."""
    with ThreadRunner() as runner:
        yield _local(project, runner) if local else _aws(project, runner)


def _aws(project: Project, runner: ThreadRunner) -> Target:
    clients, clock = Clients(), RealClock()
    ports = _deploy_ports(project, clients, CloudFormation(clients, clock), runner)
    further = (Nameserver(each, each) for each in project.config.drill.resolvers)
    return _target("aws", 1.0, clients, ports, DnsClient(), HttpsClient(), (*system_resolvers(), *further), 53)


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
    resolvers = (Nameserver("the local cloud's resolver", state.resolver.address, state.resolver.port),)
    https = HttpsClient(https_port=state.https_port, ca=state.ca)
    ports = _deploy_ports(project, clients, CloudFormation(clients, RealClock(), LOCAL_RATE), runner)
    return _target("local", state.speed, clients, ports, DnsClient(), https, resolvers, state.dns.port)


def _deploy_ports(project: Project, clients: Clients, stacks: CloudFormation, runner: ThreadRunner) -> DeployPorts:
    holder = Holder(getpass.getuser(), socket.gethostname(), os.getpid())
    coordination = Coordination(ParameterLocks(clients), holder, unix_time, _runs)
    commit = cache(lambda: _commit(project.root))
    jitter = random.Random()  # noqa: S311  # spreads calls over time; keeps no secret
    return DeployPorts(stacks, S3Buckets(clients), RealClock(), runner, coordination, jitter.random, commit)


def _runs(process: int) -> bool:
    """Whether a process of this machine lives."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _commit(root: Path) -> str:
    """The commit that the project's folder is at; empty where there is none, or no git."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _target(
    name: str,
    speed: float,
    clients: Clients,
    ports: DeployPorts,
    dns: Dns,
    http: HttpsClient,
    resolvers: tuple[Nameserver, ...],
    port: int,
) -> Target:
    def locate(server: str) -> tuple[str, int]:
        answer = dns.query(resolvers[0], server)
        if not answer.addresses:
            raise DeploytoolError(f"the name server {server} has no address ({answer.rcode})")
        return answer.addresses[0], port

    zones = Route53HostedZones(clients, locate)
    environment = Environment(
        RealClock(speed),
        ports.runner,
        dns,
        http,
        Route53HealthChecks(clients),
        zones,
        resolvers,
        functions=LambdaFunctions(clients),
        mappings=ApiGatewayMappings(clients),
    )
    planning = PlanPorts(ports.stacks, ChangeSets(clients, ports.clock), DriftDetection(clients, ports.clock), ports.runner)
    return Target(name, speed, ports, planning, environment, zones.find_hosted_zone, clients)


def look_up(project: Project, stage: str | None, target: Target) -> dict[str, Setting]:
    """The settings that a stage leaves to be looked up. Raises InputError when one is not found."""
    found: dict[str, Setting] = {}
    chosen = project.config.stage(stage)
    for name, kind in project.lookups(stage).items():
        key = f"stages.{chosen.name}.settings.{name}"
        if kind != "hosted_zone":
            raise InputError([InputFault(project.config.file, key, f"cannot be looked up ({kind}); set it")])
        zone = target.find_hosted_zone(chosen.domain)
        if zone is None:
            message = f'no public hosted zone holds {chosen.domain}; set the id of the one that shall, or take zone = "new"'
            raise InputError([InputFault(project.config.file, key, message)])
        found[name] = zone
    return found


def drill_environment(target: Target, service: Service) -> Environment:
    """The target's environment with what belongs to a stage: the drill's record and, when it is deployed, the guard."""
    records = SsmDrillRecords(target.clients, service.secondary, record_name(service.project, service.stage))
    guard = SchedulerGuard(target.clients, service.guard) if service.guard else None
    return replace(target.environment, drill_records=records, guard=guard)


def service_of(project: Project, graph: Graph, outputs: Mapping[NodeId, Mapping[str, str]]) -> Service:
    """What is deployed, as a check and a drill need to know it. Raises InputError when the graph file does not say that."""
    config = project.config
    domain = config.stage(graph.stage).domain
    for name in ("hosted_zone", "health_check"):
        if name not in project.graph_file.service:
            raise InputError(f"{config.graph}: service.{name}: is missing; say which output it is")
        if name not in graph.service:
            hint = "its DNS is not ours, so there is no failover of ours to check or drill (docs/how-to/domain.md)"
            raise InputError(f"stage {graph.stage} has no {name.replace('_', ' ')}", hint=hint)
    return Service(
        project=config.project,
        stage=graph.stage,
        domain=domain,
        path=str(graph.settings.get("path", "/v1")),
        primary=config.primary,
        secondary=config.secondary,
        regional_domains={region: f"{region}.{domain}" for region in config.regions},
        hosted_zone_id=value_of(graph.service["hosted_zone"], outputs),
        health_check_id=value_of(graph.service["health_check"], outputs),
        functions=_regional(graph, "function", outputs),
        rest_apis=_regional(graph, "rest_api", outputs),
        guard=_guard(graph, outputs),
    )


def _regional(graph: Graph, name: str, outputs: Mapping[NodeId, Mapping[str, str]]) -> Mapping[str, str]:
    """What each region gives for an optional entry of `service`; a region whose stack is not deployed gives nothing."""
    values = graph.regional_service.get(name, {})
    return {region: found for region, value in values.items() if (found := _known(value, outputs)) is not None}


def _known(value: Value | None, outputs: Mapping[NodeId, Mapping[str, str]]) -> str | None:
    """A value, None when the stack that gives it is not deployed."""
    return outputs.get(value.node, {}).get(value.output) if isinstance(value, OutputRef) else value


def _guard(graph: Graph, outputs: Mapping[NodeId, Mapping[str, str]]) -> DrillGuard | None:
    """The guard, when the graph file names it and it is deployed."""
    names = ("guard_function", "guard_role", "guard_schedules")
    function, role, schedules = (_known(graph.service.get(name), outputs) for name in names)
    node = graph.service.get("guard_function")
    if not isinstance(node, OutputRef) or function is None or role is None or schedules is None:
        return None
    return DrillGuard(node.node.region, function, role, schedules)


def deployed_service(project: Project, graph: Graph, target: Target) -> Service:
    """The service of a stage from what is deployed. Raises DeploytoolError when it is not."""
    deployed = find_deployed(target.ports, graph)
    if not deployed:
        where = " --local" if target.name == "local" else ""
        raise DeploytoolError(f"stage {graph.stage} is not deployed", hint=f"deploytool deploy --stage {graph.stage}{where}")
    return service_of(project, graph, {node: stack.outputs for node, stack in deployed.items()})
