"""A stack in a region beside the two: where it is, what it may take, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.errors import InputError
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph, NodeId, OutputRef
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.package import build_package
from deploytool.core.project.template import parse_template

EAST, WEST, THIRD = "eu-west-1", "eu-central-1", "us-east-1"
CONFIG = (
    f'project = "hello"\ndomain = "example.com"\nregions = ["{EAST}", "{WEST}"]\n[stages.dev]\n'
)
TEMPLATE = """
Parameters: {Input: {Type: String, Default: ''}, More: {Type: String, Default: ''}}
Resources: {A: {Type: 'AWS::Some::Thing'}}
Outputs: {Out: {Value: x}}
"""
STACKS = """
settings: {arn: ""}
artifacts:
  code: {source: x, bucket: {output: bucket.Out}}
  code-of-third: {source: x, bucket: {output: third-bucket.Out}}
stacks:
  check: {template: t.yaml, scope: global}
  alarm: {template: t.yaml, scope: global, region: us-east-1, parameters: {Input: {output: check.Out}}}
  bucket: {template: t.yaml, scope: regional}
  third-bucket: {template: t.yaml, scope: global, region: us-east-1}
  user: {template: t.yaml, scope: regional, parameters: {Input: {output: alarm.Out}}}
"""


def graph_of(stacks: str = STACKS, config: str = CONFIG) -> Graph:
    parsed = parse_config(config, "deploytool.toml")
    packages = {name: build_package(name, {"a.py": b"1"}) for name in ("code", "code-of-third")}
    template = parse_template(TEMPLATE, "t.yaml")
    file = parse_graph_file(stacks, "stacks.yaml")
    return build_graph(parsed, parsed.stage("dev"), file, {"t.yaml": template}, packages)


def test_a_stack_in_a_third_region_gives_to_both_and_takes_from_both() -> None:
    """It exists once, in the region that it names. Outputs cross the regions as parameters."""
    graph = graph_of()
    alarm = NodeId("alarm", THIRD)
    assert [node for node in graph.nodes if node.stack == "alarm"] == [alarm]
    assert graph.nodes[alarm].parameters["Input"] == OutputRef(NodeId("check", EAST), "Out")
    for region in (EAST, WEST):
        user = graph.nodes[NodeId("user", region)]
        assert user.parameters["Input"] == OutputRef(alarm, "Out")
    assert graph.regions == (EAST, WEST)
    assert graph.all_regions == (EAST, WEST, THIRD)
    assert graph.reversed_edges()[NodeId("check", EAST)] == {alarm}


@pytest.mark.parametrize("region", [EAST, WEST])
def test_it_may_be_one_of_the_two(region: str) -> None:
    """A stack that must be in us-east-1 is there also when the project's regions change."""
    graph = graph_of(STACKS.replace("region: us-east-1", f"region: {region}"))
    assert NodeId("alarm", region) in graph.nodes
    assert graph.all_regions == (EAST, WEST)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("region: us-east-1", "region: virginia", "'virginia' is not an AWS region"),
        ("region: us-east-1", "region: [us-east-1]", "is not an AWS region"),
        ("global, region", "regional, region", "only a stack of scope 'global' can name"),
        ("global, region", "secondary, region", "only a stack of scope 'global' can name"),
        ("Input: {output: check.Out}", "Input: {setting: region}", "differs from region to region"),
        (
            "Input: {output: check.Out}",
            "Input: {output: bucket.Out}",
            "choose one with region: primary or secondary",
        ),
    ],
)
def test_what_a_third_region_cannot_have_is_refused(old: str, new: str, message: str) -> None:
    """Every problem is found before the first call."""
    with pytest.raises(InputError, match=message.replace("[", r"\[")):
        graph_of(STACKS.replace(old, new, 1))


@pytest.mark.parametrize("only", ["primary", "secondary"])
def test_it_has_no_role(only: str) -> None:
    """A source for the primary or the secondary alone is not for it: its default counts."""
    graph = graph_of(STACKS.replace("{output: check.Out}", f"{{output: check.Out, only: {only}}}"))
    assert graph.nodes[NodeId("alarm", THIRD)].parameters == {}


def test_code_comes_from_a_bucket_of_its_own_region() -> None:
    """Lambda refuses code in a bucket of another region. A bucket beside the function is fine."""
    other = STACKS.replace(
        "bucket: {output: bucket.Out}", "bucket: {output: bucket.Out, region: primary}"
    )
    taking = "Input: {artifact: code, part: key}"
    with pytest.raises(InputError, match="Lambda needs a bucket in us-east-1"):
        graph_of(other.replace("Input: {output: check.Out}", taking))

    own = STACKS.replace("Input: {output: check.Out}", taking.replace("code", "code-of-third"))
    [upload] = graph_of(own).nodes[NodeId("alarm", THIRD)].uploads
    assert upload.bucket.node == NodeId("third-bucket", THIRD)


@given(st.sampled_from(["us-east-1", "ap-southeast-2", "eu-west-1", "eu-central-1"]))
def test_every_node_is_in_a_region_of_the_graph(region: str) -> None:
    """`all_regions` names each region with a stack once, the project's two first."""
    graph = graph_of(STACKS.replace("region: us-east-1", f"region: {region}"))
    assert set(graph.all_regions) == {EAST, WEST, *(node.region for node in graph.nodes)}
    assert len(set(graph.all_regions)) == len(graph.all_regions)
