"""In which order an update reaches the two regions, and what one must answer before the other is
touched. Pure.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from deploytool.core.ports import HttpAnswer
from deploytool.core.project.graph import Graph, NodeId, OutputRef
from deploytool.core.stacks.repair import Repair, repair_of
from deploytool.core.stacks.stack import Stack

API_STAGE = "AWS::ApiGateway::Stage"


@dataclass(frozen=True)
class Endpoint:
    """Where a stage answers: `https://<domain><path>`, and in each region below a name of its own
    (`regional_domains`).
    """

    domain: str
    path: str
    regional_domains: Mapping[str, str]

    def url(self, region: str) -> str:
        """The address of a region's own endpoint."""
        return f"https://{self.regional_domains[region]}{self.path}"


@dataclass(frozen=True)
class Order:
    """Who serves now and who does not. `gated` must wait until all of `first` are done and the
    standby has passed its check.
    """

    active: str
    standby: str
    first: frozenset[NodeId]
    gated: frozenset[NodeId]


def paired(graph: Graph) -> frozenset[NodeId]:
    """The stacks that every region has: those that a region serves with. A stack of one region
    alone is not among them.
    """
    return frozenset(
        node
        for node in graph.nodes
        if all(NodeId(node.stack, region) in graph.nodes for region in graph.regions)
    )


def order_of(graph: Graph, active: str) -> Order:
    """The standby first. What its stacks need of the active region, at whatever distance, cannot
    wait for them.
    """
    regional = paired(graph)
    (standby,) = (region for region in graph.regions if region != active)
    first = frozenset(node for node in regional if node.region == standby)
    needed = set(first)
    waiting = list(first)
    while waiting:
        more = graph.nodes[waiting.pop()].needs - needed
        needed |= more
        waiting += more
    return Order(
        active,
        standby,
        first,
        frozenset(node for node in regional if node.region == active) - needed,
    )


def in_service(graph: Graph, deployed: Mapping[NodeId, Stack]) -> bool:
    """Whether a deployment of the stage has come to its end: it has its health check, and one
    region everything of both.

    A stack that no region has yet is new to the stage and does not count. A graph that names no
    health check is never in service: nobody says what of it to call.
    """
    check = graph.service.get("health_check")
    if check is None or (isinstance(check, OutputRef) and check.node not in deployed):
        return False
    there = {node for node in paired(graph) if node in deployed and _came_to_be(deployed[node])}
    known = {node.stack for node in there}
    return bool(known) and any(
        all(NodeId(stack, region) in there for stack in known) for region in graph.regions
    )


def _came_to_be(stack: Stack) -> bool:
    return repair_of(stack.status, ours=True) is not Repair.RECREATE


def function_of(graph: Graph, region: str) -> NodeId | None:
    """The stack of a region's function, None when it has none."""
    function = graph.regional_service.get("function", {}).get(region)
    return function.node if isinstance(function, OutputRef) else None


def versions_of(graph: Graph, region: str) -> frozenset[str]:
    """The versions that a region's function may say it has: those of the packages that its stack is
    made from.
    """
    function = function_of(graph, region)
    return (
        frozenset(upload.package.version for upload in graph.nodes[function].uploads)
        if function
        else frozenset()
    )


def answer_fault(answer: HttpAnswer, region: str, versions: frozenset[str]) -> str | None:
    """What is wrong with what a region's own endpoint answered; None when it is good.

    `versions` are those that it may be of, empty for any. An answer that names no version is taken
    as it is.
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
    """The deployed stacks that the stage's settings leave out now: from earlier settings."""
    return tuple(node for node in graph.left_out if node in deployed)


@dataclass(frozen=True)
class Conflict:
    """A stack to create that cannot be there beside one that the stage leaves out now and that is
    still deployed.
    """

    wanted: NodeId
    there: NodeId
    stack_name: str


def conflicts(
    graph: Graph, deployed: Mapping[NodeId, Stack], chosen: Callable[[NodeId], bool]
) -> Iterator[Conflict]:
    """Two integrations of one API: both make its stage, and CloudFormation refuses the second while
    the first is there.
    """
    for node in graph.nodes.values():
        if (
            node.id in deployed
            or not chosen(node.id)
            or API_STAGE not in node.template.resources.values()
        ):
            continue
        api = graph.regional_service.get("rest_api", {}).get(node.id.region)
        for each in left_behind(graph, deployed):
            other = graph.left_out[each]
            makes_stage = API_STAGE in other.template.resources.values()
            if (
                each.region == node.id.region
                and makes_stage
                and api in set(node.references()) & set(other.references())
            ):
                yield Conflict(node.id, each, other.stack_name)
