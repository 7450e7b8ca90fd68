"""Order that no parameter tells: what a snapshot contains, exports and imports, outputs by name."""

import pytest

from deploytool.core.errors import InputError
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.template import parse_template

EAST, WEST = "us-east-1", "us-west-2"
CONFIG = (
    f'project = "hello"\ndomain = "example.com"\nregions = ["{EAST}", "{WEST}"]\n[stages.dev]\n'
)
API = "Resources: {Api: {Type: 'AWS::ApiGateway::RestApi'}}\nOutputs: {Id: {Value: !Ref Api}}\n"
ROUTE = """
Parameters: {Api: {Type: String}, Timeout: {Type: String, Default: '29'}}
Resources: {Users: {Type: 'AWS::ApiGateway::Method', Properties: {RestApiId: !Ref Api}}}
Outputs: {Path: {Value: /v1/users}}
"""
STAGE = """
Parameters: {Api: {Type: String}}
Resources: {Deployment: {Type: 'AWS::ApiGateway::Deployment', Properties: {RestApiId: !Ref Api}}}
Outputs: {Stage: {Value: x}}
"""
TOPIC = """
Parameters: {Prefix: {Type: String, Default: shared}, Id: {Type: String, Default: ''}}
Resources: {Topic: {Type: 'AWS::SNS::Topic'}}
Outputs: {Arn: {Value: !Ref Topic, Export: {Name: NAME}}}
"""
NOTE = """
Parameters: {Prefix: {Type: String, Default: shared}, Id: {Type: String, Default: ''}}
Resources: {Note: {Type: 'AWS::SSM::Parameter', Properties: {Type: String, Value: VALUE}}}
"""


def graph_of(stacks: str, **templates: str) -> Graph:
    config = parse_config(CONFIG, "deploytool.toml")
    documents = {
        f"{name}.yaml": parse_template(text, f"{name}.yaml") for name, text in templates.items()
    }
    file = parse_graph_file(stacks, "stacks.yaml")
    return build_graph(config, config.stage("dev"), file, documents, {})


ROUTES = """
settings: {timeout: 29}
stacks:
  api: {template: api.yaml, scope: regional}
  stage:
    template: stage.yaml
    scope: regional
    snapshot: {resource: Deployment, of: [api, users, stage]}
    parameters: {Api: {output: api.Id}}
  users:
    template: users.yaml
    scope: regional
    parameters: {Api: {output: api.Id}, Timeout: {setting: timeout}}
"""


def test_a_snapshot_comes_after_all_that_it_contains() -> None:
    """The deployment's stack waits for the stack of the methods, and is deleted before it.

    API Gateway takes a deployment once. A method that is created beside it may be missing in it.
    """
    graph = graph_of(ROUTES, api=API, stage=STAGE, users=ROUTE)
    for region in (EAST, WEST):
        stage, users = NodeId("stage", region), NodeId("users", region)
        assert graph.edges()[stage] == {users, NodeId("api", region)}
        assert stage in graph.reversed_edges()[users]
    assert [node.stack for node in graph.nodes if node.region == WEST] == ["api", "users", "stage"]


def test_a_setting_of_a_route_gives_a_new_snapshot() -> None:
    """A setting that a stack of the snapshot takes changes the deployment's name.

    Otherwise the method would change and the stage would go on with the deployment before it.
    """

    def deployment(timeout: int) -> str:
        graph = graph_of(
            ROUTES.replace("timeout: 29", f"timeout: {timeout}"),
            api=API,
            stage=STAGE,
            users=ROUTE,
        )
        [name] = graph.nodes[NodeId("stage", EAST)].document["Resources"]  # type: ignore[misc, attr-defined]  # a document
        return str(name)

    assert deployment(29) == deployment(29)
    assert deployment(29) != deployment(5)


def test_a_route_that_needs_the_stack_of_its_snapshot_is_a_circle() -> None:
    """The message names the snapshot: no parameter shows that half of the circle."""
    stacks = ROUTES.replace("Timeout: {setting: timeout}", "Timeout: {output: stage.Stage}")
    with pytest.raises(InputError, match=r"circle: .*`snapshot`"):
        graph_of(stacks, api=API, stage=STAGE, users=ROUTE)


def test_a_stack_of_a_snapshot_that_the_stage_does_not_use_is_not_waited_for() -> None:
    """It is still ordered in the deletion, where it may be left from earlier settings."""
    stacks = ROUTES.replace("timeout: 29", "timeout: 29, users: false").replace(
        "template: users.yaml", "template: users.yaml\n    when: {users: true}"
    )
    graph = graph_of(stacks, api=API, stage=STAGE, users=ROUTE)
    assert graph.edges()[NodeId("stage", EAST)] == {NodeId("api", EAST)}
    assert NodeId("stage", EAST) in graph.whole().reversed_edges()[NodeId("users", EAST)]


LINKED = """
settings: {prefix: orders}
stacks:
  note: {template: note.yaml, scope: regional, parameters: {Prefix: {setting: prefix}, Id: {output: api.Id}}}
  topic: {template: topic.yaml, scope: regional, parameters: {Prefix: orders, Id: {output: api.Id}}}
  api: {template: api.yaml, scope: regional}
"""


@pytest.mark.parametrize(
    ("exported", "imported"),
    [
        ("!Sub 'shared-${AWS::Region}'", "!Sub 'shared-${AWS::Region}'"),
        ("!Sub '${AWS::StackName}-arn'", "hello-dev-topic-arn"),
        ("!Sub '${Prefix}-${AWS::AccountId}'", "!Join ['-', [!Ref Prefix, !Ref 'AWS::AccountId']]"),
        ("!Join [':', [!Ref Prefix, arn]]", "orders:arn"),
        ("!Sub '${Id}-arn'", "!Sub '${Id}-arn'"),
    ],
)
def test_an_import_comes_after_its_export(exported: str, imported: str) -> None:
    """Names are compared as text after the parameters are put in, region by region."""
    topic = TOPIC.replace("NAME", exported)
    note = NOTE.replace("VALUE", f"{{'Fn::ImportValue': {imported}}}")
    graph = graph_of(LINKED, api=API, topic=topic, note=note)
    for region in (EAST, WEST):
        importer, exporter = NodeId("note", region), NodeId("topic", region)
        assert exporter in graph.edges()[importer]
        assert graph.reversed_edges()[exporter] == {importer}


@pytest.mark.parametrize("imported", ["of-somebody-else", "!Ref 'AWS::StackId'"])
def test_an_import_of_what_no_stack_here_exports_gives_no_order(imported: str) -> None:
    """The export may be of a stack outside the graph."""
    topic = TOPIC.replace("NAME", "shared")
    note = NOTE.replace("VALUE", f"!Join ['', [{{'Fn::ImportValue': {imported}}}]]")
    graph = graph_of(LINKED, api=API, topic=topic, note=note)
    assert graph.edges()[NodeId("note", EAST)] == {NodeId("api", EAST)}


def test_an_output_taken_by_the_stack_s_name_gives_an_order() -> None:
    """Fn::GetStackOutput names a stack of this region or of another one."""
    value = (
        "{'Fn::GetStackOutput': {StackName: hello-dev-topic, OutputName: Arn, Region: us-west-2}}"
    )
    graph = graph_of(
        LINKED,
        api=API,
        topic=TOPIC.replace("NAME", "!Sub '${AWS::StackName}'"),
        note=NOTE.replace("VALUE", value),
    )
    for region in (EAST, WEST):
        assert NodeId("topic", WEST) in graph.edges()[NodeId("note", region)]


def test_a_name_that_two_stacks_export_is_a_problem() -> None:
    """Export names are unique in an account and region: CloudFormation refuses the second one."""
    stacks = LINKED.replace("note.yaml", "topic.yaml")
    with pytest.raises(InputError, match=r"stacks\.\w+: exports 'shared' in us-east-1"):
        graph_of(stacks, api=API, topic=TOPIC.replace("NAME", "shared"))


@pytest.mark.parametrize("equals", ["['a', 'b']", "[!Ref Id, 'b']"])
def test_an_export_that_may_not_be_there_is_no_problem(equals: str) -> None:
    """Only outputs whose condition is true are exported (template reference of Outputs)."""
    stacks = LINKED.replace("note.yaml", "topic.yaml")
    topic = TOPIC.replace("NAME", "shared").replace("Value: !Ref", "Condition: Is, Value: !Ref")
    conditions = f"Conditions: {{Is: !Equals {equals}}}\n"
    graph_of(stacks, api=API, topic=conditions + topic)


def test_an_export_that_may_be_there_gives_an_order() -> None:
    """An output of another stack decides the condition, and is not known yet."""
    topic = TOPIC.replace("NAME", "shared").replace("Value: !Ref", "Condition: Is, Value: !Ref")
    conditions = "Conditions: {Is: !Equals [!Ref Id, b]}\n"
    note = NOTE.replace("VALUE", "!ImportValue shared")
    graph = graph_of(LINKED, api=API, topic=conditions + topic, note=note)
    assert NodeId("topic", EAST) in graph.edges()[NodeId("note", EAST)]
