"""A stack of somebody else that has the name of one of ours: refused at every door, or taken over."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.events import Event
from deploytool.core.stacks.ownership import PROJECT_TAG, STACK_TAG, STAGE_TAG
from deploytool.core.stacks.plan import Action, make_plan
from deploytool.core.stacks.stack import StackOperation, StackStatus
from deploytool.simulated.cloudformation import Call, SimulatedStacks
from deploytool.work.stacks.deploy import deploy
from deploytool.work.stacks.destroy import destroy
from deploytool.work.stacks.operations import Outcome
from deploytool.work.stacks.run import DeployPorts, find_deployed

EAST, WEST = "us-east-1", "us-west-2"
API = NodeId("api", EAST)
Run = Callable[..., tuple[Outcome, list[Event]]]
OURS = {PROJECT_TAG: "hello", STAGE_TAG: "dev", STACK_TAG: "api"}


def make_foreign(stacks: SimulatedStacks, tags: Mapping[str, str] | None = None) -> None:
    """Give the stack of the API in the primary region to somebody else."""
    record = stacks.record("hello-dev-api", EAST)
    record.stack = replace(record.stack, tags=tags or {}, fingerprint=None)
    record.events = [replace(event, token="somebody's") for event in record.events]


@pytest.mark.parametrize("status", StackStatus)
def test_a_stack_of_somebody_else_is_refused_in_every_state(
    status: StackStatus, ports: DeployPorts, graph_of: Any, run: Run, stacks: SimulatedStacks
) -> None:
    """Also one in ROLLBACK_COMPLETE, which would be deleted and created again. A deleted stack is
    nobody's.
    """
    run()
    make_foreign(stacks)
    deployed = find_deployed(ports, graph_of())
    deployed[API] = replace(deployed[API], status=status)
    [step] = [step for step in make_plan(graph_of(), deployed) if step.node == API]
    if status is StackStatus.DELETE_COMPLETE:
        assert step.decision.action is Action.CREATE
    else:
        assert step.decision.action is Action.REFUSE
        assert "no tag deploytool:project; --adopt" in step.decision.reason


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        ({"Team": "orders"}, "was not made by deploytool"),
        ({**OURS, PROJECT_TAG: "hello-dev"}, "is stack api of stage dev of the project hello-dev"),
        ({**OURS, STAGE_TAG: "prod"}, "is stack api of stage prod"),
        ({**OURS, STACK_TAG: "dev-api"}, "is stack dev-api of stage dev"),
    ],
)
def test_nothing_is_started_beside_a_stack_of_somebody_else(
    tags: dict[str, str], owner: str, ports: DeployPorts, graph_of: Any, run: Run, stacks: Any
) -> None:
    """The error names the stack, its region and its owner. Stacks that are not there stay so."""
    run()
    make_foreign(stacks, tags)
    stacks.records.pop((WEST, stacks.find("hello-dev-mapping", WEST).id))
    stacks.history.clear()
    with pytest.raises(DeploytoolError, match=f"hello-dev-api in us-east-1 {owner}"):
        deploy(graph_of(), ports, lambda _: None)
    assert stacks.history == []


def test_a_stack_that_appears_during_the_run_is_not_taken_over(
    run: Run, stacks: SimulatedStacks, graph_of: Any
) -> None:
    """Somebody creates a stack of the name after the listing. The node fails, and others go on."""
    run()
    record = stacks.records.pop((EAST, stacks.find("hello-dev-api", EAST).id))

    def somebody(call: Call) -> None:
        if call.method == "create" and (EAST, record.stack.id) not in stacks.records:
            stacks.records[EAST, record.stack.id] = record
            make_foreign(stacks)

    stacks.before_call = somebody
    outcome, _ = run(graph_of(code=b"2"))
    assert "no tag deploytool:project" in outcome.failed[API]
    assert outcome.done[NodeId("lambda", WEST)] is StackOperation.UPDATE


def test_adopting_updates_the_stack_and_marks_it_as_ours(
    run: Run, stacks: SimulatedStacks, graph_of: Any
) -> None:
    """The next deployment has nothing to do and needs no --adopt."""
    run()
    make_foreign(stacks)
    outcome, _ = run(replace(graph_of(), adopts=True))
    assert outcome.done[API] is StackOperation.UPDATE
    assert OURS.items() <= stacks.find("hello-dev-api", EAST).tags.items()
    outcome, _ = run()
    assert set(outcome.done.values()) == {Action.NOTHING}


def test_a_deletion_leaves_a_stack_of_somebody_else(run: Run, stacks: SimulatedStacks) -> None:
    """The stacks of the stage are deleted, and that one is as it was."""
    run()
    make_foreign(stacks)
    before = stacks.find("hello-dev-api", EAST)
    outcome, _ = run(work=destroy)
    assert outcome.ok
    assert outcome.done[API] is Action.NOT_THERE
    assert [record.stack for record in stacks.living(EAST)] == [before]
    assert stacks.living(WEST) == []


def test_a_change_of_the_user_s_tags_alone_is_an_update_of_every_stack(
    run: Run, stacks: SimulatedStacks, graph_of: Any
) -> None:
    """CloudFormation updates a stack whose tags alone change, also one without a resource that can
    have tags (stack_master issue 302). The tags are those of the stage, ours and the commit's.
    """
    run()
    tagged = replace(graph_of(), tags={"team": "orders"})
    outcome, _ = run(tagged)
    assert set(outcome.done.values()) == {StackOperation.UPDATE}
    assert stacks.find("hello-dev-api", EAST).tags == {**OURS, "team": "orders"}
    outcome, _ = run(tagged)
    assert set(outcome.done.values()) == {Action.NOTHING}
    outcome, _ = run()
    assert stacks.find("hello-dev-api", EAST).tags == OURS
