"""Deletes the stacks of a graph, those that use an output before the one that gives it, and empties
our buckets first.
"""

from collections.abc import Callable, Mapping

from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.events import Emit
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.work.stacks.changes import begin_deletion
from deploytool.work.stacks.deploy import DeployOptions, DeployPorts, find_deployed
from deploytool.work.stacks.engine import Engine, Outcome, Started, Unchanged, WaitingForOther
from deploytool.work.stacks.lock import held


class _Destroy:
    """Begins the deletion of each stack that exists."""

    def __init__(
        self,
        graph: Graph,
        ports: DeployPorts,
        deployed: Mapping[NodeId, Stack],
        before: Callable[[NodeId], None],
    ) -> None:
        self.graph, self.ports, self.deployed, self.before = graph, ports, deployed, before

    def begin(
        self,
        node_id: NodeId,
        outputs: Mapping[NodeId, Mapping[str, str]],  # noqa: ARG002  # port
    ) -> Started | Unchanged | WaitingForOther:
        stack = self.deployed.get(node_id)
        if stack:
            stack = self.ports.stacks.get(node_id.region, stack.id)
        if stack is None or stack.status is StackStatus.DELETE_COMPLETE:
            return Unchanged("not there", {})
        if stack.status.is_busy:
            return WaitingForOther(stack.id, stack.status)
        self.before(node_id)
        for bucket in self._buckets(node_id, stack):
            self.ports.buckets.empty(node_id.region, bucket)
        token = begin_deletion(self.ports.stacks, node_id.region, stack)
        return Started("delete", stack.name, stack.id, token, before=stack)

    def after(self, node: NodeId, stack: Stack) -> None:
        """Nothing follows a deletion."""

    def cancel(self, node: NodeId, begun: Started) -> None:
        """A deletion cannot be cancelled."""

    def _buckets(self, node_id: NodeId, stack: Stack) -> list[str]:
        """The buckets that the graph's packages are stored in and that this stack made."""
        refs = {
            upload.bucket
            for node in self.graph.nodes.values()
            for upload in node.uploads
            if upload.bucket.node == node_id
        }
        return [stack.outputs[ref.output] for ref in refs if ref.output in stack.outputs]


def destroy(
    graph: Graph,
    ports: DeployPorts,
    emit: Emit,
    options: DeployOptions | None = None,
    before: Callable[[NodeId], None] = lambda _: None,
) -> Outcome:
    """Delete every stack of the graph that exists. What a template retains (the hosted zone) stays.

    `before` is called with each node whose stack is about to be deleted.

    Raises DeploytoolError when someone else deploys this stage, or a drill of it was left
    unfinished; nothing was begun then.
    """
    options = options or DeployOptions()

    def run(
        deployed: Mapping[NodeId, Stack], heartbeat: Callable[[], None] = lambda: None
    ) -> Outcome:
        engine = Engine(
            ports.stacks,
            ports.clock,
            ports.runner,
            emit,
            interrupts=options.interrupts,
            random=ports.random,
            heartbeat=heartbeat,
        )
        return engine.run(graph.reversed_edges(), _Destroy(graph, ports, deployed, before))

    deployed = find_deployed(ports, graph)
    if ports.coordination is None or not deployed:
        return run(deployed)
    with held(
        ports.coordination, ports.clock, ports.runner, graph, emit, options.interrupts, options.wait
    ) as hold:
        return run(find_deployed(ports, graph) if hold.waited else deployed, hold.renew)
