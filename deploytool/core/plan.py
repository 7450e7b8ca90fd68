"""What is to be done with each stack: desired against deployed. Pure; `plan` prints it and `deploy` acts by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from deploytool.core.errors import DeploytoolError
from deploytool.core.graph import Graph, Node, NodeId, OutputRef, Value
from deploytool.core.stacks import Stack, StackRequest, StackStatus
from deploytool.core.template import digest, render_body, without_words


class Action(StrEnum):
    """What to do with a stack."""

    CREATE = "create"
    UPDATE = "update"
    NOTHING = "unchanged"
    REPLACE = "delete the failed creation, create anew"
    WAIT = "wait for the operation under way"
    REFUSE = "refuse"
    NOT_CHOSEN = "left as it is"


@dataclass(frozen=True)
class Decision:
    """What to do with one stack and why."""

    action: Action
    reason: str


@dataclass(frozen=True)
class Step:
    """A line of the plan. `pending` names the inputs that are known only once other stacks are done."""

    node: NodeId
    decision: Decision
    pending: tuple[str, ...] = ()


def tags_of(graph: Graph, node: Node) -> dict[str, str]:
    """The tags of a stack."""
    return {"deploytool:project": graph.project, "deploytool:stage": graph.stage, "deploytool:stack": node.id.stack}


def resolve(node: Node, outputs: Mapping[NodeId, Mapping[str, str]]) -> dict[str, str]:
    """The node's parameters with every reference replaced. Raises DeploytoolError when a stack did not give its output."""
    return {name: value_of(value, outputs) for name, value in node.parameters.items()}


def value_of(value: Value, outputs: Mapping[NodeId, Mapping[str, str]]) -> str:
    """A value, known already or an output. Raises DeploytoolError as `output_of` does."""
    return value if isinstance(value, str) else output_of(value, outputs)


def output_of(ref: OutputRef, outputs: Mapping[NodeId, Mapping[str, str]]) -> str:
    """One output. Raises DeploytoolError when the deployed stack has none of this name (a Condition in its template)."""
    try:
        return outputs[ref.node][ref.output]
    except KeyError as error:
        raise DeploytoolError(f"{ref.node} gave no output '{ref.output}'", hint="is that stack deployed?") from error


def fingerprint_of(graph: Graph, node: Node, parameters: Mapping[str, str]) -> str:
    """What identifies a stack's desired state: template (less its description), parameters and tags."""
    return digest([without_words(node.document), parameters, tags_of(graph, node)])[:16]


def request_for(graph: Graph, node: Node, parameters: Mapping[str, str], token: str) -> StackRequest:
    """The request that makes the stack as desired. Raises InputError when the template is over CloudFormation's limits."""
    body = render_body(node.document, fingerprint_of(graph, node, parameters), node.template.file)
    return StackRequest(node.stack_name, body, parameters, tags_of(graph, node), token)


def decide(deployed: Stack | None, fingerprint: str) -> Decision:
    """What to do with a stack found like this, when its fingerprint shall be `fingerprint`."""
    if deployed is None or deployed.status is StackStatus.DELETE_COMPLETE:
        return Decision(Action.CREATE, "not there yet")
    status = deployed.status
    if status.is_busy:
        return Decision(Action.WAIT, f"is {status}")
    if status in (StackStatus.ROLLBACK_COMPLETE, StackStatus.REVIEW_IN_PROGRESS):
        return Decision(Action.REPLACE, f"is {status}: it never came to be, and CloudFormation only lets it be deleted")
    if not status.is_updatable:
        return Decision(Action.REFUSE, f"is {status}: {deployed.reason or 'it needs a person'}")
    if deployed.fingerprint == fingerprint:
        return Decision(Action.NOTHING, "template, parameters and tags are as deployed")
    return Decision(Action.UPDATE, "template, parameters or tags differ")


def make_plan(graph: Graph, deployed: Mapping[NodeId, Stack]) -> tuple[Step, ...]:
    """The plan for a whole graph, also where inputs are not known yet. `deployed` holds the stacks that exist."""
    steps: list[Step] = []
    changing: set[NodeId] = set()
    outputs = {each: stack.outputs for each, stack in deployed.items()}
    for node in graph.nodes.values():
        pending = tuple(sorted({f"{ref.node}.{ref.output}" for ref in node.references() if ref.node in changing}))
        known = all(ref.output in outputs.get(ref.node, {}) for ref in node.references())
        fingerprint = fingerprint_of(graph, node, resolve(node, outputs)) if known else ""
        decision = decide(deployed.get(node.id), fingerprint)
        steps.append(Step(node.id, decision, pending))
        if decision.action is not Action.NOTHING:
            changing.add(node.id)
    return tuple(steps)
