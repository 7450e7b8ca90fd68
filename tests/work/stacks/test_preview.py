"""Planning on a simulated CloudFormation: which previews are requested, and what they result in."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from deploytool.core.errors import CloudRefused, DeploytoolError
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.template import load_yaml, parse_template
from deploytool.core.stacks.changes import DeployedTemplate, Effect, ResourceChange, Source
from deploytool.core.stacks.drift import StackDrift
from deploytool.core.stacks.ownership import PROJECT_TAG, STAGE_TAG
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.stack import Stack, StackRequest, StackStatus
from deploytool.render.plan.document import plan_document
from deploytool.render.plan.text import plan_lines
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.preview import Plan, PlanPorts, plan
from deploytool.work.stacks.run import DeployPorts

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
    """The Previews and Drifts ports.

    Every preview has `effect` on the one resource, or changes outputs alone without one. Without
    `changes` CloudFormation sees no change at all. `requests` records region, name and values.
    """

    effect: Effect | None = Effect.UPDATE
    changes: bool = True
    failure: Exception | None = None
    requests: list[tuple[str, str, bool]] = field(default_factory=list)
    drift: StackDrift = field(default_factory=lambda: StackDrift("IN_SYNC"))

    def preview(
        self, region: str, request: StackRequest, *, values: bool
    ) -> Sequence[ResourceChange] | None:
        self.requests.append((region, request.name, values))
        if self.failure:
            raise self.failure
        if not self.changes:
            return None
        if self.effect is None:
            return []
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
def ports(stacks: Any, executor: Any, previews: Previewing) -> PlanPorts:
    return PlanPorts(stacks, previews, previews, executor)


@pytest.fixture
def deployed(stacks: Any, buckets: Any, executor: Any) -> None:
    deploy(graph_of(), DeployPorts(stacks, buckets, stacks.clock, executor, stacks), lambda _: None)


def plan_of(ports: PlanPorts, **settings: object) -> Plan:
    return plan(graph_of(**settings), ports, (EAST,))


def test_new_stacks_are_planned_from_their_templates(
    ports: PlanPorts, previews: Previewing
) -> None:
    """No change set is created for a stack that does not exist."""
    result = plan_of(ports)
    assert set(result.changes) == {API, LAMBDA, RECORD}
    for changes in result.changes.values():
        assert (changes.source, len(changes.resources)) == (Source.TEMPLATE, 1)
    assert previews.requests == []


def test_a_condition_on_the_region_decides_what_a_new_stack_has(
    ports: PlanPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resource of the primary region alone is not planned in the other one."""
    condition = f"Conditions: {{IsPrimary: !Equals [!Ref 'AWS::Region', {EAST}]}}\n"
    template = condition + TEMPLATE.replace("{A: {Type", "{A: {Condition: IsPrimary, Type")
    monkeypatch.setattr(f"{__name__}.TEMPLATE", template)
    changes = plan(graph_of(), ports, (EAST, WEST)).changes
    assert [change.logical_id for change in changes[API].resources] == ["A"]
    assert changes[NodeId("api", WEST)].resources == ()


@pytest.mark.usefixtures("deployed")
def test_no_preview_is_requested_when_nothing_differs(
    ports: PlanPorts, previews: Previewing
) -> None:
    """Unchanged stacks cost only the listing."""
    result = plan_of(ports)
    assert {step.decision.action for step in result.steps} == {Action.NOTHING}
    assert (previews.requests, dict(result.changes)) == ([], {})
    assert list(plan_lines(result)) == ["Nothing to do: 3 stacks as desired."]


@pytest.mark.usefixtures("deployed")
def test_an_update_in_place_makes_no_input_pending(ports: PlanPorts, previews: Previewing) -> None:
    """The output is a Ref, which stays the same."""
    result = plan_of(ports, size=2)
    assert previews.requests == [(EAST, "hello-dev-api", False)]
    assert [step.node for step in result.steps if step.pending] == []


@pytest.mark.usefixtures("deployed")
def test_a_replacement_makes_the_inputs_of_others_pending(
    ports: PlanPorts, previews: Previewing
) -> None:
    """A stack that takes the output is unchanged unless the output changes."""
    previews.effect = Effect.REPLACE
    result = plan_of(ports, size=2)
    assert {step.node: step.pending for step in result.steps if step.pending} == {
        LAMBDA: ("api@us-east-1.Out",)
    }
    assert "replaced or deleted: 1." in "".join(plan_lines(result))


def test_an_update_with_a_pending_input_is_estimated(
    ports: PlanPorts, previews: Previewing, stacks: Any, deployed: None
) -> None:
    """Its template is compared with the deployed one. No change set is created with an old input."""
    previews.effect = Effect.REPLACE
    for held in stacks.records.values():
        held.stack = _without_fingerprint(held.stack)
    result = plan_of(ports)
    assert result.changes[API].source is Source.CHANGE_SET
    assert result.changes[LAMBDA].source is Source.ESTIMATE
    assert [change.effect for change in result.changes[LAMBDA].resources] == [Effect.UPDATE]
    assert [name for _, name, _ in previews.requests] == ["hello-dev-api"]


def _without_fingerprint(stack: Stack) -> Stack:
    return replace(stack, fingerprint=None)


@pytest.mark.usefixtures("deployed")
def test_an_update_that_cloudformation_cannot_plan_is_a_problem(
    ports: PlanPorts, previews: Previewing
) -> None:
    """The other stacks are planned, and the plan is not ok."""
    previews.failure = DeploytoolError("Template error: nonsense")
    result = plan_of(ports, size=2)
    assert dict(result.problems) == {API: "Template error: nonsense"}
    assert not result.ok


@pytest.mark.usefixtures("deployed")
def test_missing_permission_ends_the_plan(ports: PlanPorts, previews: Previewing) -> None:
    """It is not a problem of one stack alone."""
    previews.failure = CloudRefused("AccessDenied")
    with pytest.raises(CloudRefused):
        plan_of(ports, size=2)


@pytest.mark.parametrize(
    ("status", "action", "ok"),
    [
        (StackStatus.DELETE_FAILED, Action.REFUSE, False),
        (StackStatus.UPDATE_ROLLBACK_FAILED, Action.CONTINUE, True),
    ],
)
def test_a_bad_status_is_refused_or_repaired_as_by_deploy(
    ports: PlanPorts,
    previews: Previewing,
    stacks: Any,
    deployed: None,
    status: StackStatus,
    action: Action,
    *,
    ok: bool,
) -> None:
    """A plan with a refusal is not ok. A stack that allows no change set yet is estimated."""
    held = next(
        held
        for (region, _), held in stacks.records.items()
        if (region, held.stack.name) == (EAST, "hello-dev-api")
    )
    held.stack = replace(held.stack, status=status)
    result = plan_of(ports, size=2)
    assert (result.steps[0].decision.action, result.ok, previews.requests) == (action, ok, [])
    assert ok == (API in result.changes and result.changes[API].source is Source.ESTIMATE)


def test_stacks_that_are_no_longer_in_the_graph_are_named(
    ports: PlanPorts, stacks: Any, deployed: None
) -> None:
    """They are found by their tags, or without tags by their name. Those of another stage or tool
    are not named.
    """
    tags = {PROJECT_TAG: "hello", STAGE_TAG: "dev"}
    for name, own in [
        ("hello-dev-old", {}),
        ("renamed", tags),
        ("hello-dev-x", {**tags, STAGE_TAG: "dev-x"}),
        ("other", {}),
    ]:
        stacks.create(EAST, StackRequest(name, "Description: x", {}, {}, name))
        key = next(key for key in stacks.records if f":{name}:" in key[1])
        stacks.records[key].stack = Stack(name, key[1], StackStatus.CREATE_COMPLETE, {}, tags=own)
    result = plan_of(ports)
    assert [(region, stack.name) for region, stack in result.not_in_graph] == [
        (EAST, "hello-dev-old"),
        (EAST, "renamed"),
    ]
    assert plan_document(result)["no_longer_in_graph"][0]["name"] == "hello-dev-old"


@pytest.mark.usefixtures("deployed")
def test_drift_is_detected_only_on_request(ports: PlanPorts) -> None:
    """It is detected for each deployed stack of the regions."""
    assert plan_of(ports).drifts == {}
    result = plan(graph_of(), ports, (EAST,), drift=True)
    assert dict(result.drifts) == dict.fromkeys((API, LAMBDA, RECORD), StackDrift("IN_SYNC"))


@pytest.mark.usefixtures("deployed")
def test_a_plan_never_contains_a_secret(ports: PlanPorts, previews: Previewing) -> None:
    """Neither does its text or its document. Values of a template with a secret are not requested."""
    result = plan_of(ports, key=SECRET)
    assert previews.requests
    assert SECRET not in json.dumps(plan_document(result)) + "".join(plan_lines(result))
    assert not any(values for _, _, values in previews.requests)


@pytest.mark.usefixtures("deployed")
def test_a_change_of_outputs_alone_is_an_update(ports: PlanPorts, previews: Previewing) -> None:
    """A change set without resources is shown as an update that changes none."""
    previews.effect = None
    result = plan_of(ports, size=2)
    (step,) = [step for step in result.steps if step.node == API]
    assert step.decision.action is Action.UPDATE
    assert result.changes[API].resources == ()
    assert any("no resource changes" in line for line in plan_lines(result))


@pytest.mark.usefixtures("deployed")
def test_what_cloudformation_does_not_count_as_a_change_is_nothing_to_do(
    ports: PlanPorts, previews: Previewing
) -> None:
    """The plan says what the deployment will say, and stacks that take its outputs are settled."""
    previews.changes = False
    result = plan_of(ports, size=2)
    assert {step.decision.action for step in result.steps} == {Action.NOTHING}
    assert {step.pending for step in result.steps} == {()}
    assert list(plan_lines(result)) == ["Nothing to do: 3 stacks as desired."]
    reasons = {step["stack"]: step["reason"] for step in plan_document(result)["steps"]}
    assert reasons["api"] == "differs only in what CloudFormation does not count as a change"
