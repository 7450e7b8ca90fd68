"""Parity: whether both regions have the same stacks, code and APIs deployed. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.project.template import digest
from deploytool.core.stacks.plan import Action, fingerprint_of, resolve
from deploytool.core.stacks.rollout import paired
from deploytool.core.stacks.stack import Stack

Outputs = Mapping[NodeId, Mapping[str, str]]

AS_DESIRED = "as desired"
DIFFERENT = "with another template, parameters or tags"
MISSING = "does not exist"

# After one of these actions a stack is as desired.
_DONE = (Action.CREATE, Action.UPDATE, Action.NOTHING)

# A member of an exported integration. Its default is the id of the resource, which differs in each
# region (API Gateway API reference, PutIntegration).
_CACHE_NAMESPACE = "cacheNamespace"

# Members of an exported API that tell when and where it was deployed.
_NOT_COMPARED = {"info", "servers", "openapi"}


@dataclass(frozen=True)
class Difference:
    """One thing that differs between the regions: its kind, its name and its state by region."""

    kind: str
    name: str
    regions: Mapping[str, str]

    def __str__(self) -> str:
        states = ", ".join(f"{region} {state}" for region, state in self.regions.items())
        return f"{self.kind} {self.name}: {states}"


@dataclass(frozen=True)
class Parity:
    """The result of the comparison. `unknown` tells what could not be compared, and why."""

    differences: tuple[Difference, ...]
    unknown: tuple[str, ...] = ()

    @property
    def same(self) -> bool | None:
        """False if there is a difference, None if there may be one, else True."""
        if self.differences:
            return False
        if self.unknown:
            return None
        return True


def differing(kind: str, name: str, regions: Mapping[str, str]) -> tuple[Difference, ...]:
    """Return the difference between the states by region, or nothing when they are equal."""
    if len(set(regions.values())) > 1:
        return (Difference(kind, name, regions),)
    return ()


def stack_differences(
    graph: Graph, before: Mapping[NodeId, Stack], done: Mapping[NodeId, str], outputs: Outputs
) -> Iterator[Difference]:
    """Find the stacks that are as desired in one region only.

    `before` are the stacks that existed when the run started, `done` the action on each. The desired
    template is the same in both regions, except for settings with a value for each region. The
    fingerprint tells what CloudFormation has.
    """
    for name in sorted({node.stack for node in paired(graph)}):
        states: dict[str, str] = {}
        for region in graph.regions:
            states[region] = _state(graph, NodeId(name, region), before, done, outputs)
        yield from differing("stack", name, states)


def _state(
    graph: Graph,
    node_id: NodeId,
    before: Mapping[NodeId, Stack],
    done: Mapping[NodeId, str],
    outputs: Outputs,
) -> str:
    # `before` is older than what this run did.
    if done.get(node_id) in _DONE:
        return AS_DESIRED
    if node_id not in before:
        return MISSING
    desired = _desired_fingerprint(graph, graph.nodes[node_id], outputs)
    return AS_DESIRED if before[node_id].fingerprint == desired else DIFFERENT


def _desired_fingerprint(graph: Graph, node: Node, outputs: Outputs) -> str | None:
    """Return the fingerprint of the desired state, or None when an input is not known."""
    for reference in node.references():
        if reference.output not in outputs.get(reference.node, {}):
            return None
    return fingerprint_of(graph, node, resolve(node, outputs))


def api_differences(
    definitions: Mapping[str, Mapping[str, Any]], names: Mapping[str, tuple[str, ...]]
) -> Iterator[Difference]:
    """Find the parts of the regions' exported APIs that differ. Each path is a part.

    `definitions` are OpenAPI 3.0 with API Gateway's extensions, by region. `names` are the texts in
    each that belong to its region, such as its name and the id of its API. Names at the same
    position count as equal. When and where an API was deployed and ids that API Gateway assigns are
    not compared.
    """
    parts = {
        region: _parts_as_text(definition, names[region])
        for region, definition in definitions.items()
    }
    for part in sorted(set().union(*parts.values())):
        states: dict[str, str] = {}
        for region, texts in parts.items():
            states[region] = f"as {digest(texts[part])[:8]}" if part in texts else MISSING
        yield from differing("API", part, states)


def _parts_as_text(definition: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return the parts of a definition as JSON, with the names replaced by their positions."""
    parts = {key: value for key, value in definition.items() if key not in _NOT_COMPARED}
    # The document contains all paths in one member. Each of them becomes a part.
    paths = parts.pop("paths", {})
    parts.update(paths)

    texts: dict[str, str] = {}
    for part, value in parts.items():
        text = json.dumps(_without(value, _CACHE_NAMESPACE), sort_keys=True)
        for position, name in enumerate(names):
            text = text.replace(name, f"<{position}>")
        texts[part] = text
    return texts


def _without(value: Any, key: str) -> Any:  # noqa: ANN401  # any JSON
    """Return a JSON value without the members of this name."""
    match value:
        case dict():
            return {name: _without(member, key) for name, member in value.items() if name != key}
        case list():
            return [_without(item, key) for item in value]
    return value
