"""The comparison after a run: when it is made, what it reads, and what happens on a refusal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploytool.core.errors import CloudRefused
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.service.ports import ApiDefinition, ApiMapping
from deploytool.core.stacks.parity import Parity
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.rollout import Endpoint
from deploytool.work.rollout.parity import ParityPorts, compare
from deploytool.work.stacks.operations import Outcome

EAST, WEST = REGIONS = ("us-east-1", "us-west-2")
ENDPOINT = Endpoint(
    "dev.example.com", "/v1", {region: f"{region}.dev.example.com" for region in REGIONS}
)
GRAPH = """
stacks:
  api: {template: t.yaml, scope: regional}
service:
  function: {output: api.Out}
  rest_api: {output: api.Out}
"""


@dataclass
class Cloud:
    """Functions, mappings and APIs of both regions."""

    hashes: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(REGIONS, "h"))
    refused: str = ""
    read: list[str] = field(default_factory=list)

    def code_hash(self, region: str, name: str) -> str:
        self.read.append(name)
        if region == self.refused:
            raise CloudRefused("not authorized to perform: lambda:GetFunctionConfiguration")
        return self.hashes[region]

    def of(self, region: str, domain: str) -> Sequence[ApiMapping]:
        assert domain.startswith(region)
        return [ApiMapping("(none)", f"api-of-{region}", "dev")]

    def definition(self, region: str, rest_api_id: str, stage: str) -> Mapping[str, Any]:
        assert (rest_api_id, stage) == (f"api-of-{region}", "dev")
        return {"paths": {"/v1": {"uri": region}}}


@dataclass
class HttpApis:
    """The HTTP APIs of both regions. `more` are paths that one region has in addition."""

    more: Mapping[str, Any] = field(default_factory=dict)

    def definition(self, region: str, domain: str) -> ApiDefinition:
        assert domain == f"{region}.dev.example.com"
        uri = f"https://{region}.backend.example.com/api-of-{region}"
        paths = {"ANY /v1": {"uri": uri}, **(self.more if region == WEST else {})}
        return ApiDefinition(f"api-of-{region}", {"paths": paths})


def compared(
    graph: Graph, cloud: Cloud, *actions: str, http_apis: HttpApis | None = None
) -> Parity | None:
    """Compare after these actions, one for each region in turn."""
    nodes = [NodeId("api", region) for region in REGIONS]
    done = {node: action for node, action in zip(nodes, actions, strict=False) if action}
    outcome = Outcome(done=done, outputs={node: {"Out": f"f-{node.region}"} for node in nodes})
    port: Any = cloud
    http: Any = http_apis or HttpApis()
    return compare(graph, ENDPOINT, {}, outcome, lambda: ParityPorts(port, port, port, http))


def test_the_regions_are_compared_when_something_was_changed(
    graph_of: Callable[..., Graph],
) -> None:
    """It reads each region's own function, and the API that its own name is mapped to."""
    cloud = Cloud()
    assert compared(graph_of(graph=GRAPH), cloud, Action.CREATE, Action.CREATE) == Parity(())
    assert cloud.read == [f"f-{region}" for region in REGIONS]


def test_http_apis_are_compared_too(graph_of: Callable[..., Graph]) -> None:
    """Region and id count as equal; a route of one region is a difference."""
    graph = graph_of(graph=GRAPH.replace("rest_api", "http_api"))
    changed = (Action.CREATE, Action.CREATE)
    assert compared(graph, Cloud(), *changed) == Parity(())

    parity = compared(graph, Cloud(), *changed, http_apis=HttpApis({"GET /v2": {"uri": "x"}}))
    assert parity is not None
    [difference] = parity.differences
    assert (difference.kind, difference.name) == ("API", "GET /v2")


def test_nothing_is_read_when_nothing_changed_or_a_region_has_nothing(
    graph_of: Callable[..., Graph],
) -> None:
    """There is no call and no result."""
    cloud = Cloud()
    assert compared(graph_of(graph=GRAPH), cloud, Action.NOTHING, Action.NOTHING) is None
    assert compared(graph_of(graph=GRAPH), cloud, Action.CREATE) is None
    assert not cloud.read


def test_nothing_is_read_while_the_api_of_a_region_does_not_answer(
    graph_of: Callable[..., Graph],
) -> None:
    """The result says what could not be compared."""
    outcome = Outcome(done={NodeId("api", WEST): Action.UPDATE}, unreachable=(EAST,))
    cloud: Any = Cloud()
    parity = compare(
        graph_of(graph=GRAPH), ENDPOINT, {}, outcome, lambda: ParityPorts(cloud, cloud, cloud)
    )
    assert parity == Parity((), ("the API of us-east-1 does not answer",))
    assert not cloud.read


def test_functions_with_different_code_are_named(graph_of: Callable[..., Graph]) -> None:
    """The difference has both hashes."""
    parity = compared(
        graph_of(graph=GRAPH), Cloud({EAST: "h", WEST: "other"}), Action.CREATE, Action.CREATE
    )
    assert parity
    assert list(map(str, parity.differences)) == [
        "function code CodeSha256: us-east-1 has h, us-west-2 has other"
    ]


def test_what_cannot_be_read_is_unknown(graph_of: Callable[..., Graph]) -> None:
    """It does not count as equal, and it is no error of the deployment, which is done."""
    parity = compared(graph_of(graph=GRAPH), Cloud(refused=WEST), Action.CREATE, Action.CREATE)
    assert parity
    assert parity.same is None
    assert parity.unknown == ("not authorized to perform: lambda:GetFunctionConfiguration",)
