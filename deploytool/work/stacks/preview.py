"""The plan of a deployment in detail: the changes of each resource, and drift. Reads only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from deploytool.core.errors import ApiUnavailable, CloudRefused, DeploytoolError
from deploytool.core.ports import Executor
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef
from deploytool.core.stacks.changes import DeployedTemplate, ResourceChange, Source, StackChanges
from deploytool.core.stacks.drift import CHECKABLE, StackDrift, without_secrets
from deploytool.core.stacks.outage import Found, Inputs, inputs_of, unknown_nodes
from deploytool.core.stacks.ownership import COMMIT_TAG
from deploytool.core.stacks.plan import (
    CHANGING,
    Action,
    Decision,
    Step,
    known_parameters,
    make_plan,
    request_for,
    secret_parameters,
    stacks_not_in_graph,
)
from deploytool.core.stacks.ports import Drifts, Previews, Stacks, StoredValues
from deploytool.core.stacks.stack import Stack
from deploytool.core.stacks.templatediff import creations, estimate, settled_outputs
from deploytool.work.stacks.outage import GlobalApis, needs_global_region, with_global_apis
from deploytool.work.stacks.run import found_in, list_regions
from deploytool.work.stacks.stored_values import with_stored_values
from deploytool.work.tasks import for_each


@dataclass(frozen=True)
class PlanPorts:
    """What planning needs of a target."""

    stacks: Stacks
    previews: Previews
    drifts: Drifts
    executor: Executor
    values: StoredValues | None = None


@dataclass(frozen=True)
class Plan:
    """What a deployment would do.

    `problems` are the reasons why CloudFormation cannot plan an update. `not_in_graph` are the stacks
    of this project and stage that are not in the graph, with their regions; a deployment does not
    change them. `unreachable` are the regions whose API does not answer: nothing is planned there.
    """

    graph: Graph
    steps: tuple[Step, ...]
    deployed: Mapping[NodeId, Stack]
    changes: Mapping[NodeId, StackChanges] = field(default_factory=dict)
    problems: Mapping[NodeId, str] = field(default_factory=dict)
    not_in_graph: Sequence[tuple[str, Stack]] = ()
    drifts: Mapping[NodeId, StackDrift] = field(default_factory=dict)
    unreachable: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether a deployment would start every step."""
        actions = {step.decision.action for step in self.steps}
        return not self.problems and Action.REFUSE not in actions


def plan(graph: Graph, ports: PlanPorts, regions: Collection[str], *, drift: bool = False) -> Plan:
    """Return the plan for the stacks of `regions`, which may need stacks of other regions.

    With `drift`, detect the drift of each deployed stack of `regions`. Nothing is planned in a
    region whose API does not answer. Raises CloudRefused; ApiUnavailable when that is the case in
    each of `regions`.
    """
    all_regions = {node.region for node in graph.nodes}
    listings = list_regions(ports.stacks, ports.executor, all_regions)
    found = found_in(graph, listings)
    if ports.values is not None:
        found = with_stored_values(graph, found, ports.values, ports.executor)
    if found.regions.issuperset(regions):
        raise _nothing_to_plan(found, regions)
    deployed = found.deployed

    all_steps = make_plan(graph, deployed, found.regions)
    if needs_global_region(graph, all_steps):
        found = with_global_apis(ports.stacks, found)
    all_steps = _with_left_steps(graph, ports, found, all_steps)
    steps = [step for step in all_steps if step.node.region in regions]
    preview = _Preview(graph, ports, found, all_steps)
    for wave in _waves(graph, [step for step in steps if step.decision.action in CHANGING]):
        preview.add(wave)

    drifts: dict[NodeId, StackDrift] = {}
    if drift:
        nodes = [step.node for step in steps if step.node in deployed]
        drifts = for_each(ports.executor, preview.drift, nodes)

    listed_here = {
        region: stacks
        for region, stacks in listings.items()
        if region in regions and not isinstance(stacks, ApiUnavailable)
    }
    return Plan(
        graph=graph,
        steps=tuple(preview.result(step) for step in steps),
        deployed=deployed,
        changes=preview.changes,
        problems=preview.problems,
        not_in_graph=stacks_not_in_graph(graph, listed_here),
        drifts=drifts,
        unreachable=found.dead_regions,
    )


def _nothing_to_plan(found: Found, regions: Collection[str]) -> ApiUnavailable:
    """Return the error that says that no region can be planned."""
    first = min(regions)
    causes = "\n".join(str(found.unreachable[region]) for region in sorted(regions))
    return ApiUnavailable(f"nothing can be planned\n{causes}", first)


def _with_left_steps(
    graph: Graph, ports: PlanPorts, found: Found, steps: Sequence[Step]
) -> tuple[Step, ...]:
    """Return the steps, with those left that need a global service which does not answer."""
    if found.global_apis:
        return tuple(steps)
    apis = GlobalApis(graph, found, ports.previews)
    unknown = unknown_after(graph, found, steps)
    outputs = {node: stack.outputs for node, stack in found.deployed.items()}

    def checked(step: Step) -> Step:
        node = graph.nodes[step.node]
        deployed = found.deployed.get(step.node)
        inputs = inputs_of(node, outputs, deployed, unknown)
        reason = apis.reason_to_leave(node, deployed, step.decision, inputs)
        if not reason:
            return step
        return replace(step, decision=Decision(Action.LEFT, reason))

    results = for_each(ports.executor, checked, steps)
    return tuple(results[step] for step in steps)


def unknown_after(graph: Graph, found: Found, steps: Sequence[Step]) -> frozenset[NodeId]:
    """Return the nodes whose state a run cannot know or bring about."""
    left = {step.node for step in steps if step.decision.action is Action.LEFT}
    return frozenset({*unknown_nodes(graph, found.regions), *left})


def _waves(graph: Graph, steps: Sequence[Step]) -> list[list[Step]]:
    """Divide the steps into waves. A step comes in a later wave than those whose outputs it takes.

    So it is known which of these outputs change. The steps are in the graph's order.
    """
    waves: list[list[Step]] = []
    wave_of: dict[NodeId, int] = {}
    for step in steps:
        wave = 0
        for need in graph.nodes[step.node].needs:
            if need in wave_of:
                wave = max(wave, wave_of[need] + 1)
        wave_of[step.node] = wave
        if wave == len(waves):
            waves.append([])
        waves[wave].append(step)
    return waves


@dataclass(frozen=True)
class _StepPreview:
    """The changes of a step, or the problem with it.

    `settled` are the outputs whose values the step keeps. Of an update that is `empty` CloudFormation
    says that it changes nothing.
    """

    changes: StackChanges | None = None
    settled: frozenset[str] = frozenset()
    problem: str = ""
    empty: bool = False


class _Preview:
    """Previews the steps, those that give outputs before those that take them."""

    def __init__(
        self,
        graph: Graph,
        ports: PlanPorts,
        found: Found,
        steps: Sequence[Step],
    ) -> None:
        self.graph = graph
        self.ports = ports
        self.deployed = found.deployed
        self.unknown = unknown_after(graph, found, steps)
        self.outputs = {node: stack.outputs for node, stack in found.deployed.items()}
        self.changes: dict[NodeId, StackChanges] = {}
        self.problems: dict[NodeId, str] = {}
        self.empty: set[NodeId] = set()

        # The outputs that other stacks take, and those of them that may change.
        self.taken: set[OutputRef] = set()
        for node in graph.nodes.values():
            self.taken.update(node.references())
        unchanged = {step.node for step in steps if step.decision.action is Action.NOTHING}
        settled = unchanged | self.unknown
        self.unsettled = {output for output in self.taken if output.node not in settled}

    def add(self, wave: Sequence[Step]) -> None:
        """Preview steps that do not depend on each other, at the same time."""
        previews = for_each(self.ports.executor, self._preview, wave)
        for step, preview in previews.items():
            if preview.changes:
                self.changes[step.node] = preview.changes
            if preview.problem:
                self.problems[step.node] = preview.problem
            if preview.empty:
                self.empty.add(step.node)
            for output in preview.settled:
                self.unsettled.discard(OutputRef(step.node, output))

    def result(self, step: Step) -> Step:
        """Return a step as its preview shows it."""
        if step.node in self.empty:
            reason = "differs only in what CloudFormation does not count as a change"
            return replace(step, decision=Decision(Action.NOTHING, reason))
        return replace(step, pending=self._pending(step))

    def _pending(self, step: Step) -> tuple[str, ...]:
        """Return the inputs of a step that are known only after another stack is done."""
        unsettled = self.unsettled.intersection(self.graph.nodes[step.node].references())
        return tuple(sorted(f"{output.node}.{output.output}" for output in unsettled))

    def drift(self, node_id: NodeId) -> StackDrift:
        """Detect the drift of a deployed stack."""
        node = self.graph.nodes[node_id]
        stack = self.deployed[node_id]
        if stack.status not in CHECKABLE:
            return StackDrift("NOT_CHECKED", reason=f"is {stack.status}")
        drift = self.ports.drifts.detect(node_id.region, stack.id)
        return without_secrets(drift, node.document, secret_parameters(node))

    def _preview(self, step: Step) -> _StepPreview:
        node = self.graph.nodes[step.node]
        try:
            if step.decision.action in (Action.UPDATE, Action.CONTINUE):
                return self._preview_update(node, step.decision.action)
            return self._preview_creation(node)
        except (CloudRefused, ApiUnavailable):
            # Not a problem of this stack alone.
            raise
        except DeploytoolError as error:
            return _StepPreview(problem=str(error))

    def _preview_creation(self, node: Node) -> _StepPreview:
        parameters = known_parameters(node, self._inputs(node), self.unsettled)
        resources = creations(node.document, {**parameters, **node.pseudo_parameters})
        return _StepPreview(StackChanges(Source.TEMPLATE, resources))

    def _preview_update(self, node: Node, action: Action) -> _StepPreview:
        """Preview an update by a change set if possible, else by an estimate.

        A change set needs every input, and a stack whose rollback does not have to be continued
        first.
        """
        inputs = self._inputs(node)
        parameters = known_parameters(node, inputs, self.unsettled)
        before: DeployedTemplate | None
        if None in parameters.values() or action is Action.CONTINUE:
            before = self._deployed_template(node)
            estimated = estimate(before, node.document, parameters, same=inputs.kept.keys())
            changes = StackChanges(Source.ESTIMATE, estimated)
        else:
            # The template tells which outputs stay. That matters only to stacks that take them.
            is_taken = any(output.node == node.id for output in self.taken)
            before = self._deployed_template(node) if is_taken else None
            found = self._change_set(node)
            if found is None:
                return _StepPreview(settled=frozenset(node.template.outputs), empty=True)
            changes = StackChanges(Source.CHANGE_SET, tuple(found))

        if before is None:
            return _StepPreview(changes)
        settled = settled_outputs(before, node.document, parameters, changes.resources)
        return _StepPreview(changes, settled)

    def _inputs(self, node: Node) -> Inputs:
        return inputs_of(node, self.outputs, self.deployed.get(node.id), self.unknown)

    def _deployed_template(self, node: Node) -> DeployedTemplate:
        return self.ports.previews.deployed(node.id.region, self.deployed[node.id].id)

    def _change_set(self, node: Node) -> Sequence[ResourceChange] | None:
        """Return the changes of a stack from a change set, or None when there is no change.

        The request has the commit of the last deployment. With another one, the tags of every
        resource would change.
        """
        commit = self.deployed[node.id].tags.get(COMMIT_TAG, "")
        token = f"deploytool-plan-{uuid4().hex}"
        inputs = self._inputs(node)
        request = request_for(
            self.graph, node, inputs.values, token, commit=commit, kept=inputs.kept
        )

        # Any property may contain the value of a NoEcho parameter.
        with_values = not secret_parameters(node)
        return self.ports.previews.preview(node.id.region, request, values=with_values)
