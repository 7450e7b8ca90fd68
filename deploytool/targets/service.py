"""The deployed service of a stage, the ports of its drill, and the settings to look up for it."""

import getpass
import socket
from collections.abc import Mapping, Sequence

from deploytool.aws.apigateway import ApiGatewayMappings
from deploytool.aws.guard import SchedulerGuard
from deploytool.aws.lambdas import LambdaFunctions
from deploytool.aws.parameters import SsmDrillRecords
from deploytool.aws.standby import CloudWatchSwitchMetric, SsmStandbyRecords
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import record_name
from deploytool.core.errors import ApiUnavailable, DeploytoolError, InputError, InputProblem
from deploytool.core.failover.records import StandbyRecord
from deploytool.core.project.config import Setting, Stage
from deploytool.core.project.graph import Graph, NodeId, OutputRef, Value
from deploytool.core.route53.names import regional_name
from deploytool.core.service.service import DrillGuard, Service
from deploytool.core.stacks.ownership import refusal_of_foreign
from deploytool.core.stacks.plan import value_of
from deploytool.core.stacks.stack import Stack
from deploytool.files.project import Project
from deploytool.net.clock import wall_time
from deploytool.targets.target import Target
from deploytool.work.failover.readiness import ReadinessPorts
from deploytool.work.stacks.lock import RunningDeployment
from deploytool.work.stacks.run import find_deployed, find_reachable

Outputs = Mapping[NodeId, Mapping[str, str]]


def look_up(project: Project, stage: str | None, target: Target) -> dict[str, Setting]:
    """Look up the settings that a stage does not give. Raises InputError when one is not found.

    While Route 53's API does not answer, the standby region tells what the last deployment found.
    """
    settings: dict[str, Setting] = {}
    config = project.config.stage(stage)
    for name, kind in project.lookups(stage).items():
        key = f"stages.{config.name}.settings.{name}"
        if kind != "hosted_zone":
            message = f"cannot be looked up ({kind}); set it"
            raise InputError([InputProblem(project.config.file, key, message)])

        try:
            zone = target.find_hosted_zone(config.domain)
        except ApiUnavailable:
            zone = _kept_hosted_zone(project, config, target)
            if not zone:
                raise
        if zone is None:
            message = (
                f"no public hosted zone holds {config.domain};"
                ' set the id of the zone to use, or set zone = "new"'
            )
            raise InputError([InputProblem(project.config.file, key, message)])
        settings[name] = zone
    return settings


def _kept_hosted_zone(project: Project, stage: Stage, target: Target) -> str:
    """Return the hosted zone that the standby region keeps of a stage, "" when it keeps none."""
    record = standby_records(target, project, stage.name).read(StandbyRecord)
    if record is None or record.domain != stage.domain:
        return ""
    return record.hosted_zone_id


def drill_records(target: Target, project: Project, stage: str) -> SsmDrillRecords:
    """Return where a stage's drill writes its record.

    It is in the secondary region, which still answers when the primary does not.
    """
    name = record_name(project.config.project, stage)
    return SsmDrillRecords(target.clients, project.config.secondary, name)


def standby_records(target: Target, project: Project, stage: str) -> SsmStandbyRecords:
    """Return where the standby region keeps what it must know of a stage."""
    config = project.config
    return SsmStandbyRecords(target.clients, config.secondary, config.project, stage)


def drill_ports(target: Target, project: Project, service: Service) -> DrillPorts:
    """Return the ports of a stage's drill, with the guard if it is deployed."""
    guard = None
    if service.guard:
        guard = SchedulerGuard(target.clients, service.guard, target.unix_time)
    place = (service.secondary, service.project, service.stage)
    return DrillPorts(
        probes=target.probes,
        executor=target.ports.executor,
        health_checks=target.health_checks,
        functions=LambdaFunctions(target.clients),
        mappings=ApiGatewayMappings(target.clients),
        edges=target.network.edges,
        records=drill_records(target, project, service.stage),
        guard=guard,
        deployments=running_deployment(
            target, project.config.project, service.stage, project.config.regions
        ),
        standby=standby_records(target, project, service.stage),
        switch=CloudWatchSwitchMetric(target.clients, *place),
        who=f"{getpass.getuser()}@{socket.gethostname()}",
        wall_time=wall_time,
        shortest_limit=target.network.shortest_limit,
    )


def running_deployment(
    target: Target, project: str, stage: str, regions: Sequence[str]
) -> RunningDeployment | None:
    """Return what tells who deploys a stage, by its leases in these regions."""
    coordination = target.ports.coordination
    if coordination is None:
        return None
    return RunningDeployment(coordination, project, stage, regions)


def readiness_ports(target: Target, project: Project, stage: str) -> ReadinessPorts:
    """Return the ports with which it is read whether a failover of a stage can happen."""
    return ReadinessPorts(
        standby=standby_records(target, project, stage),
        health_checks=target.health_checks,
        records=target.quick_probes.hosted_zones.records,
    )


def deployed_service(project: Project, graph: Graph, target: Target) -> Service:
    """Return the service of a stage from what is deployed.

    Raises DeploytoolError when nothing is deployed or a stack is somebody else's, InputError as
    `service_of` does.
    """
    deployed = find_deployed(target.ports, graph)
    _refuse_foreign(graph, deployed)
    if not deployed:
        raise _not_deployed(graph, target)
    outputs = {node: stack.outputs for node, stack in deployed.items()}
    return service_of(project, graph, outputs)


def _refuse_foreign(graph: Graph, deployed: Mapping[NodeId, Stack]) -> None:
    """Raise DeploytoolError when a stack has the name of one of ours and not our tags."""
    hint = "delete that stack, or choose another name for the project or the stage"
    refusal = refusal_of_foreign(graph, deployed, hint=hint)
    if refusal is not None:
        raise refusal


def _not_deployed(graph: Graph, target: Target) -> DeploytoolError:
    option = " --local" if target.name == "local" else ""
    return DeploytoolError(
        f"stage {graph.stage} is not deployed",
        hint=f"deploytool deploy --stage {graph.stage}{option}",
    )


def reachable_service(project: Project, graph: Graph, target: Target) -> Service:
    """Return the service of a stage from the stacks of the regions whose API answers.

    What only a stack of another region tells is empty. Raises DeploytoolError when nothing is
    deployed or a stack is somebody else's, ApiUnavailable when the health check is not known
    because an API does not answer.
    """
    found = find_reachable(target.ports.stacks, target.ports.executor, graph)
    _refuse_foreign(graph, found.deployed)
    outputs = {node: stack.outputs for node, stack in found.deployed.items()}
    service = _service(project, graph, outputs)
    if not service.health_check_id:
        for error in found.unreachable.values():
            raise error
    if not found.deployed:
        raise _not_deployed(graph, target)
    return service


def service_of(project: Project, graph: Graph, outputs: Outputs) -> Service:
    """Return the service of a stage from the outputs of its stacks.

    Raises InputError when the graph file does not name the hosted zone and the health check, or the
    stage has none, DeploytoolError when a stack that has one of them is not deployed.
    """
    _check_service(project, graph)
    for name in ("hosted_zone", "health_check"):
        value_of(graph.service[name], outputs)
    return _service(project, graph, outputs)


def configured_service(project: Project, graph: Graph) -> Service:
    """Return what the files tell of a service. What only a deployment knows is empty."""
    return _service(project, graph, {})


def known_service(project: Project, graph: Graph, outputs: Outputs) -> Service | None:
    """Return the service of a stage, or None when a stack that it needs is not deployed.

    A stage whose DNS is hosted elsewhere has no hosted zone; its id is empty.
    """
    values = list(graph.service.values())
    for by_region in graph.regional_service.values():
        values.extend(by_region.values())
    if any(_known(value, outputs) is None for value in values):
        return None
    return _service(project, graph, outputs)


def _service(project: Project, graph: Graph, outputs: Outputs) -> Service:
    config = project.config
    domain = config.stage(graph.stage).domain
    return Service(
        project=config.project,
        stage=graph.stage,
        domain=domain,
        path=graph.path,
        primary=config.primary,
        secondary=config.secondary,
        regional_domains={region: regional_name(region, domain) for region in config.regions},
        hosted_zone_id=_known(graph.service.get("hosted_zone"), outputs) or "",
        health_check_id=_known(graph.service.get("health_check"), outputs) or "",
        functions=_by_region(graph, "function", outputs),
        rest_apis=_by_region(graph, "rest_api", outputs),
        http_apis=_by_region(graph, "http_api", outputs),
        guard=_guard(graph, outputs),
        failover_health_check_id=_known(graph.service.get("failover_check"), outputs) or "",
        switch_health_check_id=_known(graph.service.get("switch_check"), outputs) or "",
        targets=_by_region(graph, "target", outputs),
        failback=str(graph.settings.get("failback", "automatic")),
    )


def _check_service(project: Project, graph: Graph) -> None:
    """Raise InputError unless the stage has a hosted zone and a health check of the graph file."""
    for name in ("hosted_zone", "health_check"):
        if name not in project.graph_file.service:
            raise InputError(
                f"{project.config.graph}: service.{name}: is missing; name the output that gives it"
            )
        if name not in graph.service:
            raise InputError(
                f"stage {graph.stage} has no {name.replace('_', ' ')}",
                hint="its DNS is hosted elsewhere, so deploytool has no failover of it to check or"
                " drill (docs/how-to/domain.md)",
            )


def _by_region(graph: Graph, name: str, outputs: Outputs) -> Mapping[str, str]:
    """Return an entry of `service` for each region whose stack is deployed."""
    values: dict[str, str] = {}
    for region, value in graph.regional_service.get(name, {}).items():
        known = _known(value, outputs)
        if known is not None:
            values[region] = known
    return values


def _known(value: Value | None, outputs: Outputs) -> str | None:
    """Return a value, or None when its stack is not deployed."""
    if isinstance(value, OutputRef):
        return outputs.get(value.node, {}).get(value.output)
    return value


def _guard(graph: Graph, outputs: Outputs) -> DrillGuard | None:
    """Return the guard, or None when the graph file does not name it or it is not deployed."""
    function_ref = graph.service.get("guard_function")
    function = _known(function_ref, outputs)
    role = _known(graph.service.get("guard_role"), outputs)
    schedules = _known(graph.service.get("guard_schedules"), outputs)
    if not isinstance(function_ref, OutputRef):
        return None
    if function is None or role is None or schedules is None:
        return None
    return DrillGuard(function_ref.node.region, function, role, schedules)
