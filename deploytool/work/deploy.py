"""Deploys a graph: creates what is missing, updates what differs, leaves alone what is as it should be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import uuid4

from deploytool.core.cloudports import Buckets, Stacks
from deploytool.core.errors import DeploytoolError
from deploytool.core.events import Emit, Uploaded
from deploytool.core.graph import Graph, Node, NodeId
from deploytool.core.plan import Action, Decision, decide, fingerprint_of, output_of, request_for, resolve
from deploytool.core.ports import Clock, Runner
from deploytool.core.stacks import Stack
from deploytool.core.template import digest
from deploytool.work.engine import Begun, Blocked, Engine, Outcome, Postponed, Settled

Outputs = Mapping[NodeId, Mapping[str, str]]
# Called with a node and its parameters before its stack is changed: None to go on, or when to ask again. Raises to refuse.
Before = Callable[[Node, Mapping[str, str]], Postponed | None]


@dataclass(frozen=True)
class DeployPorts:
    """What deploying needs of a target. The clock is real time's: CloudFormation does not run faster on a fast local cloud."""

    stacks: Stacks
    buckets: Buckets
    clock: Clock
    runner: Runner


def find_deployed(ports: DeployPorts, graph: Graph) -> dict[NodeId, Stack]:
    """The stacks of the graph that exist; one listing a region."""
    listed = {region: ports.stacks.list(region) for region in sorted({each.region for each in graph.nodes})}
    found = {node.id: listed[node.id.region].get(node.stack_name) for node in graph.nodes.values()}
    return {each: stack for each, stack in found.items() if stack is not None}


class _Deploy:
    """Decides what each node needs when its inputs are known, and begins it."""

    def __init__(
        self,
        graph: Graph,
        ports: DeployPorts,
        emit: Emit,
        deployed: Mapping[NodeId, Stack],
        chosen: Callable[[NodeId], bool],
        before: Before,
    ) -> None:
        self.graph, self.ports, self.emit, self.chosen, self.before = graph, ports, emit, chosen, before
        self.deployed = dict(deployed)
        self.inputs: dict[NodeId, Outputs] = {}
        self.looked: set[NodeId] = set()

    def begin(self, node_id: NodeId, outputs: Outputs) -> Begun | Settled | Blocked | Postponed:  # noqa: PLR0911  # one a case
        node = self.graph.nodes[node_id]
        self.inputs[node_id] = outputs
        deployed = self._current(node_id)
        if not self.chosen(node_id):
            return _as_it_is(deployed)
        parameters = resolve(node, outputs)
        fingerprint = fingerprint_of(self.graph, node, parameters)
        decision = decide(deployed, fingerprint)
        if decision.action is Action.NOTHING and deployed:
            return Settled(Action.NOTHING, deployed.outputs)
        if decision.action is Action.WAIT and deployed:
            return Blocked(deployed.id, deployed.status)
        if postponed := self.before(node, parameters):
            return postponed
        self._upload(node, outputs)
        match decision.action:
            case Action.CREATE:
                return self._create(node, parameters)
            case Action.UPDATE if deployed:
                return self._update(node, parameters, deployed, fingerprint)
            case Action.REPLACE if deployed:
                token = f"deploytool-delete-{digest([deployed.id, deployed.changed_at])[:16]}"
                self.ports.stacks.delete(node_id.region, deployed.id, token)
                return Begun("delete the failed creation", deployed.id, token)
        raise refusal(node, decision)

    def after(self, node_id: NodeId, stack: Stack) -> Begun | None:
        if not stack.status.name.startswith("DELETE"):
            return None
        node = self.graph.nodes[node_id]
        return self._create(node, resolve(node, self.inputs[node_id]))

    def _current(self, node_id: NodeId) -> Stack | None:
        """The stack as found at the start; looked up anew when someone else's operation had to be waited for."""
        deployed = self.deployed.get(node_id)
        if deployed and node_id in self.looked:
            deployed = self.ports.stacks.get(node_id.region, deployed.id)
            self.deployed[node_id] = deployed
        self.looked.add(node_id)
        return deployed

    def _create(self, node: Node, parameters: Mapping[str, str]) -> Begun:
        token = f"deploytool-{uuid4().hex}"
        stack_id = self.ports.stacks.create(node.id.region, request_for(self.graph, node, parameters, token))
        return Begun(Action.CREATE, stack_id, token)

    def _update(self, node: Node, parameters: Mapping[str, str], deployed: Stack, fingerprint: str) -> Begun | Settled:
        token = f"deploytool-{digest([fingerprint, deployed.id, deployed.changed_at])[:16]}"
        stack_id = self.ports.stacks.update(node.id.region, request_for(self.graph, node, parameters, token))
        return Begun(Action.UPDATE, stack_id, token) if stack_id else Settled(Action.NOTHING, deployed.outputs)

    def _upload(self, node: Node, outputs: Outputs) -> None:
        for upload in node.uploads:
            bucket = output_of(upload.bucket, outputs)
            stored = self.ports.buckets.put(node.id.region, bucket, upload.package)
            package = upload.package
            self.emit(Uploaded(self.ports.clock.now(), node.id, package.key, len(package.data), there_already=not stored))


def refusal(node: Node, decision: Decision) -> DeploytoolError:
    """Why a stack is left alone, with the command that helps."""
    where = f"--region {node.id.region} --stack-name {node.stack_name}"
    if "UPDATE_ROLLBACK_FAILED" in decision.reason:
        hint = f"mend what the reason names, then: aws cloudformation continue-update-rollback {where}"
    else:
        hint = f"see: aws cloudformation describe-stack-events {where}; to start over: aws cloudformation delete-stack {where}"
    return DeploytoolError(f"{node.stack_name} {decision.reason}", hint=hint)


def _as_it_is(deployed: Stack | None) -> Settled:
    """A stack that this run leaves alone gives the outputs that it has; one that is not there gives none."""
    return Settled(Action.NOT_CHOSEN, deployed.outputs if deployed else {})


def nothing_before(node: Node, parameters: Mapping[str, str]) -> Postponed | None:  # noqa: ARG001  # the shape of Before
    """Change every stack without looking further."""
    return None


def deploy(
    graph: Graph,
    ports: DeployPorts,
    emit: Emit,
    chosen: Callable[[NodeId], bool] = lambda _: True,
    before: Before = nothing_before,
) -> Outcome:
    """Bring every chosen stack to its desired state; how that ended. The others stay as they are and give their outputs."""
    operation = _Deploy(graph, ports, emit, find_deployed(ports, graph), chosen, before)
    return Engine(ports.stacks, ports.clock, ports.runner, emit).run(graph.edges(), operation)
