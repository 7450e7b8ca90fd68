"""A drill's record is read as it was written, or refused with an error that names it."""

import json
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.drill.record import (
    SCHEMA_VERSION,
    DrillRecord,
    DrillUnderWay,
    RestoreConcurrency,
    RestoreHealthCheck,
    RestoreMapping,
    RestoreSwitch,
    UndoStep,
    parse_record,
)
from deploytool.core.errors import DeploytoolError

STEPS = (
    RestoreHealthCheck("11111111-2222-3333-4444-555555555555", inverted=False),
    RestoreConcurrency("us-east-1", "hello-dev-lambda", None),
    RestoreMapping("us-east-1", "dev.example.com", "(none)", "a1b2c3d4e5", "dev"),
    RestoreMapping("us-east-1", "us-east-1.dev.example.com", "(none)", "a1b2c3d4e5", "dev"),
    RestoreSwitch("us-west-2", "hello", "dev"),
)
RECORD = DrillRecord(
    SCHEMA_VERSION,
    "20260102T030405-4f2a",
    "throttle",
    "dev",
    "ci@runner-7",
    "2026-01-02T03:04:05Z",
    "2026-01-02T03:19:05Z",
    STEPS,
)
# A record with a step of each type, as the first version with such a step wrote it.
OLD_RECORD = (
    '{"schema_version":1,"drill_id":"20260102T030405-4f2a","fault":"throttle",'
    '"stage":"dev","holder":"ci@runner-7","started":"2026-01-02T03:04:05Z",'
    '"until":"2026-01-02T03:19:05Z","undo":[{"type":"restore_health_check",'
    '"health_check_id":"1111","inverted":false},{"type":"restore_concurrency",'
    '"region":"us-east-1","function_name":"hello","reserved":null},'
    '{"type":"restore_mapping","region":"us-east-1","domain":"dev.example.com",'
    '"base_path":"(none)","rest_api_id":"a1b2","stage":"dev"},{"type":"restore_edge",'
    '"region":"us-west-2"},{"type":"restore_switch","region":"us-west-2",'
    '"project":"hello","stage":"dev"}]}'
)
TEXT = st.text(max_size=20)
ANY_STEP = st.one_of(
    st.builds(RestoreHealthCheck, TEXT, st.booleans()),
    st.builds(RestoreConcurrency, TEXT, TEXT, st.none() | st.integers(0, 1000)),
    st.builds(RestoreMapping, TEXT, TEXT, TEXT, TEXT, TEXT),
    st.builds(RestoreSwitch, TEXT, TEXT, TEXT),
)


@given(
    st.builds(
        DrillRecord,
        st.just(SCHEMA_VERSION),
        TEXT,
        TEXT,
        TEXT,
        TEXT,
        TEXT,
        TEXT,
        st.lists(ANY_STEP).map(tuple),
    )
)
def test_what_is_written_is_what_is_read(record: DrillRecord) -> None:
    """Any record with any steps is read back equal, each step as its own type."""
    assert parse_record(record.to_json(), "/x") == record


def test_an_old_record_is_read_and_written_again_byte_for_byte() -> None:
    """A drill that an older version started can be restored, and the format stays as it is."""
    record = parse_record(OLD_RECORD, "/x")
    assert {type(step) for step in record.undo} == set(get_args(UndoStep))
    assert record.to_json() == OLD_RECORD


def test_a_drill_s_record_fits_into_a_standard_parameter() -> None:
    """With every kind of step in it, it stays far below the 4 KB of SSM's standard tier."""
    assert len(RECORD.to_json()) < 4096 / 3


def test_another_schema_version_is_refused() -> None:
    """The message has both versions, and the hint says what to do."""
    newer = replace(RECORD, schema_version=SCHEMA_VERSION + 1).to_json()
    with pytest.raises(
        DeploytoolError, match="/x has schema version 2; this one reads 1"
    ) as caught:
        parse_record(newer, "/x")
    assert "newer" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({"schema_version": 1}),
        json.dumps({**json.loads(RECORD.to_json()), "undo": [{"type": "restore_the_world"}]}),
        json.dumps({**json.loads(RECORD.to_json()), "undo": [{"type": "restore_health_check"}]}),
        json.dumps({**json.loads(RECORD.to_json()), "colour": "red"}),
        OLD_RECORD.replace('"inverted":false', '"inverted":"false"'),
    ],
)
def test_a_text_that_is_not_a_record_is_an_error_that_names_it(text: str) -> None:
    """No text raises another kind of error."""
    with pytest.raises(DeploytoolError, match="/x cannot be read"):
        parse_record(text, "/x")


def test_a_drill_under_way_names_its_holder() -> None:
    """The hint says how to restore what the drill left."""
    refused = DrillUnderWay(RECORD)
    assert "throttle" in str(refused)
    assert RECORD.holder in str(refused)
    assert "deploytool restore --stage dev" in refused.hint
