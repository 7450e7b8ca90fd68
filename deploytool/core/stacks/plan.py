"""What is to be done with each stack: desired against deployed. Pure; `plan` prints it and `deploy`
acts by it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef, Value
from deploytool.core.project.template import digest, render_body, without_words
from deploytool.core.stacks.repair import Repair, repair_of
from deploytool.core.stacks.stack import Stack, StackRequest, StackStatus

CERTIFICATE = "AWS::CertificateManager::Certificate"
PROJECT_TAG, STAGE_TAG, COMMIT_TAG = "deploytool:project", "deploytool:stage", "deploytool:commit"


class Action(StrEnum):
    """What to do with a stack."""

    CREATE = "create"
    UPDATE = "update"
    NOTHING = "unchanged"
    REPLACE = "delete the failed creation, create anew"
    CONTINUE = "continue the rollback, then update"
    WAIT = "wait for the operation under way"
    REFUSE = "refuse"
    NOT_CHOSEN = "left as it is"
    LATER = "left for a later run"


@dataclass(frozen=True)
class Decision:
    """What to do with one stack and why."""

    action: Action
    reason: str


@dataclass(frozen=True)
class Step:
    """A line of the plan. `pending` names the inputs that are known only once other stacks are
    done.
    """

    node: NodeId
    decision: Decision
    pending: tuple[str, ...] = ()


def tags_of(graph: Graph, node: Node) -> dict[str, str]:
    """The tags of a stack."""
    return {PROJECT_TAG: graph.project, STAGE_TAG: graph.stage, "deploytool:stack": node.id.stack}


def resolve(node: Node, outputs: Mapping[NodeId, Mapping[str, str]]) -> dict[str, str]:
    """The node's parameters with every reference replaced. Raises DeploytoolError when a stack did
    not give its output.
    """
    return {name: value_of(value, outputs) for name, value in node.parameters.items()}


def value_of(value: Value, outputs: Mapping[NodeId, Mapping[str, str]]) -> str:
    """A value, known already or an output. Raises DeploytoolError as `output_of` does."""
    return value if isinstance(value, str) else output_of(value, outputs)


def output_of(ref: OutputRef, outputs: Mapping[NodeId, Mapping[str, str]]) -> str:
    """One output. Raises DeploytoolError when the deployed stack has none of this name (a Condition
    in its template).
    """
    try:
        return outputs[ref.node][ref.output]
    except KeyError as error:
        raise DeploytoolError(
            f"{ref.node} gave no output '{ref.output}'", hint="is that stack deployed?"
        ) from error


def fingerprint_of(graph: Graph, node: Node, parameters: Mapping[str, str]) -> str:
    """What identifies a stack's desired state: template (less its description), parameters and
    tags.

    A NoEcho value goes in as a hash salted with the stack's name, so that equal secrets of two
    stacks are not seen to be equal.
    """
    hidden = {
        name: digest([node.stack_name, parameters[name]])
        for name in secret_parameters(node) & parameters.keys()
    }
    return digest([without_words(node.document), {**parameters, **hidden}, tags_of(graph, node)])[
        :16
    ]


def secret_parameters(node: Node) -> frozenset[str]:
    """The parameters that the template marks NoEcho."""
    return frozenset(
        name for name, declared in node.template.parameters.items() if declared.no_echo
    )


def request_for(
    graph: Graph,
    node: Node,
    parameters: Mapping[str, str],
    token: str,
    *,
    commit: str = "",
    express: bool = False,
) -> StackRequest:
    """The request that makes the stack as desired. Raises InputError when the template is over
    CloudFormation's limits.

    The commit is a tag that the fingerprint leaves out: a stack with nothing else to change keeps
    the one that it was made from. Express mode is never asked for a template with a certificate,
    which is of no use before it is issued.
    """
    body = render_body(node.document, fingerprint_of(graph, node, parameters), node.template.file)
    tags = tags_of(graph, node) | ({COMMIT_TAG: commit} if commit else {})
    waits = CERTIFICATE in node.template.resources.values()
    return StackRequest(
        node.stack_name, body, parameters, tags, token, graph.protected, express and not waits
    )


def decide(deployed: Stack | None, fingerprint: str) -> Decision:
    """What to do with a stack found like this, when its fingerprint shall be `fingerprint`."""
    if deployed is None or deployed.status is StackStatus.DELETE_COMPLETE:
        return Decision(Action.CREATE, "not there yet")
    status, same = deployed.status, deployed.fingerprint == fingerprint
    unchanged = Decision(Action.NOTHING, "template, parameters and tags are as deployed")
    match repair_of(status, ours=deployed.fingerprint is not None):
        case Repair.NONE:
            return (
                unchanged
                if same
                else Decision(Action.UPDATE, "template, parameters or tags differ")
            )
        case Repair.WAIT:
            # At UPDATE_COMPLETE_CLEANUP_IN_PROGRESS only what the update replaced is still being
            # removed.
            return (
                unchanged if same and status.is_good_end else Decision(Action.WAIT, f"is {status}")
            )
        case repair:
            action, why = _REPAIRS[repair]
            return Decision(action, f"is {status}: {why or deployed.reason or 'it needs a person'}")


_REPAIRS = {
    Repair.RECREATE: (
        Action.REPLACE,
        "it never came to be, and CloudFormation only lets it be deleted",
    ),
    Repair.CONTINUE: (Action.CONTINUE, "its last update could not be taken back"),
    Repair.EXPLAIN: (Action.REFUSE, ""),
}


def known_parameters(
    node: Node, outputs: Mapping[NodeId, Mapping[str, str]], unsettled: Collection[OutputRef]
) -> dict[str, str | None]:
    """The node's parameters; None for one that takes an `unsettled` output, which is known only
    once another stack is done.
    """

    def known(value: Value) -> str | None:
        if isinstance(value, str):
            return value
        return None if value in unsettled else outputs.get(value.node, {}).get(value.output)

    return {name: known(value) for name, value in node.parameters.items()}


def left_over(graph: Graph, listed: Mapping[str, Mapping[str, Stack]]) -> list[tuple[str, Stack]]:
    """The stacks of this project and stage that are not in the graph any more, with their region.
    `listed` by region and name.

    A stack with our tags says itself whose it is; for one without, its name does.
    """
    wanted = {(node.id.region, node.stack_name) for node in graph.nodes.values()}
    return [
        (region, stack)
        for region, stacks in listed.items()
        for name, stack in sorted(stacks.items())
        if (region, name) not in wanted and _is_ours(graph, stack)
    ]


def _is_ours(graph: Graph, stack: Stack) -> bool:
    if PROJECT_TAG in stack.tags:
        return (stack.tags[PROJECT_TAG], stack.tags.get(STAGE_TAG)) == (graph.project, graph.stage)
    return stack.name.startswith(f"{graph.project}-{graph.stage}-")


def make_plan(graph: Graph, deployed: Mapping[NodeId, Stack]) -> tuple[Step, ...]:
    """The plan for a whole graph, also where inputs are not known yet. `deployed` holds the stacks
    that exist.
    """
    steps: list[Step] = []
    changing: set[NodeId] = set()
    outputs = {each: stack.outputs for each, stack in deployed.items()}
    for node in graph.nodes.values():
        pending = tuple(
            sorted(
                {f"{ref.node}.{ref.output}" for ref in node.references() if ref.node in changing}
            )
        )
        known = all(ref.output in outputs.get(ref.node, {}) for ref in node.references())
        fingerprint = fingerprint_of(graph, node, resolve(node, outputs)) if known else ""
        decision = decide(deployed.get(node.id), fingerprint)
        steps.append(Step(node.id, decision, pending))
        if decision.action is not Action.NOTHING:
            changing.add(node.id)
    return tuple(steps)


def left_for_later(
    graph: Graph, deployed: Mapping[NodeId, Stack], chosen: Callable[[NodeId], bool]
) -> frozenset[NodeId]:
    """The chosen nodes that wait, however far back, for one that is not chosen and is not as it
    should be.
    """
    behind = {
        step.node
        for step in make_plan(graph, deployed)
        if step.decision.action is not Action.NOTHING
    }
    later: set[NodeId] = set()
    for node in graph.nodes.values():  # in an order in which each stands after those it needs
        if any(need in later or (need in behind and not chosen(need)) for need in node.needs):
            later.add(node.id)
    return frozenset(filter(chosen, later))
