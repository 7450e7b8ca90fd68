"""A plan kept in a file, with the world that it rests on: a deployment by it refuses to run when
that has moved. Pure.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.errors import InputError, InputProblem
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.project.template import digest, without_words
from deploytool.core.stacks.plan import tags_of
from deploytool.core.stacks.stack import Stack

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Seen:
    """One stack at one time: as deployed (empty where it is not) and, in `desired`, as it is
    wanted.

    `desired` covers the template, the parameters with references by name, the code and the tags, so
    it is known before any other stack is deployed.
    """

    stack_id: str
    changed_at: str
    fingerprint: str
    desired: str


@dataclass(frozen=True)
class World:
    """Everything that a plan rests on."""

    project: str
    stage: str
    target: str
    stacks: Mapping[NodeId, Seen]

    @property
    def digest(self) -> str:
        """Identifies this world."""
        return digest([self.project, self.stage, self.target, _stacks_document(self)])


def world_of(graph: Graph, target: str, deployed: Mapping[NodeId, Stack]) -> World:
    """The world now."""
    stacks = {}
    for node in graph.nodes.values():
        stack, desired = deployed.get(node.id), _desired(graph, node)
        stacks[node.id] = (
            Seen(stack.id, stack.changed_at, stack.fingerprint or "", desired)
            if stack
            else Seen("", "", "", desired)
        )
    return World(graph.project, graph.stage, target, stacks)


def _desired(graph: Graph, node: Node) -> str:
    parameters = {
        name: value if isinstance(value, str) else [str(value.node), value.output]
        for name, value in node.parameters.items()
    }
    return digest([without_words(node.document), parameters, tags_of(graph, node)])


def moved(planned: World, now: World) -> list[str]:
    """What is no longer as it was when the plan was made, a line each; empty when nothing moved."""
    found = []
    for node in sorted({*planned.stacks, *now.stacks}):
        then, here = planned.stacks.get(node), now.stacks.get(node)
        if then is None or here is None:
            found.append(
                f"{node}: {'was not in the graph yet' if then is None else 'is no longer in the graph'}"
            )
            continue
        if then.stack_id != here.stack_id:
            found.append(f"{node}: {_existence(then, here)}")
        elif (then.changed_at, then.fingerprint) != (here.changed_at, here.fingerprint):
            found.append(
                f"{node}: was changed at {here.changed_at}; the plan saw it as of {then.changed_at}"
            )
        if then.desired != here.desired:
            found.append(f"{node}: its template, settings or code changed since the plan")
    return found


def _existence(then: Seen, here: Seen) -> str:
    if not then.stack_id:
        return "exists now; it did not when the plan was made"
    return (
        "is another stack now, deleted and created anew"
        if here.stack_id
        else "does not exist any more"
    )


def _stacks_document(world: World) -> list[dict[str, str]]:
    return [
        {
            "stack": node.stack,
            "region": node.region,
            "id": seen.stack_id,
            "changed_at": seen.changed_at,
            "fingerprint": seen.fingerprint,
            "desired": seen.desired,
        }
        for node, seen in sorted(world.stacks.items())
    ]


def write_plan_file(world: World, plan: Mapping[str, Any]) -> str:
    """The plan file's text: the plan as people read it, and the world that it rests on."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "project": world.project,
        "stage": world.stage,
        "target": world.target,
        "digest": world.digest,
        "world": _stacks_document(world),
        "plan": plan,
    }
    return json.dumps(document, indent=2) + "\n"


def read_plan_file(text: str, file: str) -> World:
    """The world that a plan file rests on. Raises InputError when the text is no plan file of ours
    or was altered.
    """

    def fault(key: str, message: str) -> InputError:
        return InputError(
            [InputProblem(file, key, message)], hint="make it anew: deploytool plan --out FILE"
        )

    try:
        document = json.loads(text)
        version = document["schema_version"]
        stacks = {
            NodeId(each["stack"], each["region"]): Seen(
                each["id"], each["changed_at"], each["fingerprint"], each["desired"]
            )
            for each in document["world"]
        }
        world = World(document["project"], document["stage"], document["target"], stacks)
        said = document["digest"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise fault("", f"is not a plan file ({type(error).__name__}: {error})") from error
    if version != SCHEMA_VERSION:
        raise fault("schema_version", f"is {version}; this deploytool reads {SCHEMA_VERSION}")
    if said != world.digest:
        raise fault("digest", "does not fit its content: the file was altered")
    return world
