"""The transitions between the states of a node."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.errors import CloudRefused, DeploytoolError
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.stack import Stack, StackOperation, StackStatus
from deploytool.work.stacks.completion import Completed
from deploytool.work.stacks.node_states import (
    REFUSALS,
    Blocked,
    Cancelled,
    Done,
    End,
    Failed,
    NodeState,
    Postponed,
    Running,
    Starting,
    Stopped,
    Waiting,
    after_check,
    after_end,
    after_listing,
    after_start,
    cancelled_by,
    first_states,
    in_progress,
    is_finished,
    not_started,
    outcome_of,
    outputs_of,
    ready,
)
from deploytool.work.stacks.operations import (
    Outcome,
    RetryAfter,
    Started,
    StartResult,
    Unchanged,
    WaitingForOther,
)

BUSY = Stack("s", "id", StackStatus.UPDATE_IN_PROGRESS, {}, changed_at="2")
BEFORE = Stack("s", "id", StackStatus.CREATE_COMPLETE, {}, changed_at="1")
STARTED = Started(StackOperation.UPDATE, "s", "id", "token", before=BEFORE)
RUNNING = Running(STARTED, began=1.0, since=2.0)
GOOD = Completed(StackStatus.UPDATE_COMPLETE, BUSY)
BAD = Completed(StackStatus.UPDATE_ROLLBACK_COMPLETE, None, "the cause", "the hint")


def node(name: str) -> NodeId:
    return NodeId(name, "us-east-1")


A, B, C = node("a"), node("b"), node("c")


def test_a_node_is_ready_when_all_its_needs_are_done() -> None:
    """And not while one of them still runs."""
    states = first_states({A: frozenset(), B: frozenset({A})})
    assert ready(states) == [A]
    states[A] = RUNNING
    assert ready(states) == []
    states[A] = Done(Action.NOTHING, {}, 0.0)
    assert ready(states) == [B]


def test_a_failure_cancels_what_needs_it_and_nothing_else() -> None:
    """Also through others; each cancelled node names its own needs."""
    states = first_states({A: frozenset(), B: frozenset({A}), C: frozenset({B})})
    states[A] = Failed("x")
    assert cancelled_by(states, B) == (A,)
    assert cancelled_by(states, C) == ()
    states[B] = Cancelled((A,))
    assert cancelled_by(states, C) == (B,)


def test_what_the_user_stops() -> None:
    """Waiting, blocked and postponed nodes are not started; the others are in progress."""
    states: dict[NodeId, NodeState] = {
        A: Waiting(frozenset()),
        B: Blocked(0.0, "id"),
        C: Postponed(0.0, 9.0),
        node("d"): Starting(0.0),
        node("e"): RUNNING,
    }
    assert list(not_started(states)) == [A, B, C]
    assert in_progress(states) == (node("d"), node("e"))
    assert not is_finished(states)


def test_each_result_of_a_start() -> None:
    """A request to stop keeps a node that cannot start at once from being started later."""
    state = Starting(began=1.0)
    results: list[tuple[StartResult | DeploytoolError, NodeState, NodeState]] = [
        (STARTED, Running(STARTED, 1.0, 5.0), Running(STARTED, 1.0, 5.0)),
        (Unchanged(Action.LATER, {"x": "y"}), *2 * (Done(Action.LATER, {"x": "y"}, 4.0),)),
        (WaitingForOther("id", StackStatus.UPDATE_IN_PROGRESS), Blocked(1.0, "id"), STOPPED),
        (RetryAfter(3.0), Postponed(1.0, 8.0), STOPPED),
        (DeploytoolError("x", hint="y"), Failed("x", "y"), Failed("x", "y")),
    ]
    for result, going_on, stopping in results:
        assert after_start(state, result, 5.0, stopping=False) == going_on
        assert after_start(state, result, 5.0, stopping=True) == stopping


STOPPED = Stopped("not started")


def test_a_stack_without_a_sign_of_the_operation_is_checked_ever_more_rarely() -> None:
    """After the 1st, 2nd, 4th, 8th ... listing: its answer may be stale."""
    state = RUNNING
    checked = []
    for number in range(1, 33):
        state, check = after_listing(state, BEFORE)
        if check:
            checked.append(number)
    assert checked == [1, 2, 4, 8, 16, 32]


def test_a_listed_stack_is_checked_when_it_shows_an_end() -> None:
    """A busy stack needs no look at its events, and the count of old answers stays."""
    assert after_listing(RUNNING, BUSY) == (RUNNING, False)
    done = replace(BUSY, status=StackStatus.UPDATE_COMPLETE)
    assert after_listing(RUNNING, done) == (RUNNING, True)


def test_a_deleted_stack_is_checked_although_no_listing_has_it() -> None:
    """After every listing, because none will ever show it again."""
    deletion = replace(
        STARTED,
        operation=StackOperation.DELETE,
        good_ends=frozenset({StackStatus.DELETE_COMPLETE}),
    )
    state = replace(RUNNING, started=deletion)
    for _ in range(5):
        state, check = after_listing(state, None)
        assert check


def test_each_result_of_a_check() -> None:
    """No end yet, refused for a while, refused for good, and an end."""
    state = replace(RUNNING, checking=True)
    assert after_check(state, None) == replace(RUNNING, unconfirmed=1)
    assert after_check(state, CloudRefused("x")) == replace(RUNNING, refused=1)
    assert after_check(replace(state, refused=REFUSALS), CloudRefused("x")) == Failed("x")
    assert after_check(state, DeploytoolError("x")) == Failed("x")
    assert after_check(state, GOOD) == GOOD


def test_each_kind_of_end() -> None:
    """A cancelled operation is stopped, also when its rollback is what CloudFormation wanted."""
    assert after_end(RUNNING, GOOD, stopping=False) == Starting(1.0)
    assert after_end(RUNNING, BAD, stopping=False) == Failed("the cause", "the hint")
    assert after_end(replace(RUNNING, cancelling=True), BAD, stopping=True) == Stopped(
        "update cancelled"
    )
    continues = replace(RUNNING, started=replace(STARTED, continues=True))
    assert after_end(continues, GOOD, stopping=True) == Stopped("update; nothing more was started")
    assert after_end(continues, GOOD, stopping=False) == Starting(1.0)


STARTS: tuple[StartResult | DeploytoolError, ...] = (
    STARTED,
    Unchanged(Action.NOTHING, {}),
    WaitingForOther("id", StackStatus.UPDATE_IN_PROGRESS),
    RetryAfter(1.0),
    DeploytoolError("x"),
)
CHECKS: tuple[Completed | DeploytoolError | None, ...] = (
    None,
    CloudRefused("x"),
    DeploytoolError("x"),
    GOOD,
    BAD,
)


@given(seed=st.integers(), size=st.integers(1, 8))
def test_every_sequence_of_results_ends_every_node(seed: int, size: int) -> None:
    """In one end, which it never leaves. It is cancelled only when a node that it needs failed."""
    random = Random(seed)
    edges: dict[NodeId, frozenset[NodeId]] = {}
    for number in range(size):
        earlier = list(edges)
        needs = random.sample(earlier, random.randint(0, number))
        edges[node(str(number))] = frozenset(needs)

    states = first_states(edges)
    ends: dict[NodeId, NodeState] = {}
    for _ in range(1000):
        for name, state in states.items():
            if isinstance(state, End):
                assert ends.setdefault(name, state) == state
        if is_finished(states):
            break
        for name in states:
            states[name] = next_state(states, name, random)

    assert is_finished(states)
    for name, state in states.items():
        not_done = [need for need in edges[name] if not isinstance(states[need], Done)]
        assert bool(not_done) == isinstance(state, Cancelled)


def next_state(states: dict[NodeId, NodeState], name: NodeId, random: Random) -> NodeState:
    """The state after any result that is possible now."""
    state = states[name]
    match state:
        case Waiting():
            because = cancelled_by(states, name)
            if because:
                state = Cancelled(because)
            elif name in ready(states):
                state = Starting(0.0)
        case Starting():
            state = after_start(state, random.choice(STARTS), 0.0, stopping=False)
        case Blocked() | Postponed():
            state = Starting(0.0)
        case Running():
            result = after_check(state, random.choice(CHECKS))
            if not isinstance(result, Completed):
                return result
            end = after_end(state, result, stopping=False)
            state = Done(StackOperation.UPDATE, {}, 0.0) if isinstance(end, Starting) else end
    return state


def test_an_outcome_lists_every_node_once() -> None:
    """By the kind of its end. Only nodes that are done have outputs."""
    states: dict[NodeId, NodeState] = {
        A: Done(StackOperation.CREATE, {"Out": "x"}, 3.0),
        B: Failed("the cause", "the hint"),
        C: Cancelled((B,)),
        node("d"): STOPPED,
    }
    assert outputs_of(states) == {A: {"Out": "x"}}
    assert outcome_of(states, 9.0) == Outcome(
        done={A: StackOperation.CREATE},
        failed={B: "the cause"},
        cancelled={C: (B,)},
        stopped={node("d"): "not started"},
        outputs={A: {"Out": "x"}},
        seconds=9.0,
    )


def test_a_run_with_an_unfinished_node_has_no_outcome() -> None:
    """It would leave the node out."""
    with pytest.raises(AssertionError, match="a@us-east-1"):
        outcome_of({A: RUNNING}, 9.0)
