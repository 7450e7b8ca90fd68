"""The comparison of what is deployed in the two regions, after a deployment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.service.ports import ApiDefinitions, FunctionCode, HttpApis, Mappings
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

Result = TypeVar("Result")


@dataclass(frozen=True)
class ParityPorts:
    """What a comparison needs of a target."""

    functions: FunctionCode
    mappings: Mappings
    apis: ApiDefinitions
    http_apis: HttpApis


def compare(
    graph: Graph,
    endpoint: Endpoint,
    before: Mapping[NodeId, Stack],
    outcome: Outcome,
    make_ports: Callable[[], ParityPorts],
) -> Parity | None:
    """Compare the regions after a run.

    `before` are the stacks that existed when it started. Return None when the run changed nothing,
    or a region has no stack yet. What cannot be read is reported in the result and is not an error,
    because the deployment is done; of a region whose API does not answer that is everything.
    """
    # us-east-1's API may be dead where neither region is us-east-1: a comparison does without it.
    unread = [region for region in outcome.unreachable if region in graph.regions]
    if _has_changed(outcome) and unread:
        return Parity((), tuple(_not_compared(region) for region in unread))
    if not _has_changed(outcome) or not _all_regions_have_stacks(graph, before, outcome):
        return None

    outputs = {node: stack.outputs for node, stack in before.items()}
    outputs.update(outcome.outputs)
    comparison = _Comparison(graph, endpoint, make_ports())
    differences = [
        *stack_differences(graph, before, outcome.done, outputs),
        *comparison.functions(outputs),
        *comparison.apis(),
    ]
    return Parity(tuple(differences), tuple(comparison.unknown))


def _not_compared(region: str) -> str:
    return f"the API of {region} does not answer"


def _has_changed(outcome: Outcome) -> bool:
    return not {Action.CREATE, Action.UPDATE}.isdisjoint(outcome.done.values())


def _all_regions_have_stacks(
    graph: Graph, before: Mapping[NodeId, Stack], outcome: Outcome
) -> bool:
    regions: set[str] = set()
    for node in paired(graph):
        if node in before or outcome.done.get(node) == Action.CREATE:
            regions.add(node.region)
    return regions == set(graph.regions)


class _Comparison:
    """Reads what each region has. What cannot be read goes to `unknown`."""

    def __init__(self, graph: Graph, endpoint: Endpoint, ports: ParityPorts) -> None:
        self.graph = graph
        self.endpoint = endpoint
        self.ports = ports
        self.unknown: list[str] = []

    def functions(self, outputs: Mapping[NodeId, Mapping[str, str]]) -> tuple[Difference, ...]:
        """Compare the code of the functions."""
        functions = self.graph.regional_service.get("function", {})

        def code_hash(region: str) -> str:
            return self.ports.functions.code_hash(region, value_of(functions[region], outputs))

        hashes = self._read_regions(functions, code_hash)
        states = {region: f"has {code_hash[:12]}" for region, code_hash in hashes.items()}
        return differing("function code", "CodeSha256", states)

    def apis(self) -> tuple[Difference, ...]:
        """Compare the APIs that the regions' own names are mapped to: those that clients reach."""
        rest_apis = self.graph.regional_service.get("rest_api", {})
        http_apis = self.graph.regional_service.get("http_api", {})
        exports = self._read_regions(rest_apis, self._export)
        exports |= self._read_regions(http_apis, self._http_definition)

        definitions: dict[str, Mapping[str, Any]] = {}
        names: dict[str, tuple[str, ...]] = {}
        for region, (rest_api_id, definition) in exports.items():
            definitions[region] = definition
            names[region] = (region, rest_api_id)
        return tuple(api_differences(definitions, names))

    def _export(self, region: str) -> tuple[str, Mapping[str, Any]]:
        """Return the id and the definition of the API that a region's own name is mapped to."""
        domain = self.endpoint.regional_domains[region]
        mappings = self.ports.mappings.of(region, domain)
        if not mappings:
            raise DeploytoolError(f"{domain} is mapped to no API")
        mapping = mappings[0]
        definition = self.ports.apis.definition(region, mapping.rest_api_id, mapping.stage)
        return mapping.rest_api_id, definition

    def _http_definition(self, region: str) -> tuple[str, Mapping[str, Any]]:
        """Return the id and the definition of the HTTP API behind a region's own name."""
        domain = self.endpoint.regional_domains[region]
        found = self.ports.http_apis.definition(region, domain)
        return found.api_id, found.document

    def _read_regions(
        self, values: Mapping[str, object], read: Callable[[str], Result]
    ) -> dict[str, Result]:
        """Read from every region; return nothing when one has no value or cannot be read."""
        if not values.keys() >= set(self.graph.regions):
            return {}
        results: dict[str, Result] = {}
        for region in self.graph.regions:
            try:
                results[region] = read(region)
            except DeploytoolError as error:
                # With one region alone there is nothing to compare.
                self.unknown.append(str(error))
                return {}
        return results
