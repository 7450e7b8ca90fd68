"""Deletes the stacks of a graph in reverse order, and empties our buckets before."""

from collections.abc import Callable, Mapping

from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.events import Emit
from deploytool.core.stacks.outage import Found, refusal_of_deletion
from deploytool.core.stacks.ownership import ours_of
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.stack import Stack, StackOperation, StackStatus
from deploytool.work.stacks.engine import Engine
from deploytool.work.stacks.operations import (
    Operation,
    Outcome,
    Outputs,
    Started,
    StartResult,
    Unchanged,
    WaitingForOther,
    start_deletion,
)
from deploytool.work.stacks.run import DeployOptions, DeployPorts, run_engine


class _Destroy(Operation):
    """Starts the deletion of each stack that exists."""

    def __init__(
        self,
        graph: Graph,
        ports: DeployPorts,
        deployed: Mapping[NodeId, Stack],
        before: Callable[[NodeId], None],
    ) -> None:
        self._graph = graph
        self._ports = ports
        self._deployed = deployed
        self._before = before

    def start(self, node_id: NodeId, outputs: Outputs) -> StartResult:  # noqa: ARG002  # the port's
        listed = self._deployed.get(node_id)
        if listed is None:
            return Unchanged(Action.NOT_THERE, {})
        stack = self._ports.stacks.get(node_id.region, listed.id)
        if stack.status is StackStatus.DELETE_COMPLETE:
            return Unchanged(Action.NOT_THERE, {})
        if stack.status.is_busy:
            return WaitingForOther(stack.id, stack.status)

        self._before(node_id)
        for bucket in self._buckets(node_id, stack):
            self._ports.buckets.empty(node_id.region, bucket)
        token = start_deletion(self._ports.stacks, node_id.region, stack)
        return Started(StackOperation.DELETE, stack.name, stack.id, token, before=stack)

    def follow(self, node: NodeId, stack: Stack) -> None:
        """Nothing follows a deletion."""

    def cancel(self, node: NodeId, started: Started) -> None:
        """A deletion cannot be cancelled."""

    def _buckets(self, node_id: NodeId, stack: Stack) -> list[str]:
        """Return the buckets of this stack in which the graph's packages are stored."""
        outputs = set()
        for node in self._graph.nodes.values():
            for upload in node.uploads:
                if upload.bucket.node == node_id:
                    outputs.add(upload.bucket.output)
        return [stack.outputs[output] for output in sorted(outputs & stack.outputs.keys())]


def destroy(
    graph: Graph,
    ports: DeployPorts,
    emit: Emit,
    options: DeployOptions | None = None,
    before: Callable[[NodeId], None] = lambda _: None,
) -> Outcome:
    """Delete every stack of the graph that exists. What a template retains (the hosted zone) stays.

    A stack of somebody else that has the name of one of ours is not touched.

    `before` is called with each node whose stack is about to be deleted. Raises DeploytoolError,
    before anything is started, when another run deploys this stage or a drill of it is unfinished;
    ApiUnavailable when the API of a region does not answer.
    """

    def exist(found: Found) -> bool:
        refusal = refusal_of_deletion(found)
        if refusal is not None:
            raise refusal
        return bool(ours_of(graph, found.deployed))

    def run(engine: Engine, found: Found) -> Outcome:
        ours = ours_of(graph, found.deployed)
        return engine.run(graph.reversed_edges(), _Destroy(graph, ports, ours, before))

    return run_engine(graph, ports, emit, options or DeployOptions(), run, needs_lease=exist)
