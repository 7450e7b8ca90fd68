"""The graph: edges from outputs to parameters, snapshots, and every problem before any call."""

import json
from collections.abc import Mapping
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.errors import InputError
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph, NodeId, OutputRef
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.package import build_package
from deploytool.core.project.settings import needed_lookups
from deploytool.core.project.template import parse_template

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


def graph_of(
    graph: str = GRAPH,
    config: str = CONFIG,
    templates: Mapping[str, str] = TEMPLATES,
    code: bytes = b"x",
) -> Graph:
    parsed = parse_config(config, "deploytool.toml")
    packages = {"function": build_package("function", {"handler.py": code})}
    documents = {name: parse_template(text, name) for name, text in templates.items()}
    return build_graph(
        parsed, parsed.stage(None), parse_graph_file(graph, "stacks.yaml"), documents, packages
    )


def problems_of(graph: str, config: str = CONFIG) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        graph_of(graph, config)
    return {problem.key: problem.message for problem in caught.value.problems}


def test_a_secondary_stack_and_its_outputs_are_in_the_secondary_region() -> None:
    """A stack of scope `secondary` exists in the secondary region only.

    Stacks in both regions take its outputs from there. It takes the outputs of regional stacks
    from its own region by default.
    """
    text = GRAPH.replace(
        "service: {",
        "service: {guard_function: {output: guard.Url}, function: {output: stage.Url}, ",
    ).replace(
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
    assert graph.regional_service == {
        "function": {region: OutputRef(NodeId("stage", region), "Url") for region in regions}
    }


def test_a_regional_stack_has_a_node_in_each_region() -> None:
    """A regional stack has a node in each region, with edges to the providers of its parameters.

    The provider is in the same region by default, and a global one in the primary. A source with
    `only` gives the other role no edge.
    """
    graph = graph_of()
    east, west = NodeId("stage", "us-east-1"), NodeId("stage", "us-west-2")
    assert graph.nodes[west].parameters["ApiId"] == OutputRef(NodeId("api", "us-west-2"), "ApiId")
    assert graph.edges()[east] == {NodeId("api", "us-east-1"), NodeId("zone", "us-east-1")}
    assert graph.edges()[west] == {NodeId("api", "us-west-2")}
    assert "ZoneId" not in graph.nodes[west].parameters
    assert graph.nodes[NodeId("zone", "us-east-1")].parameters == {"Name": "dev.example.com"}
    assert graph.service == {"hosted_zone": OutputRef(NodeId("zone", "us-east-1"), "ZoneId")}
    assert graph.reversed_edges()[NodeId("api", "us-west-2")] == {west}


def test_a_snapshot_is_renamed_everywhere_and_only_by_its_content() -> None:
    """New code keeps the snapshot's name; a change of a template in it gives a new name."""

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
    assert stage["Properties"]["Description"] == {
        "Fn::Sub": f"of ${{{new}.DeploymentId}} and ${{Deployments}}"
    }
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
        (
            ("zone.ZoneId, only: primary", "zon.ZoneId"),
            "stacks.stage.parameters.ZoneId.zon",
            "did you mean 'zone'",
        ),
        (
            ("{setting: domain}", "{setting: domian}"),
            "stacks.zone.parameters.Name.domian",
            "did you mean 'domain'",
        ),
        (
            ("{setting: domain}", "{setting: region}"),
            "stacks.zone.parameters.Name",
            "differs from region to region",
        ),
        (
            ("{setting: domain}", "{output: api.ApiId}"),
            "stacks.zone.parameters.Name",
            "choose one with region",
        ),
        (
            ("{setting: domain}", "{output: api.ApiId, region: eu-west-1}"),
            "stacks.zone.parameters.Name",
            "none of primary",
        ),
        (
            ("      ApiId: {output: api.ApiId}\n", ""),
            "stacks.stage.parameters.ApiId",
            "has no value",
        ),
        (
            ("      ApiId:", "      Apild: 1\n      ApiId:"),
            "stacks.stage.parameters.Apild",
            "did you mean 'ApiId'",
        ),
        (
            (
                "{output: api.ApiId}\n      ZoneId",
                "{output: api.ApiId, only: primary}\n      ZoneId",
            ),
            "stacks.stage.parameters.ApiId",
            "must declare a default",
        ),
        (
            ("artifact: function", "artifact: functoin"),
            "stacks.stage.parameters.Key.functoin",
            "did you mean 'function'",
        ),
        (
            ("resource: Deployment", "resource: Deploymnt"),
            "stacks.stage.snapshot.resource.Deploymnt",
            "did you mean 'Deployment'",
        ),
        (
            ("of: [api, stage]", "of: [apy, stage]"),
            "stacks.stage.snapshot.of.apy",
            "did you mean 'api'",
        ),
        (("{setting: domain}", "{output: stage.Url, region: primary}"), "stacks", "circle: "),
        (("scope: global", "scope: globl"), "stacks.zone.scope", "'global'"),
        (
            ("{setting: domain}", "{settings: domain}"),
            "stacks.zone.parameters.Name",
            "{setting: NAME}",
        ),
        (
            ("template: zone.yaml", "tempalte: zone.yaml"),
            "stacks.zone.tempalte",
            "did you mean 'template'",
        ),
        (("{retention: 30}", "{region: 30}"), "settings.region", "built-in"),
        (
            ("{output: zone.ZoneId}}\n", "{output: zone.Zone}}\n"),
            "service.hosted_zone",
            "has no output",
        ),
        (
            ("bucket: {output: api.ApiId}", "bucket: here"),
            "artifacts.function.bucket",
            "must be an output",
        ),
    ],
)
def test_each_problem_of_the_graph_names_its_key_and_the_fix(
    change: tuple[str, str], key: str, says: str
) -> None:
    """What would fail in the middle of a deployment is refused before it."""
    assert change[0] in GRAPH
    assert says in problems_of(GRAPH.replace(*change))[key]


def test_a_circle_is_shown_in_the_order_of_the_dependencies() -> None:
    """The message shows that zone waits for stage, which waits for zone."""
    message = problems_of(
        GRAPH.replace("{setting: domain}", "{output: stage.Url, region: primary}")
    )["stacks"]
    assert "zone -> stage -> zone" in message or "stage -> zone -> stage" in message


def test_a_setting_that_no_stack_uses_is_an_unknown_key_of_the_configuration() -> None:
    """A misspelled setting would otherwise have no effect, and nothing would say so."""
    assert (
        "did you mean 'retention'"
        in problems_of(GRAPH, CONFIG + "settings = {retentoin = 1}")[
            "stages.dev.settings.retentoin"
        ]
    )


def test_a_repeated_key_is_refused() -> None:
    """YAML keeps the last of two equal keys, so a stack would be lost without notice."""
    with pytest.raises(InputError, match="is listed twice"):
        parse_graph_file(
            "stacks:\n  a: {template: t, scope: global}\n  a: {template: t, scope: global}",
            "stacks.yaml",
        )


CONDITIONAL = """
settings:
  zone: {default: new, values: [new, existing, external]}
  zone_id: {default: "", lookup: hosted_zone, when: {zone: existing}}
  vpc: false
  url: https://{region}.example.net
stacks:
  zone: {template: zone.yaml, scope: global, when: {zone: new}, parameters: {Name: {setting: domain}}}
  api: {template: api.yaml, scope: regional}
  network: {template: api.yaml, scope: regional, when: {vpc: true, role: SECONDARY}}
  stage:
    template: stage.yaml
    scope: regional
    when: {zone: [new, existing]}
    parameters:
      ApiId: {output: api.ApiId}
      ZoneId:
        - {output: zone.ZoneId, when: {zone: new}}
        - {setting: zone_id, only: primary}
      Key:
        - {value: vpc, when: {vpc: true}}
        - {setting: url}
service:
  hosted_zone: [{output: zone.ZoneId, when: {zone: new}}, {setting: zone_id, when: {zone: existing}}]
"""


LISTS = """
settings:
  names: {default: [], min_items: 2, max_items: 3, values: [a, b, c, d]}
  any: [x]
  topic: {default: "", arn_region: secondary}
stacks:
  api: {template: api.yaml, scope: regional}
  zone: {template: zone.yaml, scope: global, parameters: {Name: {setting: names}}}
  stage:
    template: stage.yaml
    scope: regional
    parameters:
      ApiId: {output: api.ApiId}
      Key: {setting: any, item: 2}
      ZoneId: {setting: topic}
"""


def test_a_list_is_joined_by_commas_and_an_item_of_it_may_be_missing() -> None:
    """A parameter takes the whole list or one item, which is empty when the list is shorter."""
    zone, stage = NodeId("zone", "us-east-1"), NodeId("stage", "us-west-2")
    defaults = graph_of(LISTS).nodes
    assert defaults[zone].parameters["Name"] == ""
    assert defaults[stage].parameters["Key"] == ""
    given = graph_of(LISTS, stage_with(names=["b", "a"], any=["x", "{region}"]))
    assert given.nodes[zone].parameters["Name"] == "b,a"
    assert given.nodes[stage].parameters["Key"] == "us-west-2"
    assert given.settings["names"] == ("b", "a")


CERTIFICATE = "arn:aws:acm:{}:123456789012:certificate/a"
EAST_ARN, WEST_ARN = CERTIFICATE.format("us-east-1"), CERTIFICATE.format("us-west-2")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (EAST_ARN, "is in one region, and each needs its own: {"),
        ({"us-east-1": EAST_ARN, "us-west-2": EAST_ARN}, "it must be in us-west-2"),
        ({"us-east-1": WEST_ARN, "us-west-2": EAST_ARN}, "it must be in us-east-1"),
        ({"us-east-1": EAST_ARN, "us-west-2": WEST_ARN}, ""),
        (CERTIFICATE, ""),
        ("", ""),
    ],
)
def test_a_certificate_must_be_in_the_region_that_uses_it(
    value: str | dict[str, str], message: str
) -> None:
    """The ARN tells its region, so a wrong one is bad input. API Gateway refuses it only when the
    other stacks are made (serverless-domain-manager issue 646).
    """
    graph = LISTS.replace("arn_region: secondary", "arn_region: own")
    if isinstance(value, str):
        config = stage_with(topic=value.format("{region}"))
    else:
        by_region = ", ".join(f'{region} = "{arn}"' for region, arn in value.items())
        config = f"{CONFIG}settings = {{topic = {{ {by_region} }}}}"
    if not message:
        graph_of(graph, config)
        return
    problems = problems_of(graph, config)
    assert message in problems["stages.dev.settings.topic"]


SNS_TOPIC = "arn:aws:sns:{}:123456789012:alerts"


@pytest.mark.parametrize(
    ("settings", "key", "message"),
    [
        ({"names": ["a"]}, "names", "has 1; it must have at least 2, or none"),
        ({"names": ["a", "b", "c", "d"]}, "names", "has 4; it may have 3 at most"),
        ({"names": ["a", "a"]}, "names", "'a' is listed twice"),
        ({"names": ["a", "e"]}, "names", "'e' is none of a, b, c, d"),
        ({"names": "a"}, "names", "'a' must be a list, like [\"a\"]"),
        ({"topic": ["a"]}, "topic", "must be one value, not a list"),
        (
            {"topic": SNS_TOPIC.format("us-east-1")},
            "topic",
            "is in us-east-1; it must be in us-west-2, the secondary region",
        ),
    ],
)
def test_a_list_or_a_region_that_is_not_allowed_is_a_problem_of_the_setting(
    settings: dict[str, object], key: str, message: str
) -> None:
    """The problem is found before the first call, with file and key."""
    with pytest.raises(InputError) as caught:
        graph_of(LISTS, stage_with(**settings))
    [problem] = caught.value.problems
    assert (problem.file, problem.key) == ("deploytool.toml", f"stages.dev.settings.{key}")
    assert message in problem.message


def test_an_arn_of_the_right_region_is_taken() -> None:
    """So is a text that is no ARN: the template that takes it decides."""
    for topic in (SNS_TOPIC.format("us-west-2"), "x"):
        nodes = graph_of(LISTS, stage_with(topic=topic)).nodes
        assert nodes[NodeId("stage", "us-east-1")].parameters["ZoneId"] == topic


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("item: 2", "item: 0", "stacks.stage.parameters.Key", "must be a literal"),
        ("item: 2", "item: true", "stacks.stage.parameters.Key", "must be a literal"),
        ("setting: any, item: 2", "setting: topic, item: 2", "stacks.stage.parameters.Key", "'topic', which is no list"),
        ("min_items: 2", "min_items: -2", "settings.names.min_items", "whole number above 0"),
        ("max_items: 3", "max_items: three", "settings.names.max_items", "whole number above 0"),
        ("arn_region: secondary", "arn_region: other", "settings.topic.arn_region", "'primary', 'secondary' or 'own'"),
        ("default: [], min", "default: [a], min", "settings.names.default", "has 1"),
        ("any: [x]", "any: [1]", "settings.any", "a list of texts"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_of_a_list_is_named(old: str, new: str, key: str, message: str) -> None:
    """The key is that of the graph file."""
    assert old in LISTS
    with pytest.raises(InputError) as caught:
        graph_of(LISTS.replace(old, new))
    assert [problem.key for problem in caught.value.problems] == [key]
    assert message in caught.value.problems[0].message


def stage_with(**settings: object) -> str:
    """The configuration with settings of the stage."""
    return (
        CONFIG
        + "settings = {"
        + ", ".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
        + "}"
    )


def test_a_stage_does_not_use_the_stacks_whose_condition_is_false() -> None:
    """All settings of a `when` must match.

    A stack that the stage does not use is kept apart, so that it can be deleted.
    """
    assert {node.stack for node in graph_of(CONDITIONAL).nodes} == {"zone", "api", "stage"}
    graph = graph_of(CONDITIONAL, stage_with(zone="external", vpc=True))
    assert {str(node_id) for node_id in graph.nodes} == {
        "api@us-east-1",
        "api@us-west-2",
        "network@us-west-2",
    }
    assert {str(node_id) for node_id in graph.left_out} == {
        "network@us-east-1",
        "zone@us-east-1",
        "stage@us-east-1",
        "stage@us-west-2",
    }
    assert graph.service == {}
    whole = graph.whole().reversed_edges()
    assert {str(node_id) for node_id in whole[NodeId("zone", "us-east-1")]} == {
        "stage@us-east-1",
        "stage@us-west-2",
    }


def test_a_true_or_false_setting_may_list_its_values() -> None:
    """A condition on such a setting can be met."""
    graph = CONDITIONAL.replace("vpc: false", "vpc: {default: false, values: [true, false]}")
    assert graph != CONDITIONAL
    assert NodeId("network", "us-west-2") in graph_of(graph, stage_with(vpc=True)).nodes


def test_the_first_source_that_applies_gives_the_value() -> None:
    """Without such a source the template's default applies. {region} is the stack's own region."""
    east, west = NodeId("stage", "us-east-1"), NodeId("stage", "us-west-2")
    new = graph_of(CONDITIONAL)
    assert new.nodes[west].parameters["ZoneId"] == OutputRef(NodeId("zone", "us-east-1"), "ZoneId")
    assert new.nodes[west].parameters["Key"] == "https://us-west-2.example.net"
    existing = graph_of(CONDITIONAL, stage_with(zone="existing", zone_id="Z1", vpc=True))
    assert existing.nodes[east].parameters == {
        "ApiId": OutputRef(NodeId("api", "us-east-1"), "ApiId"),
        "ZoneId": "Z1",
        "Key": "vpc",
    }
    assert "ZoneId" not in existing.nodes[west].parameters
    assert existing.service == {"hosted_zone": "Z1"}


def test_a_setting_is_looked_up_where_its_condition_is_true_and_the_stage_leaves_it_empty() -> None:
    """In every other case there is no lookup. The result is the setting's value."""
    file = parse_graph_file(CONDITIONAL, "stacks.yaml")

    def needed(config: str) -> dict[str, str]:
        parsed = parse_config(config, "deploytool.toml")
        return needed_lookups(parsed, parsed.stage(None), file.settings)

    assert needed(CONFIG) == {}
    assert needed(stage_with(zone="existing", zone_id="Z1")) == {}
    assert needed(stage_with(zone="existing")) == {"zone_id": "hosted_zone"}
    parsed = parse_config(stage_with(zone="existing"), "deploytool.toml")
    templates = {name: parse_template(text, name) for name, text in TEMPLATES.items()}
    graph = build_graph(parsed, parsed.stage(None), file, templates, {}, {"zone_id": "Z2"})
    assert graph.service == {"hosted_zone": "Z2"}


@pytest.mark.parametrize(
    ("change", "settings", "key", "says"),
    [
        (("zone: [new, existing]", "zon: new"), {}, "stacks.stage.when.zon", "did you mean 'zone'"),
        (
            ("zone: [new, existing]", "zone: nwe"),
            {},
            "stacks.stage.when.zone",
            "can never be met: 'nwe' is none of new, existing",
        ),
        (
            ("{vpc: true}}", "{vpc: yess}}"),
            {},
            "stacks.stage.parameters.Key.when.vpc",
            "true or false",
        ),
        (
            ("when: {zone: new}", "when: {region: us-east-1}"),
            {},
            "stacks.zone.when",
            "differs from region to region",
        ),
        (
            ("when: {zone: new}", "when: {zone: [[new]]}"),
            {},
            "stacks.zone.when.zone",
            "a list of values",
        ),
        (("default: new", "default: nwe"), {}, "settings.zone.default", "is none of"),
        (
            ("lookup: hosted_zone", "lookup: hosted_zon"),
            {},
            "settings.zone_id.lookup",
            "hosted_zone",
        ),
        (
            ("", ""),
            {"zone": "nwe"},
            "stages.dev.settings.zone",
            "'nwe' is none of new, existing, external",
        ),
        (("", ""), {"vpc": "true"}, "stages.dev.settings.vpc", "true or false, without quotes"),
        (
            ("ApiId: {output: api.ApiId}", "ApiId: {output: network.ApiId}"),
            {},
            "stacks.stage.parameters.ApiId",
            "takes an output of 'network', which stage dev does not use (its `when`: vpc = true, role = SECONDARY)",
        ),
        (
            ("ApiId: {output: api.ApiId}", "ApiId: [{output: api.ApiId, when: {vpc: true}}]"),
            {},
            "stacks.stage.parameters.ApiId",
            "must declare a default",
        ),
        (
            ("ApiId: {output: api.ApiId}", "ApiId: []"),
            {},
            "stacks.stage.parameters.ApiId",
            "empty list",
        ),
        (
            (
                "hosted_zone: [{output: zone.ZoneId, when: {zone: new}}",
                "hosted_zone: [{output: zone.ZoneId, when: {zone: external}}",
            ),
            {"zone": "external"},
            "service.hosted_zone",
            "stage dev does not use",
        ),
    ],
)
def test_each_problem_of_a_condition_names_its_key_and_the_fix(
    change: tuple[str, str], settings: Mapping[str, object], key: str, says: str
) -> None:
    """A misspelled condition would leave a stack out without notice.

    An output of a stack that is left out would be missing only during the deployment.
    """
    assert change[0] in CONDITIONAL
    assert says in problems_of(CONDITIONAL.replace(*change), stage_with(**settings))[key]


RULES = """
Parameters:
  Domain: {Type: String, AllowedPattern: '[a-z.]+', ConstraintDescription: must be lower case, Default: a}
  Days: {Type: Number, AllowedValues: [1, 3], Default: 1}
  Size: {Type: Number, MinValue: 128, MaxValue: 10240, Default: 128}
  Name: {Type: String, MinLength: 2, MaxLength: 4, Default: ab}
  Names: {Type: CommaDelimitedList, AllowedPattern: '[a-z]', Default: a}
  Java: {Type: String, AllowedPattern: '\\p{Alpha}++', Default: a}
  Secret: {Type: String, MinLength: 9, NoEcho: true, Default: 123456789}
Resources: {Topic: {Type: 'AWS::SNS::Topic'}}
"""


@pytest.mark.parametrize(
    ("source", "settings", "key", "says"),
    [
        (
            "Days: {setting: a}",
            {"a": 2},
            "stages.dev.settings.a",
            "'2' is not valid: must be one of 1, 3",
        ),
        (
            "Days: {setting: a}",
            {},
            "settings.a",
            "'7' is not valid: must be one of 1, 3 (stacks.one.parameters.Days)",
        ),
        ("Days: 2", {}, "stacks.one.parameters.Days", "must be one of 1, 3"),
        ("Size: {setting: a}", {"a": 64}, "stages.dev.settings.a", "at least 128"),
        ("Size: {setting: a}", {"a": 20000}, "stages.dev.settings.a", "at most 10240"),
        ("Size: {setting: a}", {"a": "big"}, "stages.dev.settings.a", "must be a number"),
        ("Name: {setting: a}", {"a": "abcde"}, "stages.dev.settings.a", "at most 4 characters"),
        ("Name: x", {}, "stacks.one.parameters.Name", "at least 2 characters"),
        ("Names: 'a, B'", {}, "stacks.one.parameters.Names", "must match [a-z]"),
        ("Domain: {setting: a}", {"a": "A"}, "stages.dev.settings.a", "must be lower case"),
        (
            "Domain: {setting: empty}",
            {},
            "stages.dev.settings.empty",
            "has no value: must be lower case",
        ),
        ("Domain: {setting: domain}", {}, "stages.dev.domain", "must be lower case"),
        ("Name: " + "x" * 5000, {}, "stacks.one.parameters.Name", "4,096 bytes"),
        ("Secret: short", {}, "stacks.one.parameters.Secret", "the value is not valid"),
    ],
)
def test_a_value_known_before_the_call_must_be_one_that_the_template_takes(
    source: str, settings: Mapping[str, object], key: str, says: str
) -> None:
    """The problem is reported where the value was written.

    That is the configuration, the default in the graph file, or the literal.
    """
    graph = (
        "settings: {a: 7, empty: ''}\nstacks: {one: {template: r.yaml, scope: global, parameters: {"
        + source
        + "}}}"
    )
    config = stage_with(**settings).replace(
        "[stages.dev]", '[stages.dev]\ndomain = "1.example.com"'
    )
    with pytest.raises(InputError) as caught:
        graph_of(graph, config, {"r.yaml": RULES})
    [problem] = caught.value.problems
    assert problem.key == key
    assert says in problem.message
    assert problem.file == ("deploytool.toml" if key.startswith("stages") else "stacks.yaml")


def test_a_pattern_that_python_does_not_know_is_left_to_cloudformation() -> None:
    """CloudFormation's patterns are Java's."""
    assert graph_of(
        "stacks: {one: {template: r.yaml, scope: global, parameters: {Java: b}}}",
        CONFIG,
        {"r.yaml": RULES},
    ).nodes


TOPIC = "Resources: {T: {Type: 'AWS::SNS::Topic'}}\n"


@pytest.mark.parametrize(
    ("template", "key", "says"),
    [
        (
            "Parameters:\n"
            + "".join(f"  P{n}: {{Type: String, Default: a}}\n" for n in range(201))
            + TOPIC,
            "Parameters",
            "201 entries; ",
        ),
        (
            "Resources:\n" + "".join(f"  T{n}: {{Type: 'AWS::SNS::Topic'}}\n" for n in range(501)),
            "Resources",
            "500 at most",
        ),
        (
            TOPIC + "Outputs:\n" + "".join(f"  O{n}: {{Value: a}}\n" for n in range(201)),
            "Outputs",
            "200 at most",
        ),
        (TOPIC + f"Description: {'x' * 1025}", "Description", "1025 bytes"),
        (
            TOPIC + f"Outputs: {{{'O' * 256}: {{Value: a}}}}",
            f"Outputs.{'O' * 20}...",
            "256 characters",
        ),
        (TOPIC + "Outputs: {my-output: {Value: a}}", "Outputs.my-output", "letters and digits"),
        (TOPIC + f"Metadata: {{A: {'x' * 51_200}}}", "", "51,200 at most"),
    ],
)
def test_a_template_over_cloudformation_s_limits_is_refused(
    template: str, key: str, says: str
) -> None:
    """It is refused before the first call, with the template's own file."""
    with pytest.raises(InputError) as caught:
        graph_of(
            "stacks: {one: {template: big.yaml, scope: global}}", CONFIG, {"big.yaml": template}
        )
    [problem] = caught.value.problems
    assert (problem.file, problem.key) == ("big.yaml", key)
    assert says in problem.message


@pytest.mark.parametrize(
    ("name", "says"), [("x" * 120, "takes 128"), ("a_b", "letters, digits and hyphens")]
)
def test_a_stack_s_name_must_be_one_that_cloudformation_takes(name: str, says: str) -> None:
    """The name contains project and stage, so no single part of it is the problem."""
    graph = f"stacks: {{{name}: {{template: api.yaml, scope: regional}}}}"
    assert says in problems_of(graph)[f"stacks.{name}"]


def test_only_regional_stacks_use_a_value_for_each_region() -> None:
    """A global stack is refused such a setting, and a misspelled one is an unknown key."""
    by_region = CONFIG + 'settings = {url = {us-east-1 = "a", us-west-2 = "b"}}'
    graph = graph_of(CONDITIONAL, by_region)
    assert [
        graph.nodes[NodeId("stage", region)].parameters["Key"]
        for region in ("us-east-1", "us-west-2")
    ] == ["a", "b"]
    problems = problems_of(
        CONDITIONAL.replace("{Name: {setting: domain}}", "{Name: {setting: url}}"), by_region
    )
    assert "differs from region to region" in problems["stacks.zone.parameters.Name"]
    assert (
        "did you mean 'url'"
        in problems_of(CONDITIONAL, by_region.replace("url =", "urll ="))[
            "stages.dev.settings.urll"
        ]
    )


WORDS = (
    "settings",
    "stacks",
    "service",
    "artifacts",
    "template",
    "scope",
    "when",
    "parameters",
    "snapshot",
    "only",
    "default",
)
MORE = (
    "values",
    "lookup",
    "output",
    "setting",
    "artifact",
    "part",
    "value",
    "region",
    "resource",
    "of",
    "hosted_zone",
    "a.b",
    "global",
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from([*WORDS, *MORE])
)
TREES = st.recursive(
    LEAVES,
    lambda node: st.one_of(
        st.lists(node, max_size=3),
        st.dictionaries(st.sampled_from([*WORDS, *MORE]), node, max_size=4),
    ),
)


@given(st.dictionaries(st.sampled_from(WORDS[:4]), TREES))
def test_any_yaml_is_parsed_or_refused(document: dict[str, object]) -> None:
    """Any YAML is either a graph file or an InputError."""
    with suppress(InputError):
        parse_graph_file(yaml.safe_dump(document), "stacks.yaml")
