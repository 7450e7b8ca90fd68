"""What is shown of a run or a plan while the API of a region does not answer."""

from collections.abc import Callable

from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.stacks.events import (
    DrillUnknown,
    Event,
    RegionAlone,
    RunStarted,
    StackDone,
    StackLeft,
)
from deploytool.core.stacks.plan import Action, Decision, Step
from deploytool.render.github import annotation
from deploytool.render.plan.document import plan_document
from deploytool.render.plan.markdown import plan_markdown
from deploytool.render.plan.text import plan_lines
from deploytool.render.run.lines import line_of
from deploytool.render.run.outcome import outage_lines, outcome_document
from deploytool.render.run.run_state import RunState
from deploytool.render.run.summary import summary
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.preview import Plan

EAST, WEST = "us-east-1", "us-west-2"
LAMBDA, RECORD, ZONE = NodeId("lambda", WEST), NodeId("record-set", WEST), NodeId("zone", EAST)
REASON = "its change needs IAM for Role (AWS::IAM::Role), and the API of us-east-1 does not answer"
COMMAND = "deploytool deploy --stage dev"
Plain = Callable[..., str]


def test_the_lines_of_a_run(plain: Plain) -> None:
    """They say what is left, what cannot be seen, and who may serve alone."""
    alone = RegionAlone(1.0, WEST, "https://us-east-1.example.com/v1", "has no address")
    events: list[Event] = [StackLeft(1.0, LAMBDA, REASON), DrillUnknown(1.0, EAST), alone]
    lines = [plain(line_of(event, 0.0) or "").strip() for event in events]
    assert lines[0].endswith(f"{LAMBDA}               left: {REASON}")
    assert lines[1] == (
        "the API of us-east-1 does not answer, so a drill that was left unfinished cannot be seen"
    )
    assert lines[2].endswith(
        "us-west-2 may be the only region that serves: https://us-east-1.example.com/v1"
        " has no address; a bad version takes the stage down"
    )


def test_the_end_of_a_run_says_what_is_missing_and_what_to_run_later(plain: Plain) -> None:
    """A run that kept inputs and left nothing has nothing to run later."""
    kept = {RECORD: ("zone@us-east-1.Out",)}
    left = Outcome(left={LAMBDA: REASON}, kept=kept, unreachable=(EAST,))
    assert plain(*outage_lines(left, COMMAND)).splitlines() == [
        "Inputs from us-east-1, whose API does not answer, keep their values: record-set@us-west-2.",
        f"left: lambda@us-west-2 {REASON}",
        f"When the API of us-east-1 answers again: {COMMAND}",
    ]

    died = Outcome(failed={ZONE: "no answer"}, unanswered={ZONE: EAST})
    assert plain(*outage_lines(died, COMMAND)).splitlines() == [
        "unknown: zone@us-east-1, because the API of us-east-1 does not answer",
        f"When the API of us-east-1 answers again: {COMMAND}",
    ]
    assert "answers again" not in plain(*outage_lines(Outcome(kept=kept), COMMAND))
    assert not list(outage_lines(Outcome(), COMMAND))


def test_the_document_of_a_run() -> None:
    """A program finds what is left, what was kept and which API did not answer."""
    outcome = Outcome(
        done={LAMBDA: Action.LEFT},
        failed={ZONE: "no answer"},
        outputs={LAMBDA: {}},
        left={LAMBDA: REASON},
        unanswered={ZONE: EAST},
        kept={RECORD: ("zone@us-east-1.Out",)},
        unreachable=(EAST,),
    )
    run_state = RunState()
    run_state(RunStarted(0.0, (LAMBDA, ZONE), {}))
    document = outcome_document(outcome, run_state)
    assert document["ok"] is False
    assert document["unreachable"] == [EAST]
    assert document["left"] == [{"stack": "lambda", "region": WEST, "reason": REASON}]
    assert document["failed"][0]["api"] == EAST
    assert document["kept_inputs"] == [
        {"stack": "record-set", "region": WEST, "inputs": ["zone@us-east-1.Out"]}
    ]


def test_github_warns_of_what_is_left() -> None:
    """By an annotation, and in the summary of the step."""
    left = StackLeft(1.0, LAMBDA, REASON)
    assert annotation(left) == f"::warning title=lambda@us-west-2 left::{REASON}"

    run_state = RunState()
    for event in (RunStarted(0.0, (LAMBDA,), {}), left, StackDone(1.0, LAMBDA, "left", 0.0, {})):
        run_state(event)
    text = summary(run_state, "Deploy hello")
    assert "**lambda@us-west-2** left: its change needs IAM for Role" in text
    assert "Nothing was changed: 1 left." in text


def test_a_plan_without_a_region(plain: Plain) -> None:
    """Each format says which region is missing and which inputs keep their values."""
    graph = Graph("hello", "dev", {}, {}, {}, regions=(EAST, WEST))
    step = Step(LAMBDA, Decision(Action.LEFT, REASON), kept=("zone@us-east-1.Out",))
    plan = Plan(graph, (step,), {}, unreachable=(EAST,))
    missing = (
        "The API of us-east-1 does not answer: what is there is not known, and nothing is planned"
        " there."
    )
    kept = "Inputs that keep the deployed values: zone@us-east-1.Out."
    lines = plain(*plan_lines(plan))
    for line in (missing, kept, f"left: {REASON}", "Stacks: 1 left."):
        assert line in lines
    assert missing in plan_markdown(plan)

    document = plan_document(plan)
    assert document["unreachable"] == [EAST]
    assert document["steps"][0]["action"] == "left"
    assert document["steps"][0]["kept_inputs"] == ["zone@us-east-1.Out"]


def test_a_plan_for_other_regions_lacks_the_global_services_alone(plain: Plain) -> None:
    """Nothing of the stage is in us-east-1 then."""
    graph = Graph("hello", "dev", {}, {}, {}, regions=("eu-west-1", WEST))
    lines = plain(*plan_lines(Plan(graph, (), {}, unreachable=(EAST,))))
    assert "no stack can change what Route 53, IAM or CloudFront has" in lines
