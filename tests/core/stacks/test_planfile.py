"""A plan file: the state that it is based on, and which changes of it are found."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.errors import InputError
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.planfile import (
    PlanBasis,
    StackState,
    changes_since,
    read_plan_file,
    write_plan_file,
)

API, ZONE = NodeId("api", "us-east-1"), NodeId("zone", "us-east-1")
STATE = StackState("arn:1", "2026-01-01", "abc", "want")
BASIS = PlanBasis("hello", "dev", "aws", {API: STATE, ZONE: StackState("", "", "", "want")})
TEXT = st.text(max_size=5)


def test_the_same_state_has_no_changes() -> None:
    """No line is given."""
    assert changes_since(BASIS, BASIS) == []


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (
            {API: replace(STATE, changed_at="2026-02-02")},
            "api@us-east-1: was changed at 2026-02-02; the plan is based on its state of 2026-01-01",
        ),
        ({API: replace(STATE, fingerprint="def")}, "api@us-east-1: was changed at"),
        (
            {API: replace(STATE, stack_id="arn:2")},
            "api@us-east-1: is another stack now, deleted and created anew",
        ),
        ({API: StackState("", "", "", "want")}, "api@us-east-1: does not exist any more"),
        (
            {API: replace(STATE, desired="else")},
            "api@us-east-1: its template, settings or code changed since the plan",
        ),
        (
            {ZONE: StackState("arn:3", "", "", "want")},
            "zone@us-east-1: exists now; it did not when the plan was made",
        ),
        ({NodeId("new", "us-west-2"): STATE}, "new@us-west-2: was not in the graph yet"),
    ],
)
def test_a_change_is_named(now: dict[NodeId, StackState], expected: str) -> None:
    """Each way in which a stack or its desired state can change gives a line with its name."""
    (line,) = changes_since(BASIS, replace(BASIS, stacks={**BASIS.stacks, **now}))
    assert line.startswith(expected)


def test_a_stack_that_left_the_graph_is_named() -> None:
    """The plan included it."""
    assert changes_since(BASIS, replace(BASIS, stacks={API: STATE})) == [
        "zone@us-east-1: is no longer in the graph"
    ]


@given(
    st.dictionaries(st.builds(NodeId, TEXT, TEXT), st.builds(StackState, TEXT, TEXT, TEXT, TEXT))
)
def test_a_basis_survives_its_file(stacks: dict[NodeId, StackState]) -> None:
    """Reading gives what was written, for any texts."""
    basis = PlanBasis("hello", "dev", "aws", stacks)
    assert read_plan_file(write_plan_file(basis, {}), "p.json") == basis


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"schema_version": 1, "world": 3}',
        '{"schema_version": 1, "world": [1]}',
        "[" * 100_000,
        '{"schema_version": 1, "digest": "x", "project": [], "stage": "", "target": "", "world": []}',
    ],
)
def test_another_file_is_bad_input(text: str) -> None:
    """The error names the file and how to make one."""
    with pytest.raises(InputError, match=r"p\.json: is not a plan file") as error:
        read_plan_file(text, "p.json")
    assert "plan --out" in error.value.hint


@pytest.mark.parametrize(("key", "value"), [("stage", "prod"), ("schema_version", 2)])
def test_an_altered_or_newer_file_is_bad_input(key: str, value: object) -> None:
    """The digest covers what the comparison rests on."""
    document = {**json.loads(write_plan_file(BASIS, {})), key: value}
    with pytest.raises(InputError):
        read_plan_file(json.dumps(document), "p.json")
