"""What each direction writes into the switch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.errors import DeploytoolError
from deploytool.core.failover.direction import (
    Direction,
    Person,
    arrived,
    check_not_superseded,
    describe,
    is_set,
    wanted,
)
from deploytool.core.failover.records import AUTOMATIC, COMMAND, DRILL, SwitchRecord

ANA = Person("ana@laptop", "2026-11-25T12:00:00+00:00", "us-east-1 is slow")
RECORDS = st.builds(
    SwitchRecord,
    schema_version=st.just(1),
    held=st.booleans(),
    since=st.just("2026-11-25T11:00:00+00:00"),
    who=st.just("bo@desk"),
    why=st.sampled_from(["", "a reason"]),
    how=st.sampled_from([COMMAND, AUTOMATIC, DRILL]),
    returning=st.booleans(),
)
SWITCHES = st.none() | RECORDS
DIRECTIONS = st.sampled_from(list(Direction))


def switch(*, held: bool, how: str = COMMAND, returning: bool = False) -> SwitchRecord:
    return SwitchRecord(1, held, "2026-11-25T11:00:00+00:00", "bo@desk", "", how, returning)


@pytest.mark.parametrize(
    ("record", "failover", "failback"),
    [
        (None, False, False),
        (switch(held=True), True, False),
        (switch(held=True, how=AUTOMATIC), True, False),
        # A drill releases what it holds, so a failover takes it over
        (switch(held=True, how=DRILL), False, False),
        (switch(held=False, returning=True), False, True),
        (switch(held=False), False, False),
    ],
)
def test_what_is_set_already_is_kept(
    record: SwitchRecord | None, failover: bool, failback: bool
) -> None:
    """A second command keeps who set the switch and since when; any other writes its own."""
    for direction, is_kept in ((Direction.FAILOVER, failover), (Direction.FAILBACK, failback)):
        assert is_set(direction, record) is is_kept
        after = wanted(direction, record, ANA)
        assert (after == record) is is_kept
        if not is_kept:
            assert (after.who, after.since, after.why) == (ANA.who, ANA.now, ANA.why)


@given(DIRECTIONS, SWITCHES)
def test_what_is_written_is_set(direction: Direction, record: SwitchRecord | None) -> None:
    """Every command is idempotent: what it writes, the next run keeps."""
    after = wanted(direction, record, ANA)
    assert is_set(direction, after)
    assert wanted(direction, after, ANA) == after
    assert after.held is direction.holds


@given(DIRECTIONS, SWITCHES)
def test_the_last_one_who_decides_is_right(
    direction: Direction, record: SwitchRecord | None
) -> None:
    """A command goes on exactly while the switch stands its way; the error names who moved it."""
    if record is not None and record.held is direction.holds:
        check_not_superseded(direction, record)
        return
    with pytest.raises(DeploytoolError) as error:
        check_not_superseded(direction, record)
    assert record is None or record.who in str(error.value)


@given(RECORDS)
def test_an_arrival_changes_nothing_else(record: SwitchRecord) -> None:
    """It clears `returning`, and keeps who released the switch, when and why."""
    after = arrived(record)
    assert not after.returning
    assert (after.held, after.since, after.who) == (record.held, record.since, record.who)


@given(SWITCHES)
def test_a_description_tells_the_states_apart(record: SwitchRecord | None) -> None:
    """Never used, held, returning and released have a sentence of their own."""
    text = describe(record)
    assert ("never been used" in text) is (record is None)
    assert ("holds" in text) is (record is not None and record.held)
    is_returning = record is not None and not record.held and record.returning
    assert ("returning" in text) is is_returning
