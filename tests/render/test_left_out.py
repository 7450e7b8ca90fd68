"""What a run says about the resources that its local cloud leaves out."""

from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.template import parse_template
from deploytool.render.left_out import left_out_lines

TEMPLATE = """
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Association: {Type: AWS::WAFv2::WebACLAssociation}
"""


def graph() -> Graph:
    config = parse_config(
        'project = "hello"\ndomain = "example.com"\n'
        'regions = ["us-east-1", "us-west-2"]\n[stages.dev]\n',
        "deploytool.toml",
    )
    file = parse_graph_file("stacks: {waf: {template: t.yaml, scope: regional}}", "stacks.yaml")
    templates = {"t.yaml": parse_template(TEMPLATE, "t.yaml")}
    return build_graph(config, config.stage("dev"), file, templates, {})


def test_each_type_is_named_with_its_resources() -> None:
    """A type that only a transform may add is named too."""
    types = ("AWS::WAFv2::WebACLAssociation", "AWS::EKS::Cluster")
    assert list(left_out_lines(graph(), types)) == [
        "[yellow]! This local cloud leaves resources out. On AWS they are created:[/]",
        "    AWS::EKS::Cluster: no template of this stage declares one",
        "    AWS::WAFv2::WebACLAssociation: waf@us-east-1.Association, waf@us-west-2.Association",
    ]


def test_nothing_is_said_where_nothing_is_left_out() -> None:
    """A cloud without the option says nothing."""
    assert list(left_out_lines(graph(), ())) == []
