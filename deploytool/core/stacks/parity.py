"""Whether two regions have the same deployed: their stacks, their functions' code, their APIs.
Pure.
"""

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
AS_WANTED, OTHERWISE, MISSING = (
    "as wanted",
    "with another template, parameters or tags",
    "not there",
)
# By default the id of the resource (API Gateway API reference, PutIntegration)
OWN = "cacheNamespace"
_SETTLED = (Action.CREATE, Action.UPDATE, Action.NOTHING)


@dataclass(frozen=True)
class Difference:
    """One thing in which the regions differ: `what` kind of thing, its `name`, and how it is in
    each region.
    """

    what: str
    name: str
    regions: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.what} {self.name}: " + ", ".join(
            f"{region} {how}" for region, how in self.regions.items()
        )


@dataclass(frozen=True)
class Parity:
    """How the regions compare. `unknown` says what could not be compared, and why."""

    differences: tuple[Difference, ...]
    unknown: tuple[str, ...] = ()

    @property
    def same(self) -> bool | None:
        """None when no difference is known and not everything could be compared."""
        return False if self.differences else (None if self.unknown else True)


def differing(what: str, name: str, regions: Mapping[str, str]) -> tuple[Difference, ...]:
    """The difference, where there is one."""
    return (Difference(what, name, regions),) if len(set(regions.values())) > 1 else ()


def stack_differences(
    graph: Graph, before: Mapping[NodeId, Stack], done: Mapping[NodeId, str], outputs: Outputs
) -> Iterable[Difference]:
    """Stacks that one region has as this graph wants them and the other has not.

    `before` are the stacks that were there when the run began, `done` what was done with each. The
    wanted template is the same in both regions but for the settings given a value a region; what
    CloudFormation was given is known by its fingerprint.
    """
    for name in sorted({node.stack for node in paired(graph)}):
        regions = {
            region: _state(graph, NodeId(name, region), before, done, outputs)
            for region in graph.regions
        }
        yield from differing("stack", name, regions)


def _state(
    graph: Graph,
    node_id: NodeId,
    before: Mapping[NodeId, Stack],
    done: Mapping[NodeId, str],
    outputs: Outputs,
) -> str:
    if done.get(node_id) in _SETTLED:
        return AS_WANTED
    if node_id not in before:
        return MISSING
    return (
        AS_WANTED
        if before[node_id].fingerprint == _wanted(graph, graph.nodes[node_id], outputs)
        else OTHERWISE
    )


def _wanted(graph: Graph, node: Node, outputs: Outputs) -> str | None:
    """The fingerprint that it shall have; None while an input is not known."""
    known = all(ref.output in outputs.get(ref.node, {}) for ref in node.references())
    return fingerprint_of(graph, node, resolve(node, outputs)) if known else None


def api_differences(
    definitions: Mapping[str, Mapping[str, Any]], names: Mapping[str, tuple[str, ...]]
) -> Iterator[Difference]:
    """Paths that the regions' exported APIs (OpenAPI 3.0 with API Gateway's extensions) define
    differently.

    `names` are each region's own: its name, its API's id. In the definitions they stand for one
    another; when and where it was deployed (`info`, `servers`) and ids that API Gateway gives are
    no part of them.
    """
    texts = {
        region: _texts(definition, names[region]) for region, definition in definitions.items()
    }
    for part in sorted({part for each in texts.values() for part in each}):
        found = {
            region: f"as {digest(each[part])[:8]}" if part in each else MISSING
            for region, each in texts.items()
        }
        yield from differing("API", part, found)


def _texts(definition: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """A definition by its parts, each path being one."""
    parts = {
        key: value
        for key, value in definition.items()
        if key not in ("info", "servers", "paths", "openapi")
    }
    parts |= definition.get("paths", {})
    found = {}
    for part, value in parts.items():
        text = json.dumps(_without(value, OWN), sort_keys=True)
        for number, name in enumerate(names):
            text = text.replace(name, f"<{number}>")
        found[part] = text
    return found


def _without(value: Any, key: str) -> Any:  # noqa: ANN401  # any JSON
    match value:
        case dict():
            return {name: _without(each, key) for name, each in value.items() if name != key}
        case list():
            return [_without(each, key) for each in value]
    return value
