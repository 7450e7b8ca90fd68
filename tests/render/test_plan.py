"""A plan as text, JSON and Markdown."""

import json
from collections.abc import Callable
from dataclasses import replace

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.changes import Effect, ResourceChange, Source, StackChanges
from deploytool.core.stacks.plan import Action, Decision, Step
from deploytool.render.plan.document import plan_document
from deploytool.render.plan.markdown import LIMIT, plan_markdown
from deploytool.render.plan.text import WIDTH, plan_lines
from deploytool.work.stacks.preview import Plan

Check = Callable[[str, str], None]


def test_the_text(full_plan: Plan, golden: Check, plain: Callable[..., str]) -> None:
    """The text is grouped by stack, shows equal steps once, and fits into 100 columns.

    It marks replacements of resources that serve traffic.
    """
    text = plain(*plan_lines(full_plan))
    golden("plan.txt", text)
    assert max(map(len, text.splitlines())) <= WIDTH


def test_the_json(full_plan: Plan, golden: Check) -> None:
    """The document has every step, also those that the text leaves out."""
    golden("plan.json", json.dumps(plan_document(full_plan), indent=2) + "\n")


def test_the_markdown(full_plan: Plan, golden: Check) -> None:
    """Each stack is a line with its resources folded below; no value breaks the table."""
    golden("plan.md", plan_markdown(full_plan))


def test_the_markdown_of_nothing_to_do(full_plan: Plan, golden: Check) -> None:
    """When nothing is to be done, the plan is one sentence."""
    step = Step(NodeId("zone", "us-east-1"), Decision(Action.NOTHING, "as deployed"))
    golden(
        "plan-nothing.md",
        plan_markdown(
            replace(full_plan, steps=(step,), changes={}, problems={}, not_in_graph=(), drifts={})
        ),
    )


def test_a_plan_of_hundreds_of_stacks_fits_into_a_comment(full_plan: Plan) -> None:
    """The resources of the last stacks are left out, and the plan tells of how many stacks."""
    nodes = [NodeId(f"stack-{number:03}", "us-east-1") for number in range(300)]
    resources = tuple(
        ResourceChange(Effect.CREATE, f"Resource{number}", "AWS::S3::Bucket")
        for number in range(20)
    )
    steps = tuple(Step(node, Decision(Action.CREATE, "does not exist yet")) for node in nodes)
    markdown = plan_markdown(
        replace(
            full_plan,
            steps=steps,
            changes={node: StackChanges(Source.TEMPLATE, resources) for node in nodes},
            problems={},
        )
    )
    assert len(markdown.encode()) <= LIMIT
    assert "The resources of " in markdown
    assert "stack-299" in markdown
