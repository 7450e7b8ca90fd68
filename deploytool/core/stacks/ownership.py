"""Whose a stack is: the tags that say so, and what is refused to a stack of somebody else. Pure.

A stack's name does not tell: the name hello-dev-api is that of stack `api` of stage `dev` of the
project `hello`, and anybody can use it. An update of somebody else's stack would delete its
resources, which are not in our template.
"""

from collections.abc import Mapping

from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.stacks.stack import Stack, StackStatus

# The first three tags tell to which project, stage and stack of the graph a deployed stack belongs.
# The last one is not part of the desired state.
PROJECT_TAG = "deploytool:project"
STAGE_TAG = "deploytool:stage"
STACK_TAG = "deploytool:stack"
COMMIT_TAG = "deploytool:commit"


def own_tags(graph: Graph, node: Node) -> dict[str, str]:
    """Return the tags that say whose a stack is."""
    return {PROJECT_TAG: graph.project, STAGE_TAG: graph.stage, STACK_TAG: node.id.stack}


def tags_of(graph: Graph, node: Node) -> dict[str, str]:
    """Return the tags of a stack, without that of the commit."""
    return {**graph.tags, **own_tags(graph, node)}


def is_ours(graph: Graph, node: Node, stack: Stack) -> bool:
    """Return whether a deployed stack was made, or taken over, as this node of the graph."""
    return own_tags(graph, node).items() <= stack.tags.items()


def ours_of(graph: Graph, deployed: Mapping[NodeId, Stack]) -> dict[NodeId, Stack]:
    """Return those of the deployed stacks that are of the graph not only by their names."""
    return {
        node_id: stack
        for node_id, stack in deployed.items()
        if is_ours(graph, graph.nodes[node_id], stack)
    }


def foreign_of(graph: Graph, deployed: Mapping[NodeId, Stack]) -> dict[NodeId, Stack]:
    """Return the stacks of somebody else that have the name of a stack of the graph."""
    foreign: dict[NodeId, Stack] = {}
    for node_id, stack in deployed.items():
        node = graph.nodes.get(node_id)
        if node is None or stack.status is StackStatus.DELETE_COMPLETE:
            continue
        if not is_ours(graph, node, stack):
            foreign[node_id] = stack
    return foreign


def whose(stack: Stack) -> str:
    """Return whose a stack is that is not ours, as far as its tags tell."""
    if PROJECT_TAG not in stack.tags:
        return "was not made by deploytool: it has no tag deploytool:project"
    owner = [stack.tags.get(tag, "?") for tag in (PROJECT_TAG, STAGE_TAG, STACK_TAG)]
    return f"is stack {owner[2]} of stage {owner[1]} of the project {owner[0]}"


def refusal_of_foreign(
    graph: Graph, deployed: Mapping[NodeId, Stack], *, hint: str
) -> DeploytoolError | None:
    """Return why nothing is deployed while a stack of the graph is somebody else's, or None.

    With `adopts` the graph takes such stacks over.
    """
    foreign = foreign_of(graph, deployed)
    if not foreign or graph.adopts:
        return None

    lines = [describe_foreign(node_id, stack) for node_id, stack in sorted(foreign.items())]
    message = "\n".join(["nothing was changed: the name of a stack is in use", *lines])
    return DeploytoolError(message, hint=hint)


def describe_foreign(node_id: NodeId, stack: Stack) -> str:
    """Return a line about a stack that is not ours."""
    return f"{stack.name} in {node_id.region} {whose(stack)}"
