"""Whether the values that stacks took from Parameter Store are still the same.

A parameter of a type AWS::SSM::Parameter::Value<...> is the name of a value. CloudFormation takes the
value at each creation and update, and shows it as `ResolvedValue` (API reference of Parameter). A
change of the stored value changes no template and no parameter, so it is looked for here; an update
with the same template then brings it in (aws-cdk issue 8888). A dynamic reference
({{resolve:ssm:...}}) shows no value, and CloudFormation finds no change in it (coverage-roadmap
issue 844).
"""

from collections.abc import Mapping
from dataclasses import replace

from deploytool.core.errors import ApiUnavailable, CloudRefused
from deploytool.core.ports import Executor
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.outage import Found
from deploytool.core.stacks.ports import StoredValues
from deploytool.core.stacks.stack import Stack
from deploytool.work.stacks.hooks import DeployHooks
from deploytool.work.tasks import for_each


def with_stored_values(
    graph: Graph, found: Found, values: StoredValues, executor: Executor
) -> Found:
    """Return what was found, in which each stack knows which of its stored values are outdated.

    Each region is asked once, and only when one of its stacks has such a parameter.
    """
    names: dict[str, set[str]] = {}
    for node_id, stack in found.deployed.items():
        if node_id in graph.nodes and stack.resolved:
            names.setdefault(node_id.region, set()).update(_stored_names(stack).values())
    if not names:
        return found

    def read(region: str) -> Mapping[str, str] | str:
        try:
            return values.read(region, sorted(names[region]))
        except (CloudRefused, ApiUnavailable) as error:
            return str(error)

    answers = for_each(executor, read, sorted(names))
    deployed: dict[NodeId, Stack] = {}
    for node_id, stack in found.deployed.items():
        answer = answers.get(node_id.region)
        if answer is None or node_id not in graph.nodes or not stack.resolved:
            deployed[node_id] = stack
        else:
            deployed[node_id] = _compared(stack, answer)
    return replace(found, deployed=deployed)


def _stored_names(stack: Stack) -> dict[str, str]:
    """Return the name in Parameter Store of each parameter that takes its value from there."""
    return {name: stack.parameters[name] for name in stack.resolved if name in stack.parameters}


def _compared(stack: Stack, answer: Mapping[str, str] | str) -> Stack:
    """Return the stack with what differs from the stored values, or why that is not known."""
    names = _stored_names(stack)
    if isinstance(answer, str):
        return replace(stack, unread=f"{', '.join(sorted(names.values()))}: {answer}")

    missing = sorted(name for name in names.values() if name not in answer)
    outdated = [
        parameter
        for parameter, name in names.items()
        if name in answer and answer[name] != stack.resolved[parameter]
    ]
    unread = f"{', '.join(missing)}: there is no such parameter" if missing else ""
    return replace(stack, outdated=frozenset(outdated), unread=unread)


class UnreadValues(DeployHooks):
    """Keeps what is not known of stored values, to say it at the end of a deployment."""

    def __init__(self) -> None:
        self.lines: tuple[str, ...] = ()

    def stacks_found(self, deployed: Mapping[NodeId, Stack]) -> None:
        """Keep a line for each stack with a value that could not be read."""
        self.lines = unread_lines(deployed)


def unread_lines(deployed: Mapping[NodeId, Stack]) -> tuple[str, ...]:
    """Return a line for each stack of which it is not known whether a stored value has changed."""
    return tuple(
        f"whether a value of {node_id} in Parameter Store has changed is not known: {stack.unread}"
        for node_id, stack in sorted(deployed.items())
        if stack.unread
    )
