"""What `deploy --adopt` shows and asks before it takes over a stack of somebody else."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.text import Text

from deploytool.commands import _confirmation
from deploytool.commands._takeover import adopting, confirm_takeover, name_hint
from deploytool.core.errors import DeploytoolError, InputError
from deploytool.core.project.build import build_graph
from deploytool.core.project.config import parse_config
from deploytool.core.project.graphparser import parse_graph_file
from deploytool.core.project.template import parse_template
from deploytool.core.stacks.changes import DeployedTemplate, Effect, ResourceChange
from deploytool.core.stacks.drift import StackDrift
from deploytool.core.stacks.stack import StackRequest
from deploytool.files.project import Project
from deploytool.simulated.cloudformation import SimulatedStacks
from deploytool.simulated.executor import InlineExecutor, VirtualClock
from deploytool.simulated.memory import SimulatedBuckets
from deploytool.targets.service import deployed_service, reachable_service
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.preview import PlanPorts
from deploytool.work.stacks.run import DeployPorts

EAST, WEST = "us-east-1", "us-west-2"
CONFIG = (
    f'project = "hello"\ndomain = "example.com"\nregions = ["{EAST}", "{WEST}"]\n[stages.dev]\n'
)
TEMPLATE = "Resources: {A: {Type: 'AWS::Some::Thing'}}\nOutputs: {Out: {Value: x}}"
STACKS = "stacks: {api: {template: t.yaml, scope: regional}}"


class Previews:
    """The Previews and Drifts ports: each update deletes a queue."""

    def preview(
        self, region: str, request: StackRequest, *, values: bool
    ) -> Sequence[ResourceChange]:
        return [ResourceChange(Effect.DELETE, "Orders", "AWS::SQS::Queue")]

    def deployed(self, region: str, stack_id: str) -> DeployedTemplate:
        return DeployedTemplate({"Resources": {}}, {})

    def detect(self, region: str, stack_id: str) -> StackDrift:
        return StackDrift("IN_SYNC")


@dataclass
class Terminal:
    """Keeps what is printed."""

    lines: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.lines.append(Text.from_markup(text).plain)


@pytest.fixture
def stacks() -> SimulatedStacks:
    return SimulatedStacks(VirtualClock())


@pytest.fixture
def context(stacks: SimulatedStacks) -> Any:
    """A deployed stage, whose API in the primary region is somebody else's."""
    config = parse_config(CONFIG, "deploytool.toml")
    file = parse_graph_file(STACKS, "stacks.yaml")
    templates = {"t.yaml": parse_template(TEMPLATE, "t.yaml")}
    graph = build_graph(config, config.stage("dev"), file, templates, {})
    executor = InlineExecutor()
    ports = DeployPorts(stacks, SimulatedBuckets(), stacks.clock, executor, stacks)
    assert deploy(graph, ports, lambda _: None).ok

    record = stacks.record("hello-dev-api", EAST)
    record.stack = replace(record.stack, tags={}, fingerprint=None)
    previews = Previews()
    planning = PlanPorts(stacks, previews, previews, executor)
    target = SimpleNamespace(name="local", ports=ports, planning=planning)
    return SimpleNamespace(
        graph=graph, target=target, terminal=Terminal(), domain="dev.example.com"
    )


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Type an answer on a terminal."""
    monkeypatch.setattr(_confirmation.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: text)


def test_the_changes_of_the_stack_are_shown_before_the_question(
    context: Any, stacks: SimulatedStacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is taken over is shown, with what is deleted. Nothing is changed yet."""
    answer(monkeypatch, "dev.example.com")
    stacks.history.clear()
    confirm_takeover(context, yes=False)
    text = "\n".join(context.terminal.lines)
    assert "Orders" in text
    assert "delete" in text
    assert "taken over: hello-dev-api in us-east-1 was not made by deploytool" in text
    assert "us-west-2" not in text
    assert stacks.history == []


@pytest.mark.parametrize("text", ["", "yes", "example.com"])
def test_another_answer_changes_nothing(
    context: Any, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The domain must be typed. Without a terminal the hint is --yes."""
    answer(monkeypatch, text)
    with pytest.raises(InputError, match="nothing was changed"):
        confirm_takeover(context, yes=False)
    monkeypatch.setattr(_confirmation.sys.stdin, "isatty", lambda: False)
    with pytest.raises(InputError) as caught:
        confirm_takeover(context, yes=False)
    assert "--yes" in caught.value.hint


def test_yes_answers_and_nothing_is_asked_where_every_stack_is_ours(
    context: Any, stacks: SimulatedStacks
) -> None:
    """--adopt may stay in a script: once the stacks are ours it asks nothing."""
    confirm_takeover(context, yes=True)
    assert context.terminal.lines
    context.terminal.lines.clear()
    assert deploy(adopting(context.graph), context.target.ports, lambda _: None).ok
    confirm_takeover(context, yes=False)
    assert context.terminal.lines == []


def test_the_hint_names_both_commands(context: Any) -> None:
    """They can be copied as they are."""
    hint = name_hint(context)
    assert "deploytool plan --stage dev --local --adopt" in hint
    assert "deploytool deploy --stage dev --local --adopt" in hint


@pytest.mark.parametrize("find", [deployed_service, reachable_service])
def test_no_service_is_made_of_the_stacks_of_somebody_else(context: Any, find: Any) -> None:
    """A drill or a restore would change what their outputs name."""
    project = cast(Project, None)  # nothing is read of it before the stacks
    with pytest.raises(DeploytoolError, match="hello-dev-api in us-east-1 was not made by"):
        find(project, context.graph, context.target)
