"""Deploys a graph: creates what is missing, updates what differs, leaves alone what is as it should
be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from deploytool.core.errors import DeploytoolError, StackExists
from deploytool.core.ports import Clock, Runner
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.stacks.durations import expected_creation
from deploytool.core.stacks.events import Emit, Event, Uploaded
from deploytool.core.stacks.plan import (
    Action,
    Decision,
    decide,
    find_stacks,
    fingerprint_of,
    left_for_later,
    make_plan,
    output_of,
    request_for,
    resolve,
    secret_parameters,
)
from deploytool.core.stacks.ports import Buckets, Interrupts, NoInterrupts, Stacks
from deploytool.core.stacks.repair import command_for
from deploytool.core.stacks.stack import Stack, StackRequest, StackStatus
from deploytool.core.stacks.tokens import token_for
from deploytool.work.stacks.changes import (
    begin_continuation,
    begin_deletion,
    cancel,
    earlier_update,
    resume_or_wait,
)
from deploytool.work.stacks.engine import Engine, Outcome, Started, Unchanged, WaitingForOther
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.stacks.lock import Coordination, held
from deploytool.work.stacks.operations import RetryAfter, StartResult

Outputs = Mapping[NodeId, Mapping[str, str]]
HIDDEN = "****"
GENERATIONS = 3  # creation tokens tried, when stacks of the past have used them


@dataclass(frozen=True)
class DeployPorts:
    """What deploying needs of a target. The clock is real time's: CloudFormation does not run
    faster on a fast local cloud.

    Without `coordination` nothing keeps a second run out. `random` gives numbers from 0 to 1;
    `commit` what the source is at.
    """

    stacks: Stacks
    buckets: Buckets
    clock: Clock
    runner: Runner
    coordination: Coordination | None = None
    random: Callable[[], float] = lambda: 0.5
    commit: Callable[[], str] = lambda: ""


@dataclass(frozen=True)
class DeployOptions:
    """How this run goes: `express` ends operations before resources are ready; `wait` is for
    another run, in seconds.

    `ready` leaves for a later run what waits for a stack that is not chosen and not as it should
    be; without it such a stack takes the outputs that are there.
    """

    express: bool = False
    wait: float = 0.0
    interrupts: Interrupts = field(default_factory=NoInterrupts)
    hooks: tuple[DeployHooks, ...] = ()
    ready: bool = False


def find_deployed(ports: DeployPorts, graph: Graph) -> dict[NodeId, Stack]:
    """Return the stacks of the graph that exist, from one listing for each region."""
    regions = sorted({node.region for node in graph.nodes})
    return find_stacks(graph, {region: ports.stacks.list(region) for region in regions})


@dataclass(frozen=True)
class _Wanted:
    """A node with its inputs known."""

    node: Node
    parameters: Mapping[str, str]
    fingerprint: str


class _Deploy:
    """Decides what each node needs when its inputs are known, and begins it."""

    def __init__(
        self,
        graph: Graph,
        ports: DeployPorts,
        emit: Emit,
        deployed: Mapping[NodeId, Stack],
        chosen: Callable[[NodeId], bool],
        options: DeployOptions,
    ) -> None:
        self.graph, self.ports, self.emit, self.chosen, self.options = (
            graph,
            ports,
            emit,
            chosen,
            options,
        )
        self.deployed = dict(deployed)
        self.inputs: dict[NodeId, Outputs] = {}
        self.looked: set[NodeId] = set()
        self.secrets: set[str] = set()
        self.later = left_for_later(graph, deployed, chosen) if options.ready else frozenset()

    def begin(self, node_id: NodeId, outputs: Outputs) -> StartResult:
        self.inputs[node_id] = outputs
        deployed = self._current(node_id)
        if not self.chosen(node_id):
            return _as_it_is(deployed, Action.NOT_CHOSEN)
        if node_id in self.later:
            return _as_it_is(deployed, Action.LATER)
        wanted = self._wanted(node_id)
        decision = decide(deployed, wanted.fingerprint)
        if postponed := self._postponed(wanted, decision):
            # The lease keeps others out meanwhile: what was found still holds
            self.looked.discard(node_id)
            return postponed
        if deployed is None or decision.action is Action.CREATE:
            self._upload(wanted.node, outputs)
            return self._create(wanted, deployed.id if deployed else "")
        return self._go_on(wanted, deployed, decision, outputs)

    def _postponed(self, wanted: _Wanted, decision: Decision) -> RetryAfter | None:
        """Ask whether the stack may be changed now; raises when it may not at all."""
        if decision.action in (Action.NOTHING, Action.WAIT, Action.REFUSE):
            return None
        for hooks in self.options.hooks:
            retry = hooks.before_change(wanted.node, wanted.parameters)
            if retry is not None:
                return retry
        return None

    def _go_on(
        self, wanted: _Wanted, deployed: Stack, decision: Decision, outputs: Outputs
    ) -> StartResult:
        """With a stack that is there."""
        region, stacks = wanted.node.id.region, self.ports.stacks
        match decision.action:
            case Action.NOTHING:
                self._protect(region, deployed)
                return Unchanged(Action.NOTHING, deployed.outputs)
            case Action.WAIT:
                return resume_or_wait(
                    stacks,
                    wanted.node,
                    deployed,
                    wanted.fingerprint,
                    _creation_seconds(wanted.node, deployed),
                )
            case Action.UPDATE:
                self._upload(wanted.node, outputs)
                self._protect(region, deployed)
                return self._update(wanted, deployed)
            case Action.CONTINUE:
                token = begin_continuation(stacks, region, deployed)
                good = frozenset({StackStatus.UPDATE_ROLLBACK_COMPLETE})
                name = wanted.node.stack_name
                return Started(
                    "continue the rollback",
                    name,
                    deployed.id,
                    token,
                    before=deployed,
                    wanted=good,
                    more=True,
                )
            case Action.REPLACE:
                return self._replace(wanted.node, deployed)
        raise refusal(wanted.node, deployed, decision)

    def after(self, node_id: NodeId, stack: Stack) -> StartResult | None:
        wanted = self._wanted(node_id)
        if stack.status is StackStatus.DELETE_COMPLETE:
            self._upload(wanted.node, self.inputs[node_id])
            return self._create(wanted, stack.id)
        if stack.status is StackStatus.UPDATE_ROLLBACK_COMPLETE:
            return self.begin_again(node_id, stack)
        return None

    def begin_again(self, node_id: NodeId, stack: Stack) -> StartResult:
        """Decide anew, for the stack as it is now."""
        self.deployed[node_id] = stack
        self.looked.discard(node_id)
        return self.begin(node_id, self.inputs[node_id])

    def cancel(self, node_id: NodeId, begun: Started) -> str | None:
        return cancel(self.ports.stacks, node_id.region, begun)

    def redact(self, text: str) -> str:
        """What AWS said without the values of NoEcho parameters."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text

    def _wanted(self, node_id: NodeId) -> _Wanted:
        node = self.graph.nodes[node_id]
        parameters = resolve(node, self.inputs[node_id])
        self.secrets |= {
            parameters[name]
            for name in secret_parameters(node) & parameters.keys()
            if parameters[name]
        }
        return _Wanted(node, parameters, fingerprint_of(self.graph, node, parameters))

    def _current(self, node_id: NodeId) -> Stack | None:
        """The stack as found at the start; looked up anew when someone else's operation had to be
        waited for.
        """
        deployed = self.deployed.get(node_id)
        if deployed and node_id in self.looked:
            deployed = self.ports.stacks.get(node_id.region, deployed.id)
            self.deployed[node_id] = deployed
        self.looked.add(node_id)
        return deployed

    def _request(self, wanted: _Wanted, token: str) -> StackRequest:
        commit = self.ports.commit()
        return request_for(
            self.graph,
            wanted.node,
            wanted.parameters,
            token,
            commit=commit,
            express=self.options.express,
        )

    def _create(self, wanted: _Wanted, predecessor: str) -> Started | WaitingForOther:
        """Create the stack. The token follows from the one that was there before, so a repeated
        call makes no second stack.
        """
        node, generation = wanted.node, predecessor
        for attempt in range(GENERATIONS):
            token = token_for(
                Action.CREATE, wanted.fingerprint, node.stack_name, node.id.region, generation
            )
            try:
                stack_id = self.ports.stacks.create(node.id.region, self._request(wanted, token))
            except StackExists:
                found = self.ports.stacks.list(node.id.region).get(node.stack_name)
                # Made since the stacks were listed, perhaps by this very call
                if found is not None:
                    self.deployed[node.id] = found
                    return WaitingForOther(found.id, found.status)
                if attempt == GENERATIONS - 1:
                    raise
                generation = token
            else:
                seconds = expected_creation(node.template.resources)
                return Started(Action.CREATE, node.stack_name, stack_id, token, expected=seconds)
        raise AssertionError("the last attempt returns or raises")

    def _update(self, wanted: _Wanted, deployed: Stack) -> Started | Unchanged:
        region, name = wanted.node.id.region, wanted.node.stack_name
        token = token_for(Action.UPDATE, wanted.fingerprint, deployed.id, deployed.changed_at)
        stack_id = self.ports.stacks.update(region, self._request(wanted, token))
        if stack_id is None:
            return Unchanged(Action.NOTHING, deployed.outputs)
        seconds = earlier_update(self.ports.stacks, region, stack_id)
        return Started(Action.UPDATE, name, stack_id, token, before=deployed, expected=seconds)

    def _replace(self, node: Node, deployed: Stack) -> StartResult:
        """Delete a creation that never came to be, after a second look: nothing that serves is ever
        deleted.
        """
        now = self.ports.stacks.get(node.id.region, deployed.id)
        if now.status is not deployed.status:
            return self.begin_again(node.id, now)
        token = begin_deletion(self.ports.stacks, node.id.region, now)
        return Started(
            "delete the failed creation", node.stack_name, now.id, token, before=now, more=True
        )

    def _protect(self, region: str, deployed: Stack) -> None:
        if self.graph.protected and not deployed.protected:
            self.ports.stacks.protect(region, deployed.id, on=True)

    def _upload(self, node: Node, outputs: Outputs) -> None:
        for upload in node.uploads:
            bucket = output_of(upload.bucket, outputs)
            stored = self.ports.buckets.put(node.id.region, bucket, upload.package)
            package = upload.package
            self.emit(
                Uploaded(
                    self.ports.clock.now(),
                    node.id,
                    package.key,
                    len(package.data),
                    there_already=not stored,
                )
            )


def refusal(node: Node, deployed: Stack, decision: Decision) -> DeploytoolError:
    """Why a stack is left alone, with the command that helps."""
    hint = command_for(deployed.status, node.stack_name, node.id.region)
    return DeploytoolError(f"{node.stack_name} {decision.reason}", hint=hint)


def _creation_seconds(node: Node, deployed: Stack) -> float | None:
    creating = deployed.status is StackStatus.CREATE_IN_PROGRESS
    return expected_creation(node.template.resources) if creating else None


def _as_it_is(deployed: Stack | None, action: Action) -> Unchanged:
    """A stack that this run leaves alone gives the outputs that it has; one that is not there gives
    none.
    """
    return Unchanged(action, deployed.outputs if deployed else {})


def deploy(
    graph: Graph,
    ports: DeployPorts,
    emit: Emit,
    chosen: Callable[[NodeId], bool] = lambda _: True,
    options: DeployOptions | None = None,
) -> Outcome:
    """Bring every chosen stack to its desired state; how that ended. The others stay as they are
    and give their outputs.

    Raises DeploytoolError when someone else deploys this stage, or a drill of it was left
    unfinished; nothing was begun then.
    """
    options = options or DeployOptions()

    def emit_to_all(event: Event) -> None:
        emit(event)
        for hooks in options.hooks:
            hooks.observe(event)

    def run(
        deployed: Mapping[NodeId, Stack], heartbeat: Callable[[], None] = lambda: None
    ) -> Outcome:
        for hooks in options.hooks:
            hooks.stacks_found(deployed)
        operation = _Deploy(graph, ports, emit_to_all, deployed, chosen, options=options)
        engine = Engine(
            ports.stacks,
            ports.clock,
            ports.runner,
            emit_to_all,
            interrupts=options.interrupts,
            random=ports.random,
            heartbeat=heartbeat,
            redact=operation.redact,
        )
        return engine.run(graph.edges(), operation)

    deployed = find_deployed(ports, graph.whole())
    steps = [step for step in make_plan(graph, deployed) if chosen(step.node)]
    if ports.coordination is None or all(step.decision.action is Action.NOTHING for step in steps):
        return run(deployed)
    with held(
        ports.coordination, ports.clock, ports.runner, graph, emit, options.interrupts, options.wait
    ) as hold:
        return run(find_deployed(ports, graph.whole()) if hold.waited else deployed, hold.renew)
