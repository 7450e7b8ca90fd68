"""The comparison of two regions: only differences beyond the region itself are reported."""

from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef
from deploytool.core.project.template import parse_template
from deploytool.core.stacks.parity import Difference, Parity, api_differences, stack_differences
from deploytool.core.stacks.plan import Action, fingerprint_of
from deploytool.core.stacks.stack import Stack, StackStatus

EAST, WEST = REGIONS = ("us-east-1", "us-west-2")
TEMPLATE = parse_template(
    "Parameters: {P: {Type: String, Default: ''}}\nResources: {A: {Type: 'AWS::Some::Thing'}}",
    "t.yaml",
)


def definition(region: str, api: str, **changes: str) -> dict[str, object]:
    integration = {
        "type": "aws_proxy",
        "uri": f"arn:aws:apigateway:{region}:lambda:path/functions/f/invocations",
        "cacheNamespace": f"{api}9",
        **changes,
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "hello", "version": f"2026-01-01 of {region}"},
        "servers": [{"url": f"https://{api}.execute-api.{region}.amazonaws.com"}],
        "paths": {
            "/v1": {
                "x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration}
            }
        },
    }


NAMES = {EAST: (EAST, "abc"), WEST: (WEST, "xyz")}


def test_apis_that_differ_only_by_region_are_the_same() -> None:
    """The region, the ids of the API and its resources, and where and when it was deployed."""
    assert not list(
        api_differences({EAST: definition(EAST, "abc"), WEST: definition(WEST, "xyz")}, NAMES)
    )


def test_a_path_that_is_defined_differently_is_named() -> None:
    """A path that a region does not have is named too."""
    west = definition(WEST, "xyz", timeoutInMillis="3000")
    west["paths"] |= {"/v2": {}}  # type: ignore[operator]  # a dictionary
    v1, v2 = api_differences({EAST: definition(EAST, "abc"), WEST: west}, NAMES)
    assert (v1.name, v2.name) == ("/v1", "/v2")
    assert len(set(v1.regions.values())) == len(REGIONS)
    assert v2.regions[EAST] == "does not exist"


def test_a_stack_that_one_region_has_from_earlier_is_named() -> None:
    """A stack that was not changed is as desired if its fingerprint is. With an input that is not
    known it is not.
    """
    nodes = [
        Node(NodeId("a", region), "p-a", TEMPLATE, TEMPLATE.document, {"P": region}, ())
        for region in REGIONS
    ]
    needing = [
        Node(
            NodeId("b", node.id.region),
            "p-b",
            TEMPLATE,
            TEMPLATE.document,
            {"P": OutputRef(node.id, "Out")},
            (),
        )
        for node in nodes
    ]
    graph = Graph("p", "s", {node.id: node for node in (*nodes, *needing)}, {}, {}, regions=REGIONS)
    done = {node.id: Action.UPDATE for node in (nodes[0], needing[0])}
    outputs = {nodes[0].id: {"Out": "x"}}

    def differences(fingerprint: str) -> list[str]:
        before = {
            NodeId(stack, WEST): Stack("p", "id", StackStatus.CREATE_COMPLETE, {}, fingerprint)
            for stack in "ab"
        }
        return list(map(str, stack_differences(graph, before, done, outputs)))

    b = "stack b: us-east-1 as desired, us-west-2 with another template, parameters or tags"
    assert differences(fingerprint_of(graph, nodes[1], {"P": WEST})) == [b]
    assert differences("old") == [b.replace(" b:", " a:"), b]
    missing = list(map(str, stack_differences(graph, {}, done, outputs)))
    assert missing == [
        f"stack {name}: us-east-1 as desired, us-west-2 does not exist" for name in "ab"
    ]


def test_what_could_not_be_compared_is_not_the_same() -> None:
    """`same` is true, false or None."""
    difference = Difference("stack", "a", {})
    assert Parity(()).same is True
    assert Parity((difference,), ("no permission",)).same is False
    assert Parity((), ("no permission",)).same is None
