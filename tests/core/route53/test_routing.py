"""Routing: each row of the failover table, the health of aliases, and refused policies."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploytool.core.route53.routing import failover, is_record_healthy, select
from deploytool.core.route53.zone import AliasTarget, HostedZone, NotSupported, RecordSet

API = AliasTarget(
    "d-1.execute-api.us-east-1.amazonaws.com.", "Z1UJRXOUMOOFQ8", evaluate_target_health=True
)
PRIMARY = RecordSet(
    "www.example.com.",
    "A",
    alias=API,
    set_identifier="east",
    failover="PRIMARY",
    health_check_id="east",
)
SECONDARY = RecordSet(
    "www.example.com.",
    "A",
    alias=API,
    set_identifier="west",
    failover="SECONDARY",
    health_check_id="west",
)
SIMPLE = RecordSet("www.example.com.", "A", 60, ("192.0.2.1",))


def inner(name: str) -> AliasTarget:
    """Return an alias target within the zone."""
    return AliasTarget(name, "Z1", evaluate_target_health=True)


def zone(*records: RecordSet) -> HostedZone:
    """Return a zone with only these record sets."""
    return HostedZone("Z1", "example.com.", ("ns-1.awsdns-01.com.",), records)


@pytest.mark.parametrize(
    ("primary", "secondary", "answer"),
    [
        pytest.param(True, True, "PRIMARY", id="healthy, healthy"),
        pytest.param(True, False, "PRIMARY", id="healthy, any"),
        pytest.param(False, True, "SECONDARY", id="unhealthy, healthy"),
        pytest.param(False, None, "SECONDARY", id="unhealthy, no health check"),
        pytest.param(False, False, "PRIMARY", id="unhealthy, unhealthy"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_failover_table(primary: bool, secondary: bool | None, answer: str, swapped: bool) -> None:
    """Failover answers by its table, in any order of the record sets."""
    records = [PRIMARY, replace(SECONDARY, health_check_id="" if secondary is None else "west")]
    if swapped:
        records.reverse()
    verdicts = {"east": primary, "west": bool(secondary)}
    assert select(records, verdicts.__getitem__).failover == answer
    assert failover(primary, secondary is not False) == answer


@settings(deadline=None)
@given(
    st.sampled_from(["", "east", "west", "both"]),
    st.sampled_from(["", "east", "west", "both"]),
    st.booleans(),
    st.booleans(),
)
def test_always_one_of_the_two(
    primary_check: str, secondary_check: str, east: bool, west: bool
) -> None:
    """One of the two records always answers; an unhealthy one only when both are unhealthy."""
    verdicts = {"east": east, "west": west, "both": east and west, "": True}
    pair = [
        replace(PRIMARY, health_check_id=primary_check),
        replace(SECONDARY, health_check_id=secondary_check),
    ]
    answer = select(pair, verdicts.__getitem__)
    assert answer in pair
    assert verdicts[answer.health_check_id] or not any(
        verdicts[record.health_check_id] for record in pair
    )
    assert answer is pair[0] or not verdicts[primary_check]


@pytest.mark.parametrize(
    "record", [SIMPLE, replace(SIMPLE, health_check_id="east"), PRIMARY, SECONDARY]
)
def test_a_single_record_answers_whatever_its_health(record: RecordSet) -> None:
    """A simple record and a failover record without its counterpart answer when unhealthy."""
    assert select([record], lambda _: False) is record


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([replace(SIMPLE, set_identifier="a")], id="weighted, one"),
        pytest.param(
            [replace(SIMPLE, set_identifier="a"), replace(SIMPLE, set_identifier="b")],
            id="weighted",
        ),
        pytest.param([PRIMARY, replace(SIMPLE, set_identifier="b")], id="failover and weighted"),
        pytest.param([SIMPLE, SIMPLE], id="two simple ones"),
        pytest.param([SIMPLE, PRIMARY], id="simple and failover"),
        pytest.param([PRIMARY, replace(PRIMARY, set_identifier="other")], id="two primaries"),
        pytest.param([replace(PRIMARY, failover="TERTIARY")], id="no such role"),
    ],
)
def test_other_policies_are_refused(records: list[RecordSet]) -> None:
    """Every policy but simple and failover routing is refused, with the name and the reason."""
    with pytest.raises(NotSupported, match=r"www\.example\.com\. A: "):
        select(records, lambda _: True)


@pytest.mark.parametrize(
    ("check", "target", "healthy"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_health_check_and_target_are_both_needed(check: bool, target: bool, healthy: bool) -> None:
    """A record with a health check and EvaluateTargetHealth needs both to be healthy."""
    record = replace(PRIMARY, alias=inner("inner.example.com."))
    records = zone(record, replace(SIMPLE, name="inner.example.com.", health_check_id="inner"))
    assert (
        is_record_healthy(record, {"east": check, "inner": target}.__getitem__, records) == healthy
    )


@pytest.mark.parametrize(
    ("record", "healthy"),
    [
        pytest.param(
            replace(PRIMARY, health_check_id=""), True, id="API Gateway counts as available"
        ),
        pytest.param(
            replace(PRIMARY, health_check_id="", alias=inner("pair.example.com.")),
            True,
            id="one of two targets healthy",
        ),
        pytest.param(
            replace(PRIMARY, health_check_id="", alias=inner("down.example.com.")),
            False,
            id="no target healthy",
        ),
        pytest.param(
            replace(PRIMARY, health_check_id="", alias=inner("none.example.com.")),
            False,
            id="no such target",
        ),
        pytest.param(
            replace(
                PRIMARY,
                health_check_id="",
                alias=replace(inner("down.example.com."), evaluate_target_health=False),
            ),
            True,
            id="not evaluated",
        ),
    ],
)
def test_evaluate_target_health(record: RecordSet, healthy: bool) -> None:
    """EvaluateTargetHealth uses the health of the record sets that an alias points to."""
    targets = zone(
        replace(PRIMARY, name="pair.example.com.", health_check_id="down"),
        replace(SECONDARY, name="pair.example.com.", health_check_id="up"),
        replace(SIMPLE, name="down.example.com.", health_check_id="down"),
    )
    assert is_record_healthy(record, {"up": True, "down": False}.__getitem__, targets) == healthy


def test_aliases_in_a_circle_are_refused() -> None:
    """Aliases that point to one another raise NotSupported."""
    one = replace(SIMPLE, name="one.example.com.", alias=inner("two.example.com."))
    two = replace(SIMPLE, name="two.example.com.", alias=inner("one.example.com."))
    with pytest.raises(NotSupported, match="circle"):
        is_record_healthy(one, lambda _: True, zone(one, two))
