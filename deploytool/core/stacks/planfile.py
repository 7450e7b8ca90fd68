"""The plan file: a plan with the state that it is based on. Pure.

A deployment with a plan file compares that state with the current one, and refuses to run when they
differ.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.project.template import digest, without_description
from deploytool.core.stacks.ownership import tags_of
from deploytool.core.stacks.stack import Stack

# The names of the file's keys are part of its format: a change needs another version.
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class StackState:
    """The state of one stack when the plan was made.

    `stack_id`, `changed_at` and `fingerprint` are of the deployed stack, and empty when there is
    none. `desired` is a digest of the template, the parameters, the code and the tags. In it, a
    reference counts by its name, so the digest is known before any other stack is deployed.
    """

    stack_id: str
    changed_at: str
    fingerprint: str
    desired: str


@dataclass(frozen=True)
class PlanBasis:
    """The state of all stacks that a plan is based on."""

    project: str
    stage: str
    target: str
    stacks: Mapping[NodeId, StackState]

    @property
    def digest(self) -> str:
        """A digest of the project, the stage, the target and the state of all stacks."""
        return digest([self.project, self.stage, self.target, _stacks_document(self)])


def plan_basis(graph: Graph, target: str, deployed: Mapping[NodeId, Stack]) -> PlanBasis:
    """Return the current state as the basis of a plan."""
    stacks: dict[NodeId, StackState] = {}
    for node in graph.nodes.values():
        desired = _desired_digest(graph, node)
        stack = deployed.get(node.id)
        if stack is None:
            stacks[node.id] = StackState("", "", "", desired)
        else:
            fingerprint = stack.fingerprint or ""
            stacks[node.id] = StackState(stack.id, stack.changed_at, fingerprint, desired)
    return PlanBasis(graph.project, graph.stage, target, stacks)


def _desired_digest(graph: Graph, node: Node) -> str:
    # A reference is a list, which is never equal to the value of a parameter: that is a text.
    parameters: dict[str, str | list[str]] = {}
    for name, value in node.parameters.items():
        parameters[name] = value if isinstance(value, str) else [str(value.node), value.output]
    return digest([without_description(node.document), parameters, tags_of(graph, node)])


def changes_since(planned: PlanBasis, now: PlanBasis) -> list[str]:
    """Return what changed since the plan was made, one line for each change."""
    lines: list[str] = []
    for node in sorted({*planned.stacks, *now.stacks}):
        before = planned.stacks.get(node)
        after = now.stacks.get(node)
        if before is None:
            lines.append(f"{node}: was not in the graph yet")
        elif after is None:
            lines.append(f"{node}: is no longer in the graph")
        else:
            lines += [f"{node}: {change}" for change in _stack_changes(before, after)]
    return lines


def _stack_changes(before: StackState, after: StackState) -> list[str]:
    changes: list[str] = []
    # One line tells what happened to the deployed stack, and another what changed in the project.
    if not before.stack_id and after.stack_id:
        changes.append("exists now; it did not when the plan was made")
    elif before.stack_id and not after.stack_id:
        changes.append("does not exist any more")
    elif before.stack_id != after.stack_id:
        changes.append("is another stack now, deleted and created anew")
    elif (before.changed_at, before.fingerprint) != (after.changed_at, after.fingerprint):
        changes.append(
            f"was changed at {after.changed_at}; the plan is based on its state of "
            f"{before.changed_at}"
        )
    if before.desired != after.desired:
        changes.append("its template, settings or code changed since the plan")
    return changes


def write_plan_file(basis: PlanBasis, plan: Mapping[str, Any]) -> str:
    """Return the text of a plan file. `plan` is the plan for people to read."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "project": basis.project,
        "stage": basis.stage,
        "target": basis.target,
        "digest": basis.digest,
        "world": _stacks_document(basis),
        "plan": plan,
    }
    return json.dumps(document, indent=2) + "\n"


def _stacks_document(basis: PlanBasis) -> list[dict[str, str]]:
    return [
        {
            "stack": node.stack,
            "region": node.region,
            "id": state.stack_id,
            "changed_at": state.changed_at,
            "fingerprint": state.fingerprint,
            "desired": state.desired,
        }
        for node, state in sorted(basis.stacks.items())
    ]


def read_plan_file(text: str, file: str) -> PlanBasis:
    """Return the state that a plan file is based on.

    Raises InputError when the text is not a plan file of this version, or was altered.
    """
    try:
        document = json.loads(text)
        version = document["schema_version"]
        digest_in_file = document["digest"]
        basis = _read_basis(document)
    # The file may contain any JSON: a missing key, a list in place of an object and so on.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"is not a plan file ({type(error).__name__}: {error})"
        raise _problem(file, "", message) from error

    if version != SCHEMA_VERSION:
        message = f"is {version}; this deploytool reads {SCHEMA_VERSION}"
        raise _problem(file, "schema_version", message)
    if digest_in_file != basis.digest:
        raise _problem(file, "digest", "does not match the content: the file was altered")
    return basis


def _read_basis(document: Mapping[str, Any]) -> PlanBasis:
    stacks: dict[NodeId, StackState] = {}
    for entry in document["world"]:
        node = NodeId(_text(entry, "stack"), _text(entry, "region"))
        stacks[node] = StackState(
            _text(entry, "id"),
            _text(entry, "changed_at"),
            _text(entry, "fingerprint"),
            _text(entry, "desired"),
        )
    return PlanBasis(
        _text(document, "project"), _text(document, "stage"), _text(document, "target"), stacks
    )


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def _problem(file: str, key: str, message: str) -> InputError:
    return InputError(
        [InputProblem(file, key, message)], hint="make a new one: deploytool plan --out FILE"
    )
