"""The order in which an update reaches the two regions, and what a good answer is. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from deploytool.core.ports import HttpAnswer
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef
from deploytool.core.stacks.ownership import is_ours
from deploytool.core.stacks.repair import Repair, repair_of
from deploytool.core.stacks.stack import Stack

API_STAGES = frozenset({"AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Stage"})
DOMAIN_NAMES = frozenset({"AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName"})


@dataclass(frozen=True)
class Endpoint:
    """Where a stage answers: `https://<domain><path>`.

    Each region also answers below a name of its own (`regional_domains`).
    """

    domain: str
    path: str
    regional_domains: Mapping[str, str]

    def url(self, region: str) -> str:
        """The address of a region's own endpoint."""
        return f"https://{self.regional_domains[region]}{self.path}"


@dataclass(frozen=True)
class Order:
    """The order of an update: the standby region before the active region.

    The stacks in `gated` wait until all stacks in `first` are done and the standby has passed its
    check.
    """

    active: str
    standby: str
    first: frozenset[NodeId]
    gated: frozenset[NodeId]


def paired(graph: Graph) -> frozenset[NodeId]:
    """Return the stacks that every region has: those that a region serves with."""
    result: set[NodeId] = set()
    for node in graph.nodes:
        if all(NodeId(node.stack, region) in graph.nodes for region in graph.regions):
            result.add(node)
    return frozenset(result)


def order_of(graph: Graph, active: str) -> Order:
    """Return the order in which the standby is updated first.

    A stack of the active region is not gated when a stack of the standby needs it, directly or
    through others. Otherwise the two would wait for each other.
    """
    # The standby is the other one of two regions.
    (standby,) = set(graph.regions) - {active}
    first = _paired_in(graph, standby)

    # Everything that the standby needs, directly or through others.
    needed = set(first)
    to_visit = list(first)
    while to_visit:
        new = graph.needs_of(to_visit.pop()) - needed
        needed |= new
        to_visit += new

    return Order(active, standby, first, _paired_in(graph, active) - needed)


def _paired_in(graph: Graph, region: str) -> frozenset[NodeId]:
    return frozenset(node for node in paired(graph) if node.region == region)


def in_service(
    graph: Graph, deployed: Mapping[NodeId, Stack], unreachable: Collection[str] = ()
) -> bool:
    """Return whether the stage has once been deployed completely.

    That is when it has its health check, and one region has every stack that any region has. A stack
    that no region has yet is new to the stage and does not count. A graph without a health check is
    never in service, because nothing tells which of its endpoints to call.

    Of an `unreachable` region, whose API does not answer, it is assumed.
    """
    check = graph.service.get("health_check")
    if check is None:
        return False
    if isinstance(check, OutputRef):
        is_known = check.node.region not in unreachable
        if is_known and check.node not in deployed:
            return False

    # A stack whose creation failed serves nothing.
    stacks_of_region: dict[str, set[str]] = {region: set() for region in graph.regions}
    for node in paired(graph):
        if node in deployed and _was_created(deployed[node]):
            stacks_of_region[node.region].add(node.stack)

    all_stacks = set().union(*stacks_of_region.values())
    return bool(all_stacks) and all_stacks in stacks_of_region.values()


def _was_created(stack: Stack) -> bool:
    return repair_of(stack.status, ours=True) is not Repair.RECREATE


def function_of(graph: Graph, region: str) -> NodeId | None:
    """Return the stack of a region's function, or None."""
    function = graph.regional_service.get("function", {}).get(region)
    return function.node if isinstance(function, OutputRef) else None


def versions_of(graph: Graph, region: str) -> frozenset[str]:
    """Return the versions that a region's function may report: those of its stack's packages."""
    function = function_of(graph, region)
    versions: set[str] = set()
    if function is not None:
        for upload in graph.nodes[function].uploads:
            versions.add(upload.package.version)
    return frozenset(versions)


def answer_problem(answer: HttpAnswer, region: str, versions: frozenset[str]) -> str | None:
    """Return what is wrong with the answer of a region's own endpoint, or None.

    `versions` are the versions that it may have; empty stands for any. An answer that names no
    version is accepted.
    """
    if not 200 <= answer.status < 300:
        return f"answers {answer.status}"
    if answer.region is None:
        return "does not say which region served: its answer has no x-served-by-region header"
    if answer.region != region:
        return f"is served by {answer.region}"
    if versions and answer.version is not None and answer.version not in versions:
        return f"still serves version {answer.version}, not {' or '.join(sorted(versions))}"
    return None


def left_behind(graph: Graph, deployed: Mapping[NodeId, Stack]) -> tuple[NodeId, ...]:
    """Return the deployed stacks that the stage's settings no longer include."""
    return tuple(
        node_id
        for node_id, node in graph.left_out.items()
        if node_id in deployed and is_ours(graph, node, deployed[node_id])
    )


@dataclass(frozen=True)
class Conflict:
    """A stack to create that cannot exist together with one that the stage no longer includes.

    `both_create` says what there can be only one of.
    """

    wanted: NodeId
    existing: NodeId
    existing_stack_name: str
    both_create: str


def conflicts(
    graph: Graph, deployed: Mapping[NodeId, Stack], chosen: Callable[[NodeId], bool]
) -> Iterator[Conflict]:
    """Find stacks to create that conflict with deployed ones.

    Two stacks conflict that create the stage of one API, or the same custom domain name: AWS refuses
    the second one. The latter follows from another kind of API. It concerns all stacks of the
    region, because those that exist would be changed to the other kind in place.
    """
    regions = {node_id.region for node_id in graph.nodes if chosen(node_id)}
    for node in graph.nodes.values():
        if node.id in deployed:
            continue
        for other_id in left_behind(graph, deployed):
            other = graph.left_out[other_id]
            if other_id.region != node.id.region:
                continue
            names = _domain_names(node) & _domain_names(other)
            if names and node.id.region in regions:
                subject = f"the custom domain name {min(names)}"
                yield Conflict(node.id, other_id, other.stack_name, subject)
            elif chosen(node.id) and _have_one_stage(graph, node, other):
                yield Conflict(node.id, other_id, other.stack_name, "the stage of the same API")


def _have_one_stage(graph: Graph, node: Node, other: Node) -> bool:
    """Return whether both stacks create a stage of the API of their region."""
    shared = set(node.references()) & set(other.references())
    for name in ("rest_api", "http_api"):
        api = graph.regional_service.get(name, {}).get(node.id.region)
        if api in shared:
            return _has_api_stage(node) and _has_api_stage(other)
    return False


def _has_api_stage(node: Node) -> bool:
    return not API_STAGES.isdisjoint(node.template.resources.values())


def _domain_names(node: Node) -> set[str]:
    """Return the custom domain names that a stack creates, as far as the graph knows them."""
    names: set[str] = set()
    for resource_id, kind in node.template.resources.items():
        if kind not in DOMAIN_NAMES:
            continue
        properties = node.template.document["Resources"][resource_id].get("Properties", {})
        match properties.get("DomainName"):
            case str(name):
                names.add(name)
            case {"Ref": str(parameter)}:
                value = node.parameters.get(parameter)
                if isinstance(value, str):
                    names.add(value)
    return names
