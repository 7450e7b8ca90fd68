"""What to do with each stack: the desired state against the deployed state. Pure.

`plan` prints the steps, and `deploy` follows the same decisions.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef, Value
from deploytool.core.project.template import digest, render_body, without_description
from deploytool.core.stacks.outage import Inputs, inputs_of, reason_of_unknown, unknown_buckets
from deploytool.core.stacks.ownership import (
    COMMIT_TAG,
    PROJECT_TAG,
    STAGE_TAG,
    is_ours,
    tags_of,
    whose,
)
from deploytool.core.stacks.repair import Repair, repair_of
from deploytool.core.stacks.stack import Stack, StackRequest, StackStatus

CERTIFICATE = "AWS::CertificateManager::Certificate"


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
    NOT_THERE = "not there"
    LEFT = "left"


# The actions that change resources.
CHANGING = frozenset({Action.CREATE, Action.REPLACE, Action.UPDATE, Action.CONTINUE})


@dataclass(frozen=True)
class Decision:
    """What to do with one stack and why."""

    action: Action
    reason: str


@dataclass(frozen=True)
class Step:
    """The decision about one stack of the graph.

    `pending` names the inputs whose values are known only after other stacks are done, and `kept`
    those that keep the deployed value, because the API of their region does not answer.
    """

    node: NodeId
    decision: Decision
    pending: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def resolve(node: Node, outputs: Mapping[NodeId, Mapping[str, str]]) -> dict[str, str]:
    """Return the node's parameters, with the values of all references.

    Raises DeploytoolError when a stack does not have an output.
    """
    return {name: value_of(value, outputs) for name, value in node.parameters.items()}


def value_of(value: Value, outputs: Mapping[NodeId, Mapping[str, str]]) -> str:
    """Return a value, which may be that of an output. Raises DeploytoolError as `output_of` does."""
    if isinstance(value, OutputRef):
        return output_of(value, outputs)
    return value


def output_of(ref: OutputRef, outputs: Mapping[NodeId, Mapping[str, str]]) -> str:
    """Return the value of an output.

    Raises DeploytoolError when the deployed stack does not have it. A Condition of its template can
    leave it out.
    """
    try:
        return outputs[ref.node][ref.output]
    except KeyError as error:
        raise DeploytoolError(
            f"{ref.node} has no output '{ref.output}'", hint="check that the stack is deployed"
        ) from error


def fingerprint_of(graph: Graph, node: Node, parameters: Mapping[str, str]) -> str:
    """Return the fingerprint of a stack's desired state.

    It covers the template without its description, the parameters and the tags. A NoEcho value is
    replaced by a hash salted with the stack's name, so that nobody can tell that two stacks have the
    same secret.
    """
    visible = dict(parameters)
    for name in secret_parameters(node) & parameters.keys():
        visible[name] = digest([node.stack_name, parameters[name]])

    # 64 bits tell the versions of one stack apart, and leave room in the description for its text.
    return digest([without_description(node.document), visible, tags_of(graph, node)])[:16]


def secret_parameters(node: Node) -> frozenset[str]:
    """Return the names of the parameters that the template marks NoEcho."""
    secret: set[str] = set()
    for name, declared in node.template.parameters.items():
        if declared.no_echo:
            secret.add(name)
    return frozenset(secret)


def request_for(
    graph: Graph,
    node: Node,
    parameters: Mapping[str, str],
    token: str,
    *,
    commit: str = "",
    express: bool = False,
    kept: Collection[str] = (),
    reverts_drift: bool = False,
) -> StackRequest:
    """Return the request that creates the stack as desired, or updates it to that.

    An update leaves the parameters in `kept` as they are deployed.

    The fingerprint does not cover the tag of the commit: a stack with no other change keeps the
    commit of its last deployment. Express mode is never requested for a template with a certificate,
    because a certificate is of no use before it is issued. Raises InputError when the template
    exceeds CloudFormation's limits.
    """
    tags = tags_of(graph, node)
    if commit:
        tags[COMMIT_TAG] = commit
    has_certificate = CERTIFICATE in node.template.resources.values()
    return StackRequest(
        name=node.stack_name,
        body=render_body(
            node.document, fingerprint_of(graph, node, parameters), node.template.file
        ),
        parameters=parameters,
        tags=tags,
        token=token,
        protected=graph.protected,
        express=express and not has_certificate,
        kept=frozenset(kept),
        reverts_drift=reverts_drift,
    )


def decide(deployed: Stack | None, fingerprint: str) -> Decision:
    """Decide what to do with a stack whose desired state has this fingerprint."""
    if deployed is None or deployed.status is StackStatus.DELETE_COMPLETE:
        return Decision(Action.CREATE, "does not exist yet")

    status = deployed.status
    repair = repair_of(status, ours=deployed.fingerprint is not None)

    # At UPDATE_COMPLETE_CLEANUP_IN_PROGRESS the update is done: CloudFormation only removes the
    # resources that it replaced.
    is_done = repair is Repair.NONE or (repair is Repair.WAIT and status.is_good_end)
    if is_done and deployed.fingerprint == fingerprint and not deployed.outdated:
        return Decision(Action.NOTHING, "template, parameters and tags are as deployed")

    match repair:
        case Repair.NONE if deployed.fingerprint == fingerprint:
            names = ", ".join(sorted(deployed.outdated))
            return Decision(Action.UPDATE, f"Parameter Store has another value for {names}")
        case Repair.NONE:
            return Decision(Action.UPDATE, "template, parameters or tags differ")
        case Repair.WAIT:
            return Decision(Action.WAIT, f"is {status}")
        case Repair.RECREATE:
            action = Action.REPLACE
            why = "its creation failed, and CloudFormation only allows deleting it"
        case Repair.CONTINUE:
            action = Action.CONTINUE
            why = "the rollback of its last update failed"
        case Repair.EXPLAIN:
            action = Action.REFUSE
            why = deployed.reason or "it needs a person"
        case _:
            assert_never(repair)
    return Decision(action, f"is {status}: {why}")


def known_parameters(
    node: Node, inputs: Inputs, unsettled: Collection[OutputRef]
) -> dict[str, str | None]:
    """Return the node's parameters, with None for a value that is not known yet.

    An `unsettled` output is known only after another stack is done.
    """
    parameters: dict[str, str | None] = {}
    for name, value in node.parameters.items():
        is_settled = isinstance(value, str) or value not in unsettled
        parameters[name] = inputs.values.get(name) if is_settled else None
    return parameters


def find_stacks(graph: Graph, listed: Mapping[str, Mapping[str, Stack]]) -> dict[NodeId, Stack]:
    """Return the stacks of the graph that exist. `listed` are all stacks, by region and name.

    A region that could not be listed is not in `listed`.
    """
    deployed: dict[NodeId, Stack] = {}
    for node in graph.nodes.values():
        stack = listed.get(node.id.region, {}).get(node.stack_name)
        if stack is not None:
            deployed[node.id] = stack
    return deployed


def stacks_not_in_graph(
    graph: Graph, listed: Mapping[str, Mapping[str, Stack]]
) -> list[tuple[str, Stack]]:
    """Return the stacks of this project and stage that are not in the graph, with their regions.

    `listed` are all stacks, by region and name.
    """
    in_graph = {(node.id.region, node.stack_name) for node in graph.nodes.values()}
    result: list[tuple[str, Stack]] = []
    for region, stacks in listed.items():
        for name, stack in sorted(stacks.items()):
            if (region, name) not in in_graph and _belongs_to(graph, stack):
                result.append((region, stack))
    return result


def _belongs_to(graph: Graph, stack: Stack) -> bool:
    """Return whether a stack is of the graph's project and stage, by its tags or else its name."""
    # A prefix alone would not tell the stage `dev` of a project `a` from the project `a-dev`.
    if PROJECT_TAG in stack.tags:
        return (stack.tags[PROJECT_TAG], stack.tags.get(STAGE_TAG)) == (graph.project, graph.stage)
    return stack.name.startswith(f"{graph.project}-{graph.stage}-")


def make_plan(
    graph: Graph, deployed: Mapping[NodeId, Stack], unreachable: Collection[str] = ()
) -> tuple[Step, ...]:
    """Return the plan for the graph, in its order. `deployed` contains the existing stacks.

    A step whose inputs are not all known yet is planned as if its fingerprint differed. Nothing is
    planned in a region that is `unreachable`: its API does not answer.
    """
    steps: list[Step] = []
    # The stacks before a node in the graph's order that will change, and with them their outputs.
    changing: set[NodeId] = set()
    unknown = {node_id for node_id in graph.nodes if node_id.region in unreachable}
    outputs = {node_id: stack.outputs for node_id, stack in deployed.items()}
    for node in graph.nodes.values():
        if node.id.region in unreachable:
            continue
        stack = deployed.get(node.id)
        inputs = inputs_of(node, outputs, stack, unknown)
        pending = {f"{ref.node}.{ref.output}" for ref in node.references() if ref.node in changing}
        kept = tuple(sorted({f"{ref.node}.{ref.output}" for ref in inputs.kept.values()}))

        buckets = unknown_buckets(node, outputs, unknown)
        decision = decide_with(graph, node, stack, inputs, buckets, unreachable)
        steps.append(Step(node.id, decision, tuple(sorted(pending)), kept))
        if decision.action is Action.LEFT:
            unknown.add(node.id)
        elif decision.action is not Action.NOTHING:
            changing.add(node.id)
    return tuple(steps)


def decide_with(
    graph: Graph,
    node: Node,
    deployed: Stack | None,
    inputs: Inputs,
    unknown_buckets: Sequence[OutputRef],
    unreachable: Collection[str],
) -> Decision:
    """Decide what to do with a stack whose inputs may be unknown.

    `unknown_buckets` are those that its packages cannot be stored in. A stack of somebody else is
    refused in every state, unless the graph takes such stacks over.
    """
    exists = deployed is not None and deployed.status is not StackStatus.DELETE_COMPLETE
    if deployed is not None and exists and not graph.adopts and not is_ours(graph, node, deployed):
        return Decision(Action.REFUSE, f"{whose(deployed)}; --adopt takes it over")
    if inputs.unknown:
        return Decision(Action.LEFT, reason_of_unknown(inputs.unknown, unreachable))

    # No stack has the empty fingerprint, so the step is an update while an input is not known yet.
    fingerprint = ""
    if not inputs.absent:
        fingerprint = fingerprint_of(graph, node, inputs.values)
    decision = decide(deployed, fingerprint)

    if unknown_buckets and decision.action in CHANGING:
        return Decision(Action.LEFT, reason_of_unknown(unknown_buckets, unreachable))
    # The stack is created anew, and a creation has no previous values.
    if inputs.kept and decision.action is Action.REPLACE:
        return Decision(Action.LEFT, reason_of_unknown((*inputs.kept.values(),), unreachable))
    return decision


def left_for_later(
    graph: Graph,
    deployed: Mapping[NodeId, Stack],
    chosen: Callable[[NodeId], bool],
    unreachable: Collection[str] = (),
) -> frozenset[NodeId]:
    """Return the chosen nodes that need a node which is not chosen and not as desired.

    The need may be direct or through other nodes. The nodes of an `unreachable` region count as
    desired.
    """
    not_as_desired: set[NodeId] = set()
    for step in make_plan(graph, deployed, unreachable):
        if step.decision.action is not Action.NOTHING:
            not_as_desired.add(step.node)

    later: set[NodeId] = set()
    # In the graph's order a node comes after those that it needs, so one pass is enough.
    for node in graph.nodes.values():
        for need in node.needs:
            if need in later or (need in not_as_desired and not chosen(need)):
                later.add(node.id)
    return frozenset(filter(chosen, later))
