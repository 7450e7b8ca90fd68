"""The records that are kept in the standby region."""

import pytest

from deploytool.core.errors import DeploytoolError
from deploytool.core.failover.records import (
    SCHEMA_VERSION,
    Deployed,
    LastDrill,
    OutputsRecord,
    Record,
    ServingChange,
    ServingRecord,
    StandbyRecord,
    SwitchRecord,
    parameter_name,
    parse,
    to_json,
)

STANDBY = StandbyRecord(
    SCHEMA_VERSION,
    project="hello",
    stage="dev",
    domain="dev.example.com",
    path="/v1",
    primary="us-east-1",
    secondary="us-west-2",
    regional_domains={"us-east-1": "us-east-1.dev.example.com"},
    hosted_zone_id="Z1",
    name_servers=("ns-1.awsdns-00.com",),
    health_check_id="endpoint",
    failover_health_check_id="calculated",
    switch_health_check_id="switch",
    failback="manual",
    deployed=Deployed("2026-11-25T12:00:00Z", "ana@laptop", "abc123", "0.1.0"),
)
RECORDS: list[Record] = [
    STANDBY,
    SwitchRecord(
        SCHEMA_VERSION, True, "2026-11-25T12:00:00Z", "ana", "us-east-1 is slow", "command"
    ),
    ServingRecord(
        SCHEMA_VERSION,
        "2026-11-25T12:00:00Z",
        (ServingChange("2026-11-25T11:00:00Z", "us-west-2", "automatic"),),
    ),
    LastDrill(SCHEMA_VERSION, "drill-1", "switch", "pass", "2026-11-25T12:00:00Z"),
    OutputsRecord(
        SCHEMA_VERSION, "us-east-1", "2026-11-25T12:00:00Z", {"api": {"Id": "a"}}, ("x",)
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    """Every record survives its way through JSON."""
    assert parse(type(record), to_json(record), "here") == record


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema_version": 1}', '"x"', "null"])
def test_what_is_no_record_is_refused_with_its_place(text: str) -> None:
    """A damaged parameter gives one error that names it."""
    with pytest.raises(DeploytoolError, match="the place"):
        parse(SwitchRecord, text, "the place")


def test_a_newer_version_is_refused_with_a_hint() -> None:
    """A record of a newer deploytool is not half understood."""
    newer = to_json(STANDBY).replace('"schema_version":1', '"schema_version":2')
    with pytest.raises(DeploytoolError, match="schema version 2"):
        parse(StandbyRecord, newer, "here")


def test_each_kind_has_a_parameter_of_its_own() -> None:
    """The names are those that the roles and the function in the standby region know."""
    kinds = [type(record) for record in RECORDS]
    names = [parameter_name("hello", "dev", kind) for kind in kinds]
    assert names == [
        "/deploytool/hello/dev/standby",
        "/deploytool/hello/dev/switch",
        "/deploytool/hello/dev/serving",
        "/deploytool/hello/dev/last-drill",
        "/deploytool/hello/dev/outputs",
    ]
