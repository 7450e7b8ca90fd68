"""Makes the plan of a whole graph in detail: what would happen to each resource, what drifted, what is left over. Reads only."""

import queue
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import uuid4

from deploytool.core.changes import ResourceChange, Source, StackChanges
from deploytool.core.cloudports import Drifts, Previews, Stacks
from deploytool.core.drift import CHECKABLE, StackDrift, without_secrets
from deploytool.core.errors import CloudRefused, DeploytoolError
from deploytool.core.graph import Graph, Node, NodeId
from deploytool.core.plan import Action, Step, known_parameters, left_over, make_plan, request_for, resolve
from deploytool.core.ports import Runner
from deploytool.core.stacks import Stack
from deploytool.core.templatediff import creations, estimate, secret_parameters

Result = TypeVar("Result")


@dataclass(frozen=True)
class PlanPorts:
    """What planning needs of a target."""

    stacks: Stacks
    previews: Previews
    drifts: Drifts
    runner: Runner


@dataclass(frozen=True)
class Plan:
    """What a deployment would do. `problems`: the updates that CloudFormation refuses to plan, and why.

    `left_over`: stacks of this project and stage, with their region, that the graph does not have; they stay.
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
        return not self.problems and all(step.decision.action is not Action.REFUSE for step in self.steps)


def plan(graph: Graph, ports: PlanPorts, regions: Collection[str], *, drift: bool = False) -> Plan:
    """The plan for the stacks of `regions`, within the whole graph; with `drift` also what drifted. Raises CloudRefused."""
    everywhere = sorted({each.region for each in graph.nodes})
    listed = dict(zip(everywhere, side_by_side(ports.runner, [_listing(ports, each) for each in everywhere]), strict=True))
    named = {node.id: listed[node.id.region].get(node.stack_name) for node in graph.nodes.values()}
    deployed = {each: stack for each, stack in named.items() if stack is not None}
    steps = make_plan(graph, deployed)
    changing = {step.node for step in steps if step.decision.action is not Action.NOTHING}
    steps = tuple(step for step in steps if step.node.region in regions)
    detail = _Detail(graph, ports, deployed, changing)
    changed = [step for step in steps if step.decision.action in (Action.CREATE, Action.REPLACE, Action.UPDATE)]
    found = dict(zip([step.node for step in changed], side_by_side(ports.runner, list(map(detail.of, changed))), strict=True))
    checked = [step.node for step in steps if drift and step.node in deployed]
    return Plan(
        graph,
        steps,
        deployed,
        {node: each for node, each in found.items() if isinstance(each, StackChanges)},
        {node: each for node, each in found.items() if isinstance(each, str)},
        left_over(graph, {region: listed[region] for region in everywhere if region in regions}),
        dict(zip(checked, side_by_side(ports.runner, list(map(detail.drift, checked))), strict=True)),
    )


def _listing(ports: PlanPorts, region: str) -> Callable[[], Mapping[str, Stack]]:
    return lambda: ports.stacks.list(region)


class _Detail:
    """How to find out more about each step; every method gives the call that does it."""

    def __init__(self, graph: Graph, ports: PlanPorts, deployed: Mapping[NodeId, Stack], changing: Collection[NodeId]) -> None:
        self.graph, self.ports, self.deployed, self.changing = graph, ports, deployed, changing
        self.outputs = {each: stack.outputs for each, stack in deployed.items()}

    def of(self, step: Step) -> Callable[[], StackChanges | str]:
        """The changes of a step, or why CloudFormation cannot plan them."""

        def call() -> StackChanges | str:
            try:
                return self._changes(step)
            except CloudRefused:
                raise
            except DeploytoolError as error:
                return str(error)

        return call

    def _changes(self, step: Step) -> StackChanges:
        node = self.graph.nodes[step.node]
        parameters = known_parameters(node, self.outputs, self.changing)
        if step.decision.action is not Action.UPDATE:
            return StackChanges(Source.TEMPLATE, creations(node.document, parameters))
        if step.pending or None in parameters.values():
            before = self.ports.previews.deployed(step.node.region, self.deployed[step.node].id)
            return StackChanges(Source.ESTIMATE, estimate(before, node.document, parameters))
        return StackChanges(Source.CHANGE_SET, tuple(self._preview(node)))

    def _preview(self, node: Node) -> Sequence[ResourceChange]:
        """Where the template has a NoEcho parameter no value is asked for: any property may hold it."""
        request = request_for(self.graph, node, resolve(node, self.outputs), f"deploytool-plan-{uuid4().hex}")
        return self.ports.previews.preview(node.id.region, request, values=not secret_parameters(node))

    def drift(self, node_id: NodeId) -> Callable[[], StackDrift]:
        """What drifted in a deployed stack."""
        node, stack = self.graph.nodes[node_id], self.deployed[node_id]

        def call() -> StackDrift:
            if stack.status not in CHECKABLE:
                return StackDrift("NOT_CHECKED", reason=f"is {stack.status}")
            return without_secrets(self.ports.drifts.detect(node_id.region, stack.id), node.document, secret_parameters(node))

        return call


def side_by_side(runner: Runner, calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """The results of calls that run beside each other, in their order. When any fails, the first error once all have ended."""
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
