"""Makes the plan of a whole graph in detail: what would happen to each resource, what drifted, what
is left over. Reads only.
"""

import queue
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar
from uuid import uuid4

from deploytool.core.errors import CloudRefused, DeploytoolError
from deploytool.core.ports import Runner
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef
from deploytool.core.stacks.changes import ResourceChange, Source, StackChanges
from deploytool.core.stacks.drift import CHECKABLE, StackDrift, without_secrets
from deploytool.core.stacks.plan import (
    COMMIT_TAG,
    Action,
    Step,
    known_parameters,
    left_over,
    make_plan,
    request_for,
    resolve,
    secret_parameters,
)
from deploytool.core.stacks.ports import Drifts, Previews, Stacks
from deploytool.core.stacks.stack import Stack
from deploytool.core.stacks.templatediff import creations, estimate, settled_outputs

Result = TypeVar("Result")

CHANGING = frozenset({Action.CREATE, Action.REPLACE, Action.UPDATE, Action.CONTINUE})


@dataclass(frozen=True)
class PlanPorts:
    """What planning needs of a target."""

    stacks: Stacks
    previews: Previews
    drifts: Drifts
    runner: Runner


@dataclass(frozen=True)
class Plan:
    """What a deployment would do. `problems`: the updates that CloudFormation refuses to plan, and
    why.

    `left_over`: stacks of this project and stage, with their region, that the graph does not have;
    they stay.
    """

    graph: Graph
    steps: tuple[Step, ...]
    deployed: Mapping[NodeId, Stack]
    changes: Mapping[NodeId, StackChanges] = field(default_factory=dict)
    problems: Mapping[NodeId, str] = field(default_factory=dict)
    left_over: Sequence[tuple[str, Stack]] = ()
    drifts: Mapping[NodeId, StackDrift] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether a deployment would begin every step."""
        return not self.problems and all(
            step.decision.action is not Action.REFUSE for step in self.steps
        )


def plan(graph: Graph, ports: PlanPorts, regions: Collection[str], *, drift: bool = False) -> Plan:
    """The plan for the stacks of `regions`, within the whole graph; with `drift` also what drifted.
    Raises CloudRefused.
    """
    everywhere = sorted({each.region for each in graph.nodes})
    listed = dict(
        zip(
            everywhere,
            side_by_side(ports.runner, [_listing(ports, each) for each in everywhere]),
            strict=True,
        )
    )
    named = {node.id: listed[node.id.region].get(node.stack_name) for node in graph.nodes.values()}
    deployed = {each: stack for each, stack in named.items() if stack is not None}
    whole = make_plan(graph, deployed)
    steps = tuple(step for step in whole if step.node.region in regions)
    detail = _Detail(graph, ports, deployed, whole)
    for wave in _waves(graph, [step for step in steps if step.decision.action in CHANGING]):
        detail.add(wave)
    checked = [step.node for step in steps if drift and step.node in deployed]
    return Plan(
        graph,
        tuple(replace(step, pending=detail.pending(step)) for step in steps),
        deployed,
        detail.changes,
        detail.problems,
        left_over(graph, {region: listed[region] for region in everywhere if region in regions}),
        dict(
            zip(checked, side_by_side(ports.runner, list(map(detail.drift, checked))), strict=True)
        ),
    )


def _listing(ports: PlanPorts, region: str) -> Callable[[], Mapping[str, Stack]]:
    return lambda: ports.stacks.list(region)


def _waves(graph: Graph, steps: Sequence[Step]) -> list[list[Step]]:
    """The steps in waves: each step after those whose outputs it takes, so that it is known which
    of these will change.
    """
    wave: dict[NodeId, int] = {}
    for step in steps:
        wave[step.node] = 1 + max(
            (wave.get(need, -1) for need in graph.nodes[step.node].needs), default=-1
        )
    return [
        [step for step in steps if wave[step.node] == number]
        for number in range(max(wave.values(), default=-1) + 1)
    ]


@dataclass(frozen=True)
class _Found:
    """What was found out about a step. `settled` are the outputs that stay as they are."""

    changes: StackChanges | None = None
    settled: frozenset[str] = frozenset()
    problem: str = ""


class _Detail:
    """Finds out more about each step, those that give outputs before those that take them."""

    def __init__(
        self,
        graph: Graph,
        ports: PlanPorts,
        deployed: Mapping[NodeId, Stack],
        steps: Sequence[Step],
    ) -> None:
        self.graph, self.ports, self.deployed = graph, ports, deployed
        self.outputs = {each: stack.outputs for each, stack in deployed.items()}
        taken = {ref for node in graph.nodes.values() for ref in node.references()}
        changing = {step.node for step in steps if step.decision.action is not Action.NOTHING}
        self.unsettled = {ref for ref in taken if ref.node in changing}
        self.giving = {ref.node for ref in taken}
        self.changes: dict[NodeId, StackChanges] = {}
        self.problems: dict[NodeId, str] = {}

    def add(self, wave: Sequence[Step]) -> None:
        """Look at steps that do not depend on each other, side by side."""
        results = side_by_side(self.ports.runner, [partial(self._of, step) for step in wave])
        for step, found in zip(wave, results, strict=True):
            if found.changes:
                self.changes[step.node] = found.changes
            if found.problem:
                self.problems[step.node] = found.problem
            self.unsettled -= {OutputRef(step.node, name) for name in found.settled}

    def pending(self, step: Step) -> tuple[str, ...]:
        """The inputs of a step that are known only once another stack is done."""
        refs = self.graph.nodes[step.node].references()
        return tuple(sorted({f"{ref.node}.{ref.output}" for ref in refs if ref in self.unsettled}))

    def _of(self, step: Step) -> _Found:
        try:
            return (
                self._update(step)
                if step.decision.action in (Action.UPDATE, Action.CONTINUE)
                else self._creation(step)
            )
        except CloudRefused:
            raise
        except DeploytoolError as error:
            return _Found(problem=str(error))

    def _creation(self, step: Step) -> _Found:
        node = self.graph.nodes[step.node]
        parameters = known_parameters(node, self.outputs, self.unsettled)
        return _Found(StackChanges(Source.TEMPLATE, creations(node.document, parameters)))

    def _update(self, step: Step) -> _Found:
        """Through a change set where every input is known and the stack takes one: not before its
        rollback has been continued.

        The deployed template is read for an estimate, and where other stacks take outputs.
        """
        node, stack = self.graph.nodes[step.node], self.deployed[step.node]
        parameters = known_parameters(node, self.outputs, self.unsettled)
        estimated = None in parameters.values() or step.decision.action is Action.CONTINUE
        before = (
            self.ports.previews.deployed(node.id.region, stack.id)
            if estimated or node.id in self.giving
            else None
        )
        if estimated and before:
            changes = StackChanges(Source.ESTIMATE, estimate(before, node.document, parameters))
        else:
            changes = StackChanges(Source.CHANGE_SET, tuple(self._preview(node)))
        return _Found(
            changes,
            settled_outputs(before, node.document, parameters, changes.resources)
            if before
            else frozenset(),
        )

    def _preview(self, node: Node) -> Sequence[ResourceChange]:
        """Where the template has a NoEcho parameter no value is asked for: any property may hold
        it.

        With the commit of the last deployment: another one would be shown as a change of every
        resource's tags.
        """
        commit = self.deployed[node.id].tags.get(COMMIT_TAG, "")
        token = f"deploytool-plan-{uuid4().hex}"
        request = request_for(self.graph, node, resolve(node, self.outputs), token, commit=commit)
        return self.ports.previews.preview(
            node.id.region, request, values=not secret_parameters(node)
        )

    def drift(self, node_id: NodeId) -> Callable[[], StackDrift]:
        """What drifted in a deployed stack."""
        node, stack = self.graph.nodes[node_id], self.deployed[node_id]

        def call() -> StackDrift:
            if stack.status not in CHECKABLE:
                return StackDrift("NOT_CHECKED", reason=f"is {stack.status}")
            return without_secrets(
                self.ports.drifts.detect(node_id.region, stack.id),
                node.document,
                secret_parameters(node),
            )

        return call


def side_by_side(runner: Runner, calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """The results of calls that run beside each other, in their order. When any fails, the first
    error once all have ended.
    """
    ended: queue.SimpleQueue[tuple[int, Result | Exception]] = queue.SimpleQueue()

    def task(index: int, call: Callable[[], Result]) -> Callable[[], None]:
        def run() -> None:
            try:
                ended.put((index, call()))
            except Exception as error:  # noqa: BLE001  # raised below, in the caller's thread
                ended.put((index, error))

        return run

    for index, call in enumerate(calls):
        runner.submit(task(index, call))
    results = [each for _, each in sorted((ended.get() for _ in calls), key=lambda pair: pair[0])]
    good: list[Result] = []
    for each in results:
        if isinstance(each, Exception):
            raise each
        good.append(each)
    return good
