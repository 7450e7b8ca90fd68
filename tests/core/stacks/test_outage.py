"""What a stack keeps, and what is left, while an API does not answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.errors import ApiUnavailable
from deploytool.core.project.graph import Graph, Node, NodeId, OutputRef, Upload
from deploytool.core.project.package import build_package
from deploytool.core.project.template import load_yaml, parse_template
from deploytool.core.stacks.changes import DeployedTemplate, Effect, ResourceChange
from deploytool.core.stacks.outage import (
    Found,
    Inputs,
    changes_of_update,
    global_api_of,
    global_needs,
    has_global_resources,
    inputs_of,
    refusal_of_deletion,
    refusal_of_unreachable,
    unknown_buckets,
)
from deploytool.core.stacks.ownership import PROJECT_TAG, STACK_TAG, STAGE_TAG
from deploytool.core.stacks.plan import Action, make_plan
from deploytool.core.stacks.stack import Stack, StackStatus

EAST, WEST = "us-east-1", "us-west-2"
ZONE, FUNCTION = NodeId("zone", EAST), NodeId("lambda", WEST)
ZONE_ID = OutputRef(ZONE, "Id")
DEAD = ApiUnavailable("listing the stacks of us-east-1: 503", EAST)
TEMPLATE = """
Parameters:
  Zone: {Type: String}
  Size: {Type: Number, Default: 128}
  Days: {Type: Number, Default: 7}
  Boundary: {Type: String, Default: ''}
  Secret: {Type: String, Default: '', NoEcho: true}
Resources:
  Logs: {Type: 'AWS::Logs::LogGroup', Properties: {LogGroupName: x, RetentionInDays: !Ref Days}}
  Role:
    Type: AWS::IAM::Role
    Properties: {PermissionsBoundary: !Ref Boundary, Policies: [!GetAtt Logs.Arn, !Ref Secret]}
  Function: {Type: 'AWS::Lambda::Function', Properties: {MemorySize: !Ref Size, Role: !GetAtt Role.Arn}}
"""
BEFORE = {"Zone": "Z1", "Size": "128", "Days": "7", "Boundary": "", "Secret": "****"}


def node_of(template: str = TEMPLATE, **parameters: Any) -> Node:
    """A node of the secondary region with these parameters."""
    parsed = parse_template(template, "t.yaml")
    document = load_yaml(template, "t.yaml")
    return Node(FUNCTION, "hello-dev-lambda", parsed, document, parameters, ())


def deployed_with(**parameters: str) -> Stack:
    status = StackStatus.CREATE_COMPLETE
    tags = {PROJECT_TAG: "hello", STAGE_TAG: "dev", STACK_TAG: "lambda"}
    return Stack("hello-dev-lambda", "id", status, {}, parameters=parameters, tags=tags)


VALUES = st.dictionaries(st.sampled_from("abcd"), st.text(max_size=3))


@given(known=VALUES, deployed=VALUES, is_dead=st.booleans())
def test_an_input_is_known_kept_unknown_or_absent(
    known: dict[str, str], deployed: dict[str, str], *, is_dead: bool
) -> None:
    """An output that is known counts. Otherwise the deployed value does, of a dead region alone."""
    node = node_of(**{name: OutputRef(ZONE, name) for name in "abcd"}, literal="x")
    unknown = {ZONE} if is_dead else set()
    inputs = inputs_of(node, {ZONE: known}, deployed_with(**deployed), unknown)

    assert inputs.values["literal"] == "x"
    for name in "abcd":
        ref = OutputRef(ZONE, name)
        if name in known:
            assert inputs.values[name] == known[name]
            assert name not in inputs.kept
        elif is_dead and name in deployed:
            assert inputs.values[name] == deployed[name]
            assert inputs.kept[name] == ref
        else:
            assert name not in inputs.values
            assert (ref in inputs.unknown) is is_dead
            assert (ref in inputs.absent) is not is_dead


def test_the_bucket_of_a_package_must_be_known_to_store_it() -> None:
    """That of a dead region is not."""
    package = build_package("function", {"handler.py": b"1"})
    parsed = parse_template(TEMPLATE, "t.yaml")
    bucket = OutputRef(NodeId("bucket", EAST), "Name")
    node = Node(FUNCTION, "x", parsed, {}, {}, (Upload(package, bucket),))
    assert unknown_buckets(node, {}, {bucket.node}) == (bucket,)
    assert unknown_buckets(node, {bucket.node: {"Name": "b"}}, {bucket.node}) == ()
    assert unknown_buckets(node, {}, set()) == ()


@pytest.mark.parametrize(
    ("resource_type", "api"),
    [
        ("AWS::IAM::Role", "IAM"),
        ("AWS::Route53::RecordSet", "Route 53"),
        ("AWS::Route53Resolver::ResolverRule", None),
        ("AWS::CloudFront::Distribution", "CloudFront"),
        ("AWS::CertificateManager::Certificate", "Route 53"),
        ("AWS::Lambda::Function", None),
        ("AWS::CloudFormation::WaitCondition", None),
    ],
)
def test_the_types_that_need_a_global_service(resource_type: str, api: str | None) -> None:
    """Route 53 Resolver is regional, whatever its name begins with."""
    assert global_api_of(resource_type) == api


@pytest.mark.parametrize(
    ("changed", "same_tags", "needs"),
    [
        ({"Size": "256"}, True, ""),
        ({"Days": "14"}, True, ""),
        ({"Boundary": "b"}, True, "IAM for Role (AWS::IAM::Role)"),
        ({"Size": "256"}, False, "IAM for Role (AWS::IAM::Role)"),
    ],
    ids=["memory", "log retention", "boundary of the role", "tags of the role"],
)
def test_only_a_change_of_the_role_needs_iam(
    changed: dict[str, str], needs: str, *, same_tags: bool
) -> None:
    """Memory, code and log retention do not change it; tags go to every resource."""
    inputs = Inputs({**BEFORE, **changed}, kept={"Zone": ZONE_ID, "Secret": ZONE_ID})
    before = DeployedTemplate(load_yaml(TEMPLATE, "t.yaml"), BEFORE)
    node = node_of()
    changes = changes_of_update(node, before, inputs, same_tags=same_tags)
    assert changes
    assert ", ".join(global_needs(node.document, changes)) == needs


def test_a_secret_that_is_not_kept_may_change_the_role() -> None:
    """CloudFormation does not show its value, so that it cannot be compared."""
    before = DeployedTemplate(load_yaml(TEMPLATE, "t.yaml"), BEFORE)
    inputs = Inputs({**BEFORE, "Secret": "new"})
    changes = changes_of_update(node_of(), before, inputs, same_tags=True)
    assert global_needs({}, changes) == ("IAM for Role (AWS::IAM::Role)",)


def test_what_is_left_behind_needs_nothing_and_a_transform_may_need_anything() -> None:
    """CloudFormation alone knows what a transform creates."""
    retained = ResourceChange(Effect.RETAIN, "Zone", "AWS::Route53::HostedZone")
    assert global_needs({}, [retained]) == ()
    document = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {}}
    assert "Transform" in "".join(global_needs(document, []))
    assert has_global_resources(document)
    assert not has_global_resources({"Resources": {"A": {"Type": "AWS::Lambda::Function"}}})


def graph_of(*nodes: Node) -> Graph:
    return Graph("hello", "dev", {node.id: node for node in nodes}, {}, {}, regions=(EAST, WEST))


def zone_node() -> Node:
    return Node(ZONE, "hello-dev-zone", parse_template(TEMPLATE, "t.yaml"), {}, {}, ())


def test_the_plan_for_a_region_alone() -> None:
    """Nothing is planned for the dead region, and its outputs stay as they are deployed."""
    graph = graph_of(zone_node(), node_of(Zone=ZONE_ID))
    (step,) = make_plan(graph, {FUNCTION: deployed_with(Zone="Z1")}, {EAST})
    assert step.node == FUNCTION
    assert step.decision.action is Action.UPDATE
    assert step.kept == (f"{ZONE}.Id",)


def test_a_new_stack_that_needs_the_dead_region_is_left() -> None:
    """The reason names the output and the region."""
    graph = graph_of(zone_node(), node_of(Zone=ZONE_ID))
    (step,) = make_plan(graph, {}, {EAST})
    assert step.decision.action is Action.LEFT
    assert step.decision.reason == (
        "needs zone@us-east-1.Id, and the API of us-east-1 does not answer"
    )


@pytest.mark.parametrize(
    ("dead", "chosen", "region", "hint"),
    [
        ({EAST}, {FUNCTION}, None, ""),
        (
            {EAST},
            {FUNCTION, ZONE},
            EAST,
            "deploytool deploy --stage dev --region us-west-2 --local",
        ),
        ({WEST}, {FUNCTION}, WEST, "deploytool deploy --stage dev --region us-east-1 --local"),
        ({EAST, WEST}, {FUNCTION}, WEST, "check the network connection"),
    ],
)
def test_a_deployment_to_a_dead_region_does_not_start(
    dead: set[str], chosen: set[NodeId], region: str | None, hint: str
) -> None:
    """The hint names the region that answers, if there is one."""
    found = Found({}, {name: ApiUnavailable("no answer", name) for name in dead})
    refusal = refusal_of_unreachable(graph_of(), found, chosen, options=" --local")
    if region is None:
        assert refusal is None
        return
    assert refusal is not None
    assert refusal.region == region
    assert "nothing was changed" in str(refusal)
    assert refusal.hint.startswith(hint)


def test_nothing_is_deleted_while_a_region_is_dead() -> None:
    """The stacks of both regions depend on each other."""
    assert refusal_of_deletion(Found({})) is None
    refusal = refusal_of_deletion(Found({}, {EAST: DEAD}))
    assert refusal is not None
    assert (refusal.exit_code, refusal.region) == (4, EAST)
    assert "nothing was deleted" in str(refusal)
