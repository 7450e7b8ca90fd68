"""What of a stage is deployed, as a check and a drill need to know it, and what its settings leave
to be looked up.
"""

from collections.abc import Mapping

from deploytool.aws.apigateway import ApiGatewayMappings
from deploytool.aws.guard import SchedulerGuard
from deploytool.aws.lambdas import LambdaFunctions
from deploytool.aws.parameters import SsmDrillRecords
from deploytool.core.drill.ports import DrillPorts
from deploytool.core.drill.record import record_name
from deploytool.core.errors import DeploytoolError, InputError, InputProblem
from deploytool.core.project.config import Setting
from deploytool.core.project.graph import Graph, NodeId, OutputRef, Value
from deploytool.core.route53.names import regional_name
from deploytool.core.service.service import DrillGuard, Service
from deploytool.core.stacks.plan import value_of
from deploytool.files.project import Project
from deploytool.net.clock import unix_time
from deploytool.targets import Target
from deploytool.work.stacks.deploy import find_deployed


def look_up(project: Project, stage: str | None, target: Target) -> dict[str, Setting]:
    """The settings that a stage leaves to be looked up. Raises InputError when one is not found."""
    found: dict[str, Setting] = {}
    chosen = project.config.stage(stage)
    for name, kind in project.lookups(stage).items():
        key = f"stages.{chosen.name}.settings.{name}"
        if kind != "hosted_zone":
            raise InputError(
                [InputProblem(project.config.file, key, f"cannot be looked up ({kind}); set it")]
            )
        zone = target.find_hosted_zone(chosen.domain)
        if zone is None:
            message = f'no public hosted zone holds {chosen.domain}; set the id of the one that shall, or take zone = "new"'
            raise InputError([InputProblem(project.config.file, key, message)])
        found[name] = zone
    return found


def drill_records(target: Target, project: Project, stage: str) -> SsmDrillRecords:
    """Where a stage's drill writes its record: in the secondary region, which is there when the
    primary is not.
    """
    return SsmDrillRecords(
        target.clients, project.config.secondary, record_name(project.config.project, stage)
    )


def drill_ports(target: Target, project: Project, service: Service) -> DrillPorts:
    """The ports of a drill of a stage, with the guard when that is deployed."""
    guard = SchedulerGuard(target.clients, service.guard, unix_time) if service.guard else None
    return DrillPorts(
        probes=target.probes,
        executor=target.ports.executor,
        health_checks=target.health_checks,
        functions=LambdaFunctions(target.clients),
        mappings=ApiGatewayMappings(target.clients),
        edges=target.network.edges,
        records=drill_records(target, project, service.stage),
        guard=guard,
        shortest_limit=target.network.shortest_limit,
    )


def service_of(
    project: Project, graph: Graph, outputs: Mapping[NodeId, Mapping[str, str]]
) -> Service:
    """What is deployed, as a check and a drill need to know it. Raises InputError when the graph
    file does not say that.
    """
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
        path=graph.path,
        primary=config.primary,
        secondary=config.secondary,
        regional_domains={region: regional_name(region, domain) for region in config.regions},
        hosted_zone_id=value_of(graph.service["hosted_zone"], outputs),
        health_check_id=value_of(graph.service["health_check"], outputs),
        functions=_regional(graph, "function", outputs),
        rest_apis=_regional(graph, "rest_api", outputs),
        guard=_guard(graph, outputs),
    )


def _regional(
    graph: Graph, name: str, outputs: Mapping[NodeId, Mapping[str, str]]
) -> Mapping[str, str]:
    """What each region gives for an optional entry of `service`; a region whose stack is not
    deployed gives nothing.
    """
    values = graph.regional_service.get(name, {})
    return {
        region: found
        for region, value in values.items()
        if (found := _known(value, outputs)) is not None
    }


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
        raise DeploytoolError(
            f"stage {graph.stage} is not deployed",
            hint=f"deploytool deploy --stage {graph.stage}{where}",
        )
    return service_of(project, graph, {node: stack.outputs for node, stack in deployed.items()})
