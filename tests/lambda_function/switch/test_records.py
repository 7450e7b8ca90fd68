"""The function's records and the tool's: one JSON, and small enough for a parameter."""

import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploytool.core.drill.record import DrillRecord
from deploytool.core.failover import records as tool

AT = "2026-11-25T12:00:00Z"
STANDBY = tool.StandbyRecord(
    schema_version=tool.SCHEMA_VERSION,
    project="hello",
    stage="dev",
    domain="dev.example.com",
    path="/v1",
    primary="us-east-1",
    secondary="us-west-2",
    regional_domains={},
    hosted_zone_id="Z1",
    name_servers=("ns-1.example.net", "ns-2.example.org"),
    health_check_id="a",
    failover_health_check_id="b",
    switch_health_check_id="c",
    failback="manual",
    deployed=tool.Deployed(AT, "me"),
    targets={"us-east-1": "d-e.example.net", "us-west-2": "d-w.example.net"},
)
texts = st.text(max_size=1200)
hows = st.sampled_from([tool.COMMAND, tool.AUTOMATIC, tool.DRILL])


def test_the_names_are_the_tool_s(records: ModuleType, function: ModuleType) -> None:
    """Schema version, the ways of moving, the metric and the limit are the same."""
    assert records.SCHEMA_VERSION == tool.SCHEMA_VERSION
    assert (records.COMMAND, records.AUTOMATIC, records.DRILL) == (
        tool.COMMAND,
        tool.AUTOMATIC,
        tool.DRILL,
    )
    assert records.MOST_CHANGES == tool.MOST_CHANGES
    assert (function.NAMESPACE, function.METRIC) == (tool.NAMESPACE, tool.METRIC)


def test_it_reads_the_standby_record_of_the_tool(records: ModuleType) -> None:
    """It takes what it needs: the domain, the regions, the name servers and the targets."""
    standby = records.parse_standby(tool.to_json(STANDBY))
    assert standby.domain == STANDBY.domain
    assert (standby.primary, standby.secondary) == ("us-east-1", "us-west-2")
    assert standby.name_servers == STANDBY.name_servers
    assert standby.targets == STANDBY.targets


def test_it_reads_the_drill_s_record_of_the_tool(records: ModuleType) -> None:
    """It takes who drills, and the fault."""
    record = DrillRecord(1, "d1", "health-check", "dev", "me@host", AT, AT, ())
    assert records.parse_drill(record.to_json()) == records.Drill("me@host", "health-check")


@given(st.booleans(), texts, texts, hows, st.booleans())
def test_the_switch_s_record_is_the_tool_s(
    records: ModuleType, held: bool, who: str, why: str, how: str, returning: bool
) -> None:
    """Each reads what the other writes."""
    ours = records.Switch(held, AT, who, why, how, returning)
    theirs = tool.SwitchRecord(tool.SCHEMA_VERSION, held, AT, who, why, how, returning)
    assert records.parse_switch(tool.to_json(theirs)) == ours
    assert tool.parse(tool.SwitchRecord, records.switch_json(ours), "here") == theirs


@given(st.lists(st.tuples(hows, texts, texts), min_size=1, max_size=40))
def test_the_record_of_who_serves_fits_into_a_parameter(
    records: ModuleType, given_changes: list[tuple[str, str, str]]
) -> None:
    """It has at most 4 KB and 20 changes, the newest among them; the tool reads it."""
    changes = [records.Change(AT, "us-west-2", *each) for each in given_changes]
    text = records.serving_json(records.Serving(AT, tuple(changes)))
    assert len(text.encode()) <= 4096
    read = tool.parse(tool.ServingRecord, text, "here")
    assert 1 <= len(read.changes) <= tool.MOST_CHANGES
    assert read.seen == AT
    newest, kept = changes[-1], read.changes[-1]
    assert newest.how == kept.how
    for whole, shown in ((newest.who, kept.who), (newest.why, kept.why)):
        assert shown == whole or whole.startswith(shown.removesuffix("..."))
    assert len(records.parse_serving(text).changes) == len(read.changes)


def test_short_changes_are_kept_whole(records: ModuleType) -> None:
    """Nothing is cut that fits."""
    changes = tuple(
        records.Change(AT, "us-west-2", "command", "me@host", f"number {number}")
        for number in range(20)
    )
    serving = records.Serving(AT, changes)
    assert records.parse_serving(records.serving_json(serving)) == serving


@pytest.mark.parametrize("parse", ["parse_standby", "parse_switch", "parse_serving", "parse_drill"])
def test_a_record_of_another_schema_is_refused(records: ModuleType, parse: str) -> None:
    """Nothing is decided by guessing."""
    text: Any = json.dumps({"schema_version": records.SCHEMA_VERSION + 1})
    with pytest.raises(ValueError, match="unknown schema version 2"):
        getattr(records, parse)(text)
