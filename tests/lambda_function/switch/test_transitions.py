"""What follows from a look at who serves: pure rules by tables and properties."""

from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

AT, LATER = "2026-11-25T12:00:00Z", "2026-11-25T12:01:00Z"
EAST, WEST = "us-east-1", "us-west-2"
TARGETS = {EAST: ("192.0.2.1", "192.0.2.2"), WEST: ("198.51.100.1", "203.0.113.1")}
E1, W1 = ("192.0.2.2",), ("198.51.100.1",)


@pytest.mark.parametrize(
    ("answers", "servers", "region"),
    [
        ([E1] * 4, 4, EAST),
        ([W1] * 4, 4, WEST),
        # At least half of the name servers must answer
        ([W1] * 2, 4, WEST),
        ([W1], 4, None),
        ([], 4, None),
        ([], 0, None),
        # While a change spreads, they differ
        ([E1, W1, W1, W1], 4, None),
        # Addresses that nobody knows, and those of both regions
        ([("203.0.113.9",)] * 4, 4, None),
        ([E1, E1, E1, ("203.0.113.9",)], 4, None),
        ([(*E1, *W1)] * 4, 4, None),
        ([()] * 4, 4, None),
    ],
)
def test_who_serves(
    transitions: ModuleType, answers: list[tuple[str, ...]], servers: int, region: str | None
) -> None:
    """All answers are of one region, and enough name servers answer; otherwise nobody can tell."""
    assert transitions.serving_region(answers, servers, TARGETS) == region


def look(transitions: ModuleType, region: str) -> Any:
    return transitions.Look(LATER, region, EAST, WEST)


def switch(records: ModuleType, kind: str) -> Any:  # noqa: PLR0911  # a table
    """A switch's record by a short name."""
    match kind:
        case "none":
            return None
        case "open":
            return records.Switch(False, AT, "me", "done", "command")
        case "released":
            # After the change that was noted last: traffic has come home since
            return records.Switch(False, "2026-11-25T12:00:30+00:00", "me", "it is over", "command")
        case "held":
            return records.Switch(True, AT, "me", "an outage", "command")
        case "returning":
            return records.Switch(False, AT, "me", "it is over", "command", True)
        case "drill":
            return records.Switch(True, AT, "me", "a drill", "drill")
        case _:
            return records.Switch(True, AT, "", "manual", "automatic")


# What served before and how it came to, the switch, whether a drill runs, who serves now, and the
# change's cause
CAUSES = [
    ((), "none", False, EAST, ("automatic", "", "the first look")),
    ((), "held", True, WEST, ("automatic", "", "the first look")),
    ((EAST, "automatic"), "none", False, WEST, ("automatic", "", "a health check of the primary failed")),
    ((EAST, "automatic"), "open", False, WEST, ("automatic", "", "a health check of the primary failed")),
    ((EAST, "automatic"), "returning", False, WEST, ("automatic", "", "a health check of the primary failed")),
    ((EAST, "automatic"), "held", False, WEST, ("command", "me", "an outage")),
    ((EAST, "automatic"), "drill", False, WEST, ("drill", "me", "a drill")),
    ((EAST, "automatic"), "none", True, WEST, ("drill", "a tester", "a drill with fault edge")),
    ((WEST, "command"), "returning", False, EAST, ("command", "me", "it is over")),
    ((WEST, "automatic"), "released", False, EAST, ("command", "me", "it is over")),
    ((WEST, "automatic"), "open", False, EAST, ("automatic", "", "the primary is healthy again")),
    # It holds, and the primary serves all the same: the alarm has not been evaluated yet
    ((WEST, "automatic"), "automatic", False, EAST, ("automatic", "", "the primary is healthy again")),
    ((WEST, "drill"), "none", True, EAST, ("drill", "a tester", "a drill with fault edge")),
    ((WEST, "drill"), "none", False, EAST, ("drill", "a tester", "after a drill")),
]  # fmt: skip


@pytest.mark.parametrize(("before", "kind", "drills", "region", "cause"), CAUSES)
def test_the_cause_of_a_change(
    transitions: ModuleType,
    records: ModuleType,
    before: tuple[str, ...],
    kind: str,
    drills: bool,
    region: str,
    cause: tuple[str, str, str],
) -> None:
    """A drill comes first, then a switch that wants the traffic there, then Route 53 itself."""
    serving = None
    if before:
        earlier = records.Change(AT, *before, who="a tester", why="a drill")
        serving = records.Serving(AT, (earlier,))
    drill = records.Drill("a tester", "edge") if drills else None
    noted = transitions.note(serving, look(transitions, region), switch(records, kind), drill)
    assert (noted.change.how, noted.change.who, noted.change.why) == cause
    assert (noted.change.at, noted.change.region) == (LATER, region)
    assert noted.serving.changes[-1] == noted.change
    assert noted.is_first is not before


def test_nothing_changes_while_the_same_region_serves(
    transitions: ModuleType, records: ModuleType
) -> None:
    """Only the time of the last look is new."""
    changes = (records.Change(AT, WEST, "command", "me", "an outage"),)
    noted = transitions.note(
        records.Serving(AT, changes), look(transitions, WEST), switch(records, "held"), None
    )
    assert noted.change is None
    assert noted.serving == records.Serving(LATER, changes)


@given(st.lists(st.sampled_from([EAST, WEST]), max_size=60))
def test_the_record_has_each_change_once(
    transitions: ModuleType, records: ModuleType, regions: list[str]
) -> None:
    """Neighbours differ, the newest is who serves, and there are 20 at most."""
    serving = None
    for region in regions:
        serving = transitions.note(serving, look(transitions, region), None, None).serving
        changes = [change.region for change in serving.changes]
        assert changes[-1] == region
        assert all(one != other for one, other in pairwise(changes))
        assert len(changes) <= 20


def has_served(records: ModuleType, *regions: str) -> Any:
    """A record of who serves, in which these regions have served."""
    return records.Serving(AT, tuple(records.Change(AT, region, "automatic") for region in regions))


KINDS = ("none", "open", "held", "returning", "drill", "automatic")


@pytest.mark.parametrize("failback", ["manual", "automatic"])
@pytest.mark.parametrize("drills", [True, False])
@pytest.mark.parametrize("region", [EAST, WEST])
@pytest.mark.parametrize("kind", KINDS)
def test_when_the_switch_is_held(
    transitions: ModuleType,
    records: ModuleType,
    failback: str,
    drills: bool,
    region: str,
    kind: str,
) -> None:
    """Only with a manual failback, at the secondary, without a drill, a command or a failback."""
    drill = records.Drill("a tester", "edge") if drills else None
    expected = failback == "manual" and region == WEST and not drills and kind in ("none", "open")
    seen = look(transitions, region)
    serving = has_served(records, EAST)
    must_hold = transitions.must_hold(seen, serving, switch(records, kind), drill, failback)
    assert must_hold is expected


@pytest.mark.parametrize("regions", [(), (WEST,)])
def test_a_stage_whose_primary_never_served_is_not_held(
    transitions: ModuleType, records: ModuleType, regions: tuple[str, ...]
) -> None:
    """In a new stage the secondary may serve first, until the primary's endpoint is healthy."""
    seen = look(transitions, WEST)
    assert not transitions.must_hold(seen, None, None, None, "manual")
    serving = has_served(records, *regions)
    assert not transitions.must_hold(seen, serving, None, None, "manual")
    serving = has_served(records, *regions, EAST, WEST)
    assert transitions.must_hold(seen, serving, None, None, "manual")


def test_a_held_switch_is_not_held_again(transitions: ModuleType, records: ModuleType) -> None:
    """Its record tells when and why, and that it was no command."""
    seen = look(transitions, WEST)
    held = transitions.held(seen)
    assert (held.held, held.how, held.since, held.returning) == (True, "automatic", LATER, False)
    assert not transitions.must_hold(seen, has_served(records, EAST), held, None, "manual")


@pytest.mark.parametrize("region", [EAST, WEST])
@pytest.mark.parametrize("kind", KINDS)
def test_a_failback_ends_when_the_primary_serves(
    transitions: ModuleType, records: ModuleType, region: str, kind: str
) -> None:
    """Then a later failure is a new one, and with a manual failback it holds the switch."""
    found = switch(records, kind)
    returned = transitions.has_returned(look(transitions, region), found)
    assert returned is (kind == "returning" and region == EAST)
    if returned:
        settled = transitions.settled(found)
        assert (settled.held, settled.who, settled.returning) == (False, "me", False)
        seen = look(transitions, WEST)
        serving = has_served(records, EAST)
        assert transitions.must_hold(seen, serving, settled, None, "manual")
