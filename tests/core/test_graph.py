"""The graph: edges from outputs to parameters, snapshots, and every fault before any call."""

from collections.abc import Mapping

import pytest

from deploytool.core.config import parse_config
from deploytool.core.errors import InputError
from deploytool.core.graph import Graph, NodeId, OutputRef, build_graph
from deploytool.core.graphfile import parse_graph_file
from deploytool.core.package import build_package
from deploytool.core.template import parse_template

CONFIG = 'project = "hello"\ndomain = "example.com"\nregions = ["us-east-1", "us-west-2"]\n[stages.dev]\n'
ZONE = """
Parameters: {Name: {Type: String}}
Resources: {Zone: {Type: 'AWS::Route53::HostedZone'}}
Outputs: {ZoneId: {Value: !Ref Zone}}
"""
API = """
Resources:
  Api: {Type: 'AWS::ApiGateway::RestApi'}
Outputs:
  ApiId: {Value: !Ref Api}
"""
STAGE = """
Parameters: {ApiId: {Type: String}, ZoneId: {Type: String, Default: none}, Key: {Type: String, Default: ""}}
Resources:
  Deployment: {Type: 'AWS::ApiGateway::Deployment', DependsOn: Other, Properties: {RestApiId: !Ref ApiId}}
  Other: {Type: 'AWS::ApiGateway::Method'}
  Stage:
    Type: AWS::ApiGateway::Stage
    DependsOn: [Other, Deployment]
    Properties:
      DeploymentId: !Ref Deployment
      Description: !Sub 'of ${Deployment.DeploymentId} and ${Deployments}'
      X: !GetAtt Deployment.DeploymentId
Outputs: {Url: {Value: !Ref Stage}, Other: {Value: x}}
"""
TEMPLATES = {"zone.yaml": ZONE, "api.yaml": API, "stage.yaml": STAGE}
GRAPH = """
settings: {retention: 30}
artifacts:
  function: {source: ../lambda, bucket: {output: api.ApiId}}
stacks:
  zone: {template: zone.yaml, scope: global, parameters: {Name: {setting: domain}}}
  api: {template: api.yaml, scope: regional}
  stage:
    template: stage.yaml
    scope: regional
    snapshot: {resource: Deployment, of: [api, stage]}
    parameters:
      ApiId: {output: api.ApiId}
      ZoneId: {output: zone.ZoneId, only: primary}
      Key: {artifact: function, part: key}
service: {hosted_zone: {output: zone.ZoneId}}
"""


def graph_of(graph: str = GRAPH, config: str = CONFIG, templates: Mapping[str, str] = TEMPLATES, code: bytes = b"x") -> Graph:
    parsed = parse_config(config, "deploytool.toml")
    packages = {"function": build_package("function", {"handler.py": code})}
    documents = {name: parse_template(text, name) for name, text in templates.items()}
    return build_graph(parsed, parsed.stage(None), parse_graph_file(graph, "stacks.yaml"), documents, packages)


def faults_of(graph: str, config: str = CONFIG) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        graph_of(graph, config)
    return {fault.key: fault.message for fault in caught.value.faults}


def test_a_secondary_stack_is_there_alone_and_so_are_its_outputs() -> None:
    """Whoever takes one gets it from there, in whatever region; of its own region it takes what it does not say otherwise."""
    text = GRAPH.replace("service: {", "service: {guard_function: {output: guard.Url}, function: {output: stage.Url}, ").replace(
        "  stage:\n",
        """  guard:
    template: stage.yaml
    scope: secondary
    parameters: {ApiId: {output: api.ApiId}, ZoneId: {output: zone.ZoneId}, Key: {setting: role}}
  stage:
""",
    )
    graph = graph_of(text)
    [guard] = [node for node in graph.nodes.values() if node.id.stack == "guard"]
    assert guard.id.region == "us-west-2"
    assert guard.parameters == {
        "ApiId": OutputRef(NodeId("api", "us-west-2"), "ApiId"),
        "ZoneId": OutputRef(NodeId("zone", "us-east-1"), "ZoneId"),
        "Key": "SECONDARY",
    }
    assert graph.service["guard_function"] == OutputRef(guard.id, "Url")
    regions = ("us-east-1", "us-west-2")
    assert graph.regional_service == {"function": {each: OutputRef(NodeId("stage", each), "Url") for each in regions}}


def test_a_regional_stack_has_a_node_a_region_and_edges_to_where_its_parameters_come_from() -> None:
    """Same region by default; the global one is in the primary; `only` leaves the other role without that edge."""
    graph = graph_of()
    east, west = NodeId("stage", "us-east-1"), NodeId("stage", "us-west-2")
    assert graph.nodes[west].parameters["ApiId"] == OutputRef(NodeId("api", "us-west-2"), "ApiId")
    assert graph.edges()[east] == {NodeId("api", "us-east-1"), NodeId("zone", "us-east-1")}
    assert graph.edges()[west] == {NodeId("api", "us-west-2")}
    assert "ZoneId" not in graph.nodes[west].parameters
    assert graph.nodes[NodeId("zone", "us-east-1")].parameters == {"Name": "dev.example.com"}
    assert graph.service == {"hosted_zone": OutputRef(NodeId("zone", "us-east-1"), "ZoneId")}
    assert graph.reversed_edges()[NodeId("api", "us-west-2")] == {west}


def test_a_snapshot_is_renamed_everywhere_and_only_by_what_it_holds() -> None:
    """New code keeps the snapshot's name; a change of a template that it holds gives it another."""

    def names(graph: Graph) -> set[str]:
        return set(graph.nodes[NodeId("stage", "us-east-1")].document["Resources"])  # type: ignore[call-overload]  # a document

    first = graph_of()
    resources = first.nodes[NodeId("stage", "us-east-1")].document["Resources"]
    assert isinstance(resources, dict)
    new = next(name for name in resources if name.startswith("Deployment"))
    assert len(new) == len("Deployment") + 10
    stage = resources["Stage"]
    assert stage["DependsOn"] == ["Other", new]
    assert stage["Properties"]["DeploymentId"] == {"Ref": new}
    assert stage["Properties"]["X"] == {"Fn::GetAtt": [new, "DeploymentId"]}
    assert stage["Properties"]["Description"] == {"Fn::Sub": f"of ${{{new}.DeploymentId}} and ${{Deployments}}"}
    assert resources[new]["Type"] == "AWS::ApiGateway::Deployment"
    assert names(graph_of(code=b"y")) == names(first)
    changed = {**TEMPLATES, "api.yaml": API.replace("RestApi'", "RestApi', Properties: {Name: x}")}
    assert names(graph_of(templates=changed)) != names(first)
    described = {**TEMPLATES, "api.yaml": "Description: words\n" + API}
    assert names(graph_of(templates=described)) == names(first)


@pytest.mark.parametrize(
    ("change", "key", "says"),
    [
        (
            ("output: api.ApiId}\n      ZoneId", "output: api.ApiIdd}\n      ZoneId"),
            "stacks.stage.parameters.ApiId",
            "has no output 'ApiIdd'; it has: ApiId",
        ),
        (("zone.ZoneId, only: primary", "zon.ZoneId"), "stacks.stage.parameters.ZoneId.zon", "did you mean 'zone'"),
        (("{setting: domain}", "{setting: domian}"), "stacks.zone.parameters.Name.domian", "did you mean 'domain'"),
        (("{setting: domain}", "{setting: region}"), "stacks.zone.parameters.Name", "differs from region to region"),
        (("{setting: domain}", "{output: api.ApiId}"), "stacks.zone.parameters.Name", "say which one"),
        (("{setting: domain}", "{output: api.ApiId, region: eu-west-1}"), "stacks.zone.parameters.Name", "none of primary"),
        (("      ApiId: {output: api.ApiId}\n", ""), "stacks.stage.parameters.ApiId", "has no value"),
        (("      ApiId:", "      Apild: 1\n      ApiId:"), "stacks.stage.parameters.Apild", "did you mean 'ApiId'"),
        (
            ("{output: api.ApiId}\n      ZoneId", "{output: api.ApiId, only: primary}\n      ZoneId"),
            "stacks.stage.parameters.ApiId",
            "must have a default",
        ),
        (("artifact: function", "artifact: functoin"), "stacks.stage.parameters.Key.functoin", "did you mean 'function'"),
        (
            ("resource: Deployment", "resource: Deploymnt"),
            "stacks.stage.snapshot.resource.Deploymnt",
            "did you mean 'Deployment'",
        ),
        (("of: [api, stage]", "of: [apy, stage]"), "stacks.stage.snapshot.of.apy", "did you mean 'api'"),
        (("{setting: domain}", "{output: stage.Url, region: primary}"), "stacks", "circle: "),
        (("scope: global", "scope: globl"), "stacks.zone.scope", "'global'"),
        (("{setting: domain}", "{settings: domain}"), "stacks.zone.parameters.Name", "{setting: NAME}"),
        (("template: zone.yaml", "tempalte: zone.yaml"), "stacks.zone.tempalte", "did you mean 'template'"),
        (("{retention: 30}", "{region: 30}"), "settings.region", "built-in"),
        (("{output: zone.ZoneId}}\n", "{output: zone.Zone}}\n"), "service.hosted_zone", "has no output"),
        (("bucket: {output: api.ApiId}", "bucket: here"), "artifacts.function.bucket", "must be an output"),
    ],
)
def test_each_fault_of_the_graph_names_its_key_and_the_mend(change: tuple[str, str], key: str, says: str) -> None:
    """What would fail half-way through a deployment is refused before it."""
    assert change[0] in GRAPH
    assert says in faults_of(GRAPH.replace(*change))[key]


def test_a_circle_is_shown_in_the_order_of_waiting() -> None:
    """Zone waits for stage, which waits for zone."""
    message = faults_of(GRAPH.replace("{setting: domain}", "{output: stage.Url, region: primary}"))["stacks"]
    assert "zone -> stage -> zone" in message or "stage -> zone -> stage" in message


def test_a_setting_that_no_stack_uses_is_an_unknown_key_of_the_configuration() -> None:
    """A misspelt setting would change nothing in silence."""
    assert "did you mean 'retention'" in faults_of(GRAPH, CONFIG + "settings = {retentoin = 1}")["stages.dev.settings.retentoin"]


def test_a_key_twice_is_refused() -> None:
    """YAML's last one wins would lose a stack in silence."""
    with pytest.raises(InputError, match="stands there twice"):
        parse_graph_file("stacks:\n  a: {template: t, scope: global}\n  a: {template: t, scope: global}", "stacks.yaml")
