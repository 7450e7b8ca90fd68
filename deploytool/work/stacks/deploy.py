"""Deploys a graph: creates missing stacks, updates those that differ, and leaves the others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never
from uuid import uuid4

from deploytool.core.errors import DeploytoolError, StackExists
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.stacks.durations import expected_creation
from deploytool.core.stacks.events import Emit, Event, StackLeft, Uploaded
from deploytool.core.stacks.outage import (
    Found,
    Inputs,
    inputs_of,
    refusal_of_unreachable,
    unknown_buckets,
    unknown_nodes,
)
from deploytool.core.stacks.ownership import is_ours, refusal_of_foreign
from deploytool.core.stacks.plan import (
    Action,
    Decision,
    decide_with,
    fingerprint_of,
    left_for_later,
    make_plan,
    output_of,
    request_for,
    secret_parameters,
)
from deploytool.core.stacks.reconcile import with_repair
from deploytool.core.stacks.repair import command_for
from deploytool.core.stacks.stack import Stack, StackOperation, StackRequest, StackStatus
from deploytool.core.stacks.tokens import token_for
from deploytool.work.stacks.engine import Engine
from deploytool.work.stacks.operations import (
    Operation,
    Outcome,
    Outputs,
    RetryAfter,
    Started,
    StartResult,
    Unchanged,
    WaitingForOther,
    cancel,
    earlier_update,
    resume_or_wait,
    start_continuation,
    start_deletion,
)
from deploytool.work.stacks.outage import GlobalApis, needs_global_region, with_global_apis
from deploytool.work.stacks.run import DeployOptions, DeployPorts, run_engine

HIDDEN = "****"  # replaces the values of NoEcho parameters
CREATION_TOKENS = 3  # how many are tried, when deleted stacks of the same name have used them


@dataclass(frozen=True)
class _Desired:
    """A node whose inputs are known: the desired state of its stack."""

    node: Node
    inputs: Inputs
    fingerprint: str

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters of the stack."""
        return self.inputs.values


class _Deploy(Operation):
    """Decides what each node needs when its inputs are known, and starts it."""

    def __init__(
        self,
        graph: Graph,
        ports: DeployPorts,
        emit: Emit,
        chosen: Callable[[NodeId], bool],
        options: DeployOptions,
    ) -> None:
        self._graph = graph
        self._ports = ports
        self._emit = emit
        self._chosen = chosen
        self._options = options
        self._found = Found({})
        self._global_apis = GlobalApis(graph, self._found, ports.templates)
        self._deployed: dict[NodeId, Stack] = {}
        self._later: frozenset[NodeId] = frozenset()
        self._inputs: dict[NodeId, Outputs] = {}
        self._read: set[NodeId] = set()  # nodes whose stack was used since it was listed
        self._secrets: set[str] = set()
        # Nodes whose state this run cannot know or bring about, because an API does not answer.
        self._unknown: set[NodeId] = set()
        # The inputs that keep the deployed value for that reason.
        self.kept: dict[NodeId, tuple[str, ...]] = {}

    def use(self, found: Found) -> None:
        """Take the stacks that were found, before the run starts."""
        graph = self._graph
        self._found = found
        self._global_apis = GlobalApis(graph, found, self._ports.templates)
        self._deployed = dict(found.deployed)
        self._unknown = set(unknown_nodes(graph, found.regions))
        if self._options.ready:
            self._later = left_for_later(graph, found.deployed, self._chosen, found.regions)

    def start(self, node_id: NodeId, outputs: Outputs) -> StartResult:
        self._inputs[node_id] = outputs
        deployed = self._current(node_id)
        if not self._chosen(node_id):
            return _left_alone(deployed, Action.NOT_CHOSEN)
        if node_id in self._later:
            return _left_alone(deployed, Action.LATER)

        desired = self._desired(node_id)
        decision = self._decide(desired, deployed)
        if decision.action is Action.LEFT:
            return self._leave(node_id, deployed, decision.reason)
        retry = self._ask_hooks(desired, decision)
        if retry is not None:
            # The lease keeps other runs out meanwhile, so the stack need not be read again.
            self._read.discard(node_id)
            return retry

        if deployed is None or decision.action is Action.CREATE:
            self._upload(desired.node, outputs)
            return self._create(desired, deployed.id if deployed else "")
        return self._change(desired, deployed, decision, outputs)

    def _decide(self, desired: _Desired, deployed: Stack | None) -> Decision:
        """Decide what to do with a stack, which may need an API that does not answer."""
        node, inputs = desired.node, desired.inputs
        buckets = unknown_buckets(node, self._inputs[node.id], self._unknown)
        decision = decide_with(self._graph, node, deployed, inputs, buckets, self._found.regions)
        if self._options.repair:
            decision = with_repair(decision, deployed)
        reason = self._global_apis.reason_to_leave(
            node, deployed, decision, inputs, repairs=self._options.repair
        )
        return Decision(Action.LEFT, reason) if reason else decision

    def _leave(self, node_id: NodeId, deployed: Stack | None, reason: str) -> Unchanged:
        """Leave a stack as it is. The stacks that need it take the outputs that it has."""
        self._unknown.add(node_id)
        self._emit(StackLeft(self._ports.clock.now(), node_id, reason))
        return Unchanged(Action.LEFT, deployed.outputs if deployed else {}, reason)

    def _ask_hooks(self, desired: _Desired, decision: Decision) -> RetryAfter | None:
        """Return when to ask again, or None when the stack may be changed now."""
        if decision.action in (Action.NOTHING, Action.WAIT, Action.REFUSE):
            return None
        for hooks in self._options.hooks:
            retry = hooks.before_change(desired.node, desired.parameters)
            if retry is not None:
                return retry
        return None

    def _change(
        self, desired: _Desired, deployed: Stack, decision: Decision, outputs: Outputs
    ) -> StartResult:
        """Do what was decided about a stack that exists."""
        node = desired.node
        stacks = self._ports.stacks
        region = node.id.region

        match decision.action:
            case Action.NOTHING:
                self._protect(region, deployed)
                return Unchanged(Action.NOTHING, deployed.outputs)
            case Action.WAIT if self._options.repair:
                # Whether the operation under way repairs the stack is not known: it comes first.
                return WaitingForOther(deployed.id, deployed.status)
            case Action.WAIT:
                expected = None
                if deployed.status is StackStatus.CREATE_IN_PROGRESS:
                    expected = expected_creation(node.template.resources)
                return resume_or_wait(stacks, node, deployed, desired.fingerprint, expected)
            case Action.UPDATE:
                self._upload(node, outputs)
                self._protect(region, deployed)
                return self._update(desired, deployed)
            case Action.CONTINUE:
                return Started(
                    StackOperation.CONTINUE_ROLLBACK,
                    node.stack_name,
                    deployed.id,
                    start_continuation(stacks, region, deployed),
                    before=deployed,
                    good_ends=frozenset({StackStatus.UPDATE_ROLLBACK_COMPLETE}),
                    continues=True,
                )
            case Action.REPLACE:
                return self._replace(node, deployed)
            case Action.REFUSE:
                raise self._refusal(node, deployed, decision)
            case Action.CREATE | Action.NOT_CHOSEN | Action.LATER | Action.NOT_THERE | Action.LEFT:
                raise AssertionError(f"{decision.action} is not decided about a stack that exists")
        assert_never(decision.action)

    def _refusal(self, node: Node, deployed: Stack, decision: Decision) -> DeploytoolError:
        """Return why a stack is not changed, with the command that helps."""
        hint = command_for(deployed.status, node.stack_name, node.id.region)
        if not (self._graph.adopts or is_ours(self._graph, node, deployed)):
            hint = self._options.name_hint
        return DeploytoolError(f"{node.stack_name} {decision.reason}", hint=hint)

    def follow(self, node_id: NodeId, stack: Stack) -> StartResult | None:
        if stack.status is StackStatus.DELETE_COMPLETE:
            desired = self._desired(node_id)
            self._upload(desired.node, self._inputs[node_id])
            return self._create(desired, stack.id)
        if stack.status is StackStatus.UPDATE_ROLLBACK_COMPLETE:
            return self._start_again(node_id, stack)
        return None

    def cancel(self, node_id: NodeId, started: Started) -> str | None:
        return cancel(self._ports.stacks, node_id.region, started)

    def redact(self, text: str) -> str:
        """Return a text of AWS without the values of NoEcho parameters."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text

    def _start_again(self, node_id: NodeId, stack: Stack) -> StartResult:
        """Decide again, for the stack as it is now."""
        self._deployed[node_id] = stack
        self._read.discard(node_id)
        return self.start(node_id, self._inputs[node_id])

    def _desired(self, node_id: NodeId) -> _Desired:
        node = self._graph.nodes[node_id]
        outputs = self._inputs[node_id]
        inputs = inputs_of(node, outputs, self._deployed.get(node_id), self._unknown)
        for ref in inputs.absent:
            output_of(ref, outputs)  # raises the error that says so

        if inputs.kept:
            names = {f"{ref.node}.{ref.output}" for ref in inputs.kept.values()}
            self.kept[node_id] = tuple(sorted(names))
        for name in secret_parameters(node) & (inputs.values.keys() - inputs.kept.keys()):
            if inputs.values[name]:
                self._secrets.add(inputs.values[name])
        return _Desired(node, inputs, fingerprint_of(self._graph, node, inputs.values))

    def _current(self, node_id: NodeId) -> Stack | None:
        """Return the stack as listed, or read it again after someone else's operation."""
        deployed = self._deployed.get(node_id)
        if deployed is not None and node_id in self._read:
            deployed = self._ports.stacks.get(node_id.region, deployed.id)
            self._deployed[node_id] = deployed
        self._read.add(node_id)
        return deployed

    def _request(self, desired: _Desired, token: str, deployed: Stack | None) -> StackRequest:
        """Return the request for a stack, which is `deployed` unless it is created."""
        commit = self._ports.commit()
        if deployed is not None:
            commit = self._global_apis.commit_of(desired.node, deployed, commit)
        return request_for(
            self._graph,
            desired.node,
            desired.parameters,
            token,
            commit=commit,
            express=self._options.express,
            kept=desired.inputs.kept,
            reverts_drift=self._options.repair and deployed is not None,
        )

    def _create(self, desired: _Desired, predecessor: str) -> Started | WaitingForOther:
        """Create the stack.

        The token depends on the stack that was there before, so that a repeated call creates no
        second stack. A token that a deleted stack has used leads to the next one.
        """
        node = desired.node
        name = node.stack_name
        region = node.id.region
        generation = predecessor

        for attempt in range(CREATION_TOKENS):
            parts = (desired.fingerprint, name, region, generation)
            token = token_for(Action.CREATE, *parts)
            try:
                stack_id = self._ports.stacks.create(region, self._request(desired, token, None))
            except StackExists:
                existing = self._ports.stacks.list(region).get(name)
                if existing is not None:
                    events = self._ports.stacks.latest_events(region, existing.id)
                    if any(event.token == token for event in events):
                        # By this call: the answer to its first attempt was lost
                        return self._created(desired, existing.id, token)
                    self._deployed[node.id] = existing
                    return WaitingForOther(existing.id, existing.status)
                if attempt == CREATION_TOKENS - 1:
                    raise
                generation = token
            else:
                return self._created(desired, stack_id, token)
        raise AssertionError("the last attempt returns or raises")

    def _created(self, desired: _Desired, stack_id: str, token: str) -> Started:
        node = desired.node
        expected = expected_creation(node.template.resources)
        return Started(StackOperation.CREATE, node.stack_name, stack_id, token, expected=expected)

    def _update(self, desired: _Desired, deployed: Stack) -> Started | Unchanged:
        region = desired.node.id.region
        generation = [deployed.id, deployed.changed_at]
        # An earlier comparison that found nothing has used the token of the same state.
        if self._options.repair:
            generation.append(uuid4().hex)
        token = token_for(Action.UPDATE, desired.fingerprint, *generation)
        request = self._request(desired, token, deployed)
        stack_id = self._ports.stacks.update(region, request)
        if stack_id is None:
            return Unchanged(Action.NOTHING, deployed.outputs)
        return Started(
            StackOperation.UPDATE,
            desired.node.stack_name,
            stack_id,
            token,
            before=deployed,
            expected=earlier_update(self._ports.stacks, region, stack_id),
        )

    def _replace(self, node: Node, deployed: Stack) -> StartResult:
        """Delete a stack whose creation failed.

        Its status is read once more before, because a stack that serves must never be deleted.
        """
        region = node.id.region
        current = self._ports.stacks.get(region, deployed.id)
        if current.status is not deployed.status:
            return self._start_again(node.id, current)
        return Started(
            StackOperation.DELETE_FAILED_CREATION,
            node.stack_name,
            current.id,
            start_deletion(self._ports.stacks, region, current),
            before=current,
            continues=True,
        )

    def _protect(self, region: str, deployed: Stack) -> None:
        if self._graph.protected and not deployed.protected:
            self._ports.stacks.protect(region, deployed.id, on=True)

    def _upload(self, node: Node, outputs: Outputs) -> None:
        for upload in node.uploads:
            package = upload.package
            bucket = output_of(upload.bucket, outputs)
            stored = self._ports.buckets.put(node.id.region, bucket, package)
            now = self._ports.clock.now()
            size = len(package.data)
            self._emit(Uploaded(now, node.id, package.key, size, there_already=not stored))


def _left_alone(deployed: Stack | None, action: Action) -> Unchanged:
    """Return the outputs of a stack that this run does not change."""
    return Unchanged(action, deployed.outputs if deployed else {})


def deploy(
    graph: Graph,
    ports: DeployPorts,
    emit: Emit,
    chosen: Callable[[NodeId], bool] = lambda _: True,
    options: DeployOptions | None = None,
) -> Outcome:
    """Bring every chosen stack to its desired state, and return how that ended.

    The other stacks are not changed; their outputs are used. Raises DeploytoolError, before
    anything is started, when another run deploys this stage, a drill of it is unfinished, or a stack
    of somebody else has the name of one of ours; ApiUnavailable when the API of a
    chosen stack's region does not answer.

    While the API of another region does not answer, inputs from there keep the deployed value, and
    what needs that region is left.
    """
    options = options or DeployOptions()
    hooks = options.hooks

    def emit_to_all(event: Event) -> None:
        emit(event)
        for hook in hooks:
            hook.observe(event)

    operation = _Deploy(graph, ports, emit_to_all, chosen, options)

    def changes(found: Found) -> bool:
        chosen_nodes = tuple(filter(chosen, graph.nodes))
        refusal: DeploytoolError | None = refusal_of_unreachable(
            graph, found, chosen_nodes, options=options.command_options
        )
        refusal = refusal or refusal_of_foreign(graph, found.deployed, hint=options.name_hint)
        if refusal is not None:
            raise refusal
        if options.repair:
            return True
        return bool(_actions(graph, found, chosen) - {Action.NOTHING, Action.LEFT})

    def run(engine: Engine, found: Found) -> Outcome:
        steps = make_plan(graph, found.deployed, found.regions)
        chosen_steps = [step for step in steps if chosen(step.node)]
        if needs_global_region(graph, chosen_steps, repairs=options.repair):
            found = with_global_apis(ports.stacks, found)
        for hook in hooks:
            if found.unreachable:
                hook.apis_unavailable(found.regions)
            hook.stacks_found(found.deployed)
        operation.use(found)

        outcome = engine.run(graph.edges(), operation)
        outcome.kept = operation.kept
        outcome.unreachable = found.dead_regions
        return outcome

    return run_engine(
        graph.whole(), ports, emit_to_all, options, run, operation.redact, needs_lease=changes
    )


def _actions(graph: Graph, found: Found, chosen: Callable[[NodeId], bool]) -> set[Action]:
    """Return what the plan does with the chosen stacks."""
    steps = make_plan(graph, found.deployed, found.regions)
    return {step.decision.action for step in steps if chosen(step.node)}
