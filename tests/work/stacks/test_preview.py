"""Planning on a simulated CloudFormation: what is asked of it for each stack, and what is made of
the answers.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from deploytool.core.errors import CloudRefused, DeploytoolError
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.project.graphfile import parse_graph_file
from deploytool.core.project.template import load_yaml, parse_template
from deploytool.core.stacks.changes import DeployedTemplate, Effect, ResourceChange, Source
from deploytool.core.stacks.drift import StackDrift
from deploytool.core.stacks.plan import PROJECT_TAG, STAGE_TAG, Action
from deploytool.core.stacks.stack import Stack, StackRequest, StackStatus
from deploytool.render.plan.document import plan_document
from deploytool.render.plan.text import plan_lines
from deploytool.work.stacks.deploy import DeployPorts, deploy
from deploytool.work.stacks.preview import Plan, PlanPorts, plan, side_by_side

EAST, WEST = "us-east-1", "us-west-2"
API, LAMBDA, RECORD = NodeId("api", EAST), NodeId("lambda", EAST), NodeId("record", EAST)
SECRET = "hunter2"
TEMPLATE = """
Parameters:
  Input: {Type: String, Default: ''}
  Size: {Type: String, Default: ''}
  Key: {Type: String, Default: '', NoEcho: true}
Resources: {A: {Type: 'AWS::Lambda::Function', Properties: {MemorySize: !Ref Size, Role: !Ref Input, Code: !Ref Key}}}
Outputs: {Out: {Value: !Ref A}, Arn: {Value: !GetAtt A.Arn}}
"""
GRAPH = """
settings: {size: 1, key: none}
stacks:
  api: {template: t.yaml, scope: regional, parameters: {Size: {setting: size}, Key: {setting: key}}}
  lambda: {template: t.yaml, scope: regional, parameters: {Input: {output: api.Out}}}
  record: {template: t.yaml, scope: regional, parameters: {Input: {output: lambda.Arn}}}
"""


def graph_of(**settings: object) -> Graph:
    """The graph with these settings."""
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    text = f'project = "hello"\ndomain = "example.com"\nregions = ["{EAST}", "{WEST}"]\n[stages.dev.settings]\n{lines}'
    config = parse_config(text, "deploytool.toml")
    file = parse_graph_file(GRAPH, "stacks.yaml")
    return build_graph(
        config, config.stage("dev"), file, {"t.yaml": parse_template(TEMPLATE, "t.yaml")}, {}
    )


@dataclass
class Previewing:
    """The Previews and Drifts ports. Answers every preview with `effect` on the one resource; notes
    what was asked.
    """

    effect: Effect = Effect.UPDATE
    fails: Exception | None = None
    asked: list[tuple[str, str, bool]] = field(default_factory=list)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    drift: StackDrift = field(default_factory=lambda: StackDrift("IN_SYNC"))

    def preview(
        self, region: str, request: StackRequest, *, values: bool
    ) -> Sequence[ResourceChange]:
        self.asked.append((region, request.name, values))
        if self.fails:
            raise self.fails
        return [ResourceChange(self.effect, "A", "AWS::Lambda::Function")]

    def deployed(self, region: str, stack_id: str) -> DeployedTemplate:
        return DeployedTemplate(
            load_yaml(TEMPLATE, "t.yaml"), {"Input": "", "Size": "1", "Key": "****"}
        )

    def detect(self, region: str, stack_id: str) -> StackDrift:
        return self.drift


@pytest.fixture
def previews() -> Previewing:
    return Previewing()


@pytest.fixture
def ports(stacks: Any, runner: Any, previews: Previewing) -> PlanPorts:
    return PlanPorts(stacks, previews, previews, runner)


@pytest.fixture
def deployed(stacks: Any, buckets: Any, runner: Any) -> None:
    deploy(graph_of(), DeployPorts(stacks, buckets, stacks.clock, runner), lambda _: None)


def made(ports: PlanPorts, **settings: object) -> Plan:
    return plan(graph_of(**settings), ports, (EAST,))


def test_new_stacks_are_planned_from_their_templates(
    ports: PlanPorts, previews: Previewing
) -> None:
    """No change set is made for what is not there."""
    found = made(ports)
    assert {
        node: (each.source, len(each.resources)) for node, each in found.changes.items()
    } == dict.fromkeys((API, LAMBDA, RECORD), (Source.TEMPLATE, 1))
    assert previews.asked == []


@pytest.mark.usefixtures("deployed")
def test_nothing_is_asked_when_nothing_differs(ports: PlanPorts, previews: Previewing) -> None:
    """Unchanged stacks cost the listing alone."""
    found = made(ports)
    assert {step.decision.action for step in found.steps} == {Action.NOTHING}
    assert (previews.asked, dict(found.changes)) == ([], {})
    assert list(plan_lines(found)) == ["Nothing to do: 3 stacks as desired."]


@pytest.mark.usefixtures("deployed")
def test_an_update_in_place_leaves_its_dependants_alone(
    ports: PlanPorts, previews: Previewing
) -> None:
    """The output is a Ref, which stays: no dependant is in doubt."""
    found = made(ports, size=2)
    assert previews.asked == [(EAST, "hello-dev-api", False)]
    assert [step.node for step in found.steps if step.pending] == []


@pytest.mark.usefixtures("deployed")
def test_a_replacement_puts_its_dependants_in_doubt(ports: PlanPorts, previews: Previewing) -> None:
    """What takes the output is unchanged unless that changes."""
    previews.effect = Effect.REPLACE
    found = made(ports, size=2)
    assert {step.node: step.pending for step in found.steps if step.pending} == {
        LAMBDA: ("api@us-east-1.Out",)
    }
    assert "replaced or deleted: 1 resource." in "".join(plan_lines(found))


def test_an_update_with_a_pending_input_is_estimated(
    ports: PlanPorts, previews: Previewing, stacks: Any, deployed: None
) -> None:
    """Its template is compared with the deployed one, and no change set is made of an old input."""
    previews.effect = Effect.REPLACE
    for held in stacks.held.values():
        held.stack = _without_fingerprint(held.stack)
    found = made(ports)
    assert found.changes[API].source is Source.CHANGE_SET
    assert found.changes[LAMBDA].source is Source.ESTIMATE
    assert [each.effect for each in found.changes[LAMBDA].resources] == [Effect.UPDATE]
    assert [name for _, name, _ in previews.asked] == ["hello-dev-api"]


def _without_fingerprint(stack: Stack) -> Stack:
    return Stack(stack.name, stack.id, stack.status, stack.outputs)


@pytest.mark.usefixtures("deployed")
def test_what_cloudformation_cannot_plan_is_said_and_the_answer_is_no(
    ports: PlanPorts, previews: Previewing
) -> None:
    """The other stacks are planned all the same."""
    previews.fails = DeploytoolError("Template error: nonsense")
    found = made(ports, size=2)
    assert dict(found.problems) == {API: "Template error: nonsense"}
    assert not found.ok


@pytest.mark.usefixtures("deployed")
def test_missing_permission_ends_the_plan(ports: PlanPorts, previews: Previewing) -> None:
    """It is nothing of one stack's."""
    previews.fails = CloudRefused("AccessDenied")
    with pytest.raises(CloudRefused):
        made(ports, size=2)


@pytest.mark.parametrize(
    ("status", "action", "ok"),
    [
        (StackStatus.DELETE_FAILED, Action.REFUSE, False),
        (StackStatus.UPDATE_ROLLBACK_FAILED, Action.CONTINUE, True),
    ],
)
def test_a_bad_state_is_refused_or_repaired_as_deploy_would(
    ports: PlanPorts,
    previews: Previewing,
    stacks: Any,
    deployed: None,
    status: StackStatus,
    action: Action,
    *,
    ok: bool,
) -> None:
    """A refusal makes the answer no. A stack that takes no change set yet is estimated."""
    held = next(
        held
        for (region, _), held in stacks.held.items()
        if (region, held.stack.name) == (EAST, "hello-dev-api")
    )
    held.stack = replace(held.stack, status=status)
    found = made(ports, size=2)
    assert (found.steps[0].decision.action, found.ok, previews.asked) == (action, ok, [])
    assert ok == (API in found.changes and found.changes[API].source is Source.ESTIMATE)


def test_stacks_that_left_the_graph_are_named_and_left(
    ports: PlanPorts, stacks: Any, deployed: None
) -> None:
    """By their tags, or without tags by their name; another stage's and another's are not ours."""
    tags = {PROJECT_TAG: "hello", STAGE_TAG: "dev"}
    for name, own in [
        ("hello-dev-old", {}),
        ("renamed", tags),
        ("hello-dev-x", {**tags, STAGE_TAG: "dev-x"}),
        ("other", {}),
    ]:
        stacks.create(EAST, StackRequest(name, "Description: x", {}, {}, name))
        key = next(key for key in stacks.held if f":{name}:" in key[1])
        stacks.held[key].stack = Stack(name, key[1], StackStatus.CREATE_COMPLETE, {}, tags=own)
    found = made(ports)
    assert [(region, stack.name) for region, stack in found.left_over] == [
        (EAST, "hello-dev-old"),
        (EAST, "renamed"),
    ]
    assert plan_document(found)["no_longer_in_graph"][0]["name"] == "hello-dev-old"


@pytest.mark.usefixtures("deployed")
def test_drift_is_looked_for_only_when_asked(ports: PlanPorts) -> None:
    """Each deployed stack of the regions."""
    assert made(ports).drifts == {}
    found = plan(graph_of(), ports, (EAST,), drift=True)
    assert dict(found.drifts) == dict.fromkeys((API, LAMBDA, RECORD), StackDrift("IN_SYNC"))


@pytest.mark.usefixtures("deployed")
def test_a_secret_is_nowhere_in_a_plan(ports: PlanPorts, previews: Previewing) -> None:
    """Not in its text and not in its document; and values of a template with a secret are never
    asked for.
    """
    found = made(ports, key=SECRET)
    assert previews.asked
    assert SECRET not in json.dumps(plan_document(found)) + "".join(plan_lines(found))
    assert not any(values for _, _, values in previews.asked)


def test_every_call_ends_before_an_error_is_raised(runner: Any) -> None:
    """What the others began is cleaned up by themselves; then the first error is raised."""
    ended: list[int] = []

    def fail() -> int:
        raise DeploytoolError("first")

    with pytest.raises(DeploytoolError, match="first"):
        side_by_side(runner, [fail, lambda: ended.append(1) or 1])
    assert ended == [1]
