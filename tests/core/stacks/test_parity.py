"""Comparing two regions: what is the same but for its region is the same, anything else is
named.
"""

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


def test_apis_that_differ_in_their_region_alone_are_the_same() -> None:
    """The region, the API's id and those of its resources, where and when it was deployed."""
    assert not list(
        api_differences({EAST: definition(EAST, "abc"), WEST: definition(WEST, "xyz")}, NAMES)
    )


def test_a_path_that_is_defined_otherwise_is_named() -> None:
    """And so is one that a region lacks."""
    west = definition(WEST, "xyz", timeoutInMillis="3000")
    west["paths"] |= {"/v2": {}}  # type: ignore[operator]  # a dictionary
    found = list(api_differences({EAST: definition(EAST, "abc"), WEST: west}, NAMES))
    assert [each.name for each in found] == ["/v1", "/v2"]
    assert len(set(found[0].regions.values())) == len(REGIONS)
    assert found[1].regions[EAST] == "not there"


def test_a_stack_that_one_region_has_from_earlier_is_named() -> None:
    """One left as it is counts as wanted when its fingerprint says so; an input that is not known
    does not.
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
        return [str(each) for each in stack_differences(graph, before, done, outputs)]

    b = "stack b: us-east-1 as wanted, us-west-2 with another template, parameters or tags"
    assert differences(fingerprint_of(graph, nodes[1], {"P": WEST})) == [b]
    assert differences("old") == [b.replace(" b:", " a:"), b]
    gone = [str(each) for each in stack_differences(graph, {}, done, outputs)]
    assert gone == [f"stack {name}: us-east-1 as wanted, us-west-2 not there" for name in "ab"]


def test_what_could_not_be_compared_is_not_the_same() -> None:
    """True, false or unknown."""
    difference = Difference("stack", "a", {})
    assert Parity(()).same is True
    assert Parity((difference,), ("no permission",)).same is False
    assert Parity((), ("no permission",)).same is None
