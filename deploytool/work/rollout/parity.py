"""Compares what is deployed in the two regions: stacks by what the run knows, functions and APIs by
asking.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.service.ports import ApiDefinitions, FunctionCode, Mappings
from deploytool.core.stacks.parity import (
    Difference,
    Parity,
    api_differences,
    differing,
    stack_differences,
)
from deploytool.core.stacks.plan import Action, value_of
from deploytool.core.stacks.rollout import Endpoint, paired
from deploytool.core.stacks.stack import Stack
from deploytool.work.stacks.operations import Outcome

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class ParityPorts:
    """What comparing needs of a target."""

    functions: FunctionCode
    mappings: Mappings
    apis: ApiDefinitions


def compare(
    graph: Graph,
    endpoint: Endpoint,
    before: Mapping[NodeId, Stack],
    outcome: Outcome,
    ports: Callable[[], ParityPorts],
) -> Parity | None:
    """How the regions compare after a run; None when it changed nothing, or one region has nothing
    yet.

    `before` are the stacks that were there when it began. What cannot be read is said, and fails
    nothing: the deployment is done.
    """
    there = {
        node.region
        for node in paired(graph)
        if node in before or outcome.done.get(node) == Action.CREATE
    }
    if not {Action.CREATE, Action.UPDATE}.intersection(outcome.done.values()) or there < set(
        graph.regions
    ):
        return None
    outputs = {**{node: stack.outputs for node, stack in before.items()}, **outcome.outputs}
    comparing = _Comparing(graph, endpoint, ports())
    stacks = stack_differences(graph, before, outcome.done, outputs)
    return Parity(
        (*stacks, *comparing.functions(outputs), *comparing.apis()), tuple(comparing.unknown)
    )


class _Comparing:
    """Asks each region; a refusal goes to `unknown`."""

    def __init__(self, graph: Graph, endpoint: Endpoint, ports: ParityPorts) -> None:
        self.graph, self.endpoint, self.ports = graph, endpoint, ports
        self.unknown: list[str] = []

    def functions(self, outputs: Mapping[NodeId, Mapping[str, str]]) -> tuple[Difference, ...]:
        named = self.graph.regional_service.get("function", {})
        hashes = self._each(
            lambda region: self.ports.functions.code_hash(region, value_of(named[region], outputs)),
            named,
        )
        return differing(
            "function code",
            "CodeSha256",
            {region: f"has {found[:12]}" for region, found in hashes.items()},
        )

    def apis(self) -> tuple[Difference, ...]:
        """By what each region's own name is mapped to: that is what is on air."""
        named = self.graph.regional_service.get("rest_api", {})
        exports = self._each(self._definition, named)
        names = {region: (region, rest_api_id) for region, (rest_api_id, _) in exports.items()}
        return tuple(
            api_differences({region: found for region, (_, found) in exports.items()}, names)
        )

    def _definition(self, region: str) -> tuple[str, Mapping[str, Any]]:
        domain = self.endpoint.regional_domains[region]
        mapping = next(iter(self.ports.mappings.of(region, domain)), None)
        if mapping is None:
            raise DeploytoolError(f"{domain} is mapped to no API")
        return mapping.rest_api_id, self.ports.apis.definition(
            region, mapping.rest_api_id, mapping.stage
        )

    def _each(self, ask: Callable[[str], Answer], named: Mapping[str, object]) -> dict[str, Answer]:
        """What every region answers; nothing when one of them does not, as there is nothing to
        compare then.
        """
        found: dict[str, Answer] = {}
        for region in self.graph.regions if named.keys() >= set(self.graph.regions) else ():
            try:
                found[region] = ask(region)
            except DeploytoolError as error:
                self.unknown.append(str(error))
                return {}
        return found
