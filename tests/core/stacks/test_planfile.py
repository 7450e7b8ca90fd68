"""A plan file: what it holds, and what it takes for a world that moved."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.errors import InputError
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.planfile import Seen, World, moved, read_plan_file, write_plan_file

API, ZONE = NodeId("api", "us-east-1"), NodeId("zone", "us-east-1")
SEEN = Seen("arn:1", "2026-01-01", "abc", "want")
WORLD = World("hello", "dev", "aws", {API: SEEN, ZONE: Seen("", "", "", "want")})
TEXT = st.text(max_size=5)


def test_nothing_moved() -> None:
    """The same world gives no line."""
    assert moved(WORLD, WORLD) == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (
            {API: replace(SEEN, changed_at="2026-02-02")},
            "api@us-east-1: was changed at 2026-02-02; the plan saw it as of 2026-01-01",
        ),
        ({API: replace(SEEN, fingerprint="def")}, "api@us-east-1: was changed at"),
        (
            {API: replace(SEEN, stack_id="arn:2")},
            "api@us-east-1: is another stack now, deleted and created anew",
        ),
        ({API: Seen("", "", "", "want")}, "api@us-east-1: does not exist any more"),
        (
            {API: replace(SEEN, desired="else")},
            "api@us-east-1: its template, settings or code changed since the plan",
        ),
        (
            {ZONE: Seen("arn:3", "", "", "want")},
            "zone@us-east-1: exists now; it did not when the plan was made",
        ),
        ({NodeId("new", "us-west-2"): SEEN}, "new@us-west-2: was not in the graph yet"),
    ],
)
def test_what_moved_is_named(now: dict[NodeId, Seen], said: str) -> None:
    """Each way in which a stack or what is wanted of it can move, in a line with its name."""
    (line,) = moved(WORLD, replace(WORLD, stacks={**WORLD.stacks, **now}))
    assert line.startswith(said)


def test_a_stack_that_left_the_graph_is_named() -> None:
    """The plan counted on it."""
    assert moved(WORLD, replace(WORLD, stacks={API: SEEN})) == [
        "zone@us-east-1: is no longer in the graph"
    ]


@given(st.dictionaries(st.builds(NodeId, TEXT, TEXT), st.builds(Seen, TEXT, TEXT, TEXT, TEXT)))
def test_a_world_survives_its_file(stacks: dict[NodeId, Seen]) -> None:
    """What was written is read, whatever the texts are."""
    world = World("hello", "dev", "aws", stacks)
    assert read_plan_file(write_plan_file(world, {}), "p.json") == world


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"schema_version": 1, "world": 3}',
        '{"schema_version": 1, "world": [1]}',
    ],
)
def test_another_file_is_bad_input(text: str) -> None:
    """It is said which file, and how to make one."""
    with pytest.raises(InputError, match=r"p\.json: is not a plan file") as error:
        read_plan_file(text, "p.json")
    assert "plan --out" in error.value.hint


@pytest.mark.parametrize(("key", "value"), [("stage", "prod"), ("schema_version", 2)])
def test_an_altered_or_newer_file_is_bad_input(key: str, value: object) -> None:
    """The digest covers what the comparison rests on."""
    document = {**json.loads(write_plan_file(WORLD, {})), key: value}
    with pytest.raises(InputError):
        read_plan_file(json.dumps(document), "p.json")
