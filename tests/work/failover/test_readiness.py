"""Whether a failover can happen, read from a stage's health checks and records."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from deploytool.core.errors import ApiUnavailable, CloudRefused, NoSuchHealthCheck, NoSuchZone
from deploytool.core.failover.readiness import Remedy
from deploytool.core.failover.records import StandbyRecord
from deploytool.core.route53.zone import RecordSet
from deploytool.simulated.example import SERVICE
from deploytool.simulated.world import World
from deploytool.work.failover.readiness import ReadinessPorts, read_readiness


@pytest.fixture
def world() -> World:
    """A stage with a switch, and the record that a deployment keeps of it."""
    ids = {"failover_health_check_id": "calculated", "switch_health_check_id": "switch"}
    world = World(replace(SERVICE, **ids))
    world.deploy_switch()
    return world


def ports_of(world: World) -> ReadinessPorts:
    drill = world.drill_ports()
    return ReadinessPorts(drill.standby, drill.health_checks, drill.probes.hosted_zones.records)


def test_a_stage_as_deployed_is_ready(world: World) -> None:
    """Its health checks and its failover pair are there."""
    readiness = read_readiness(ports_of(world))
    assert (readiness.is_ready, readiness.reasons, readiness.unknown) == (True, (), "")


def test_a_deleted_health_check_is_a_reason(world: World) -> None:
    """The stage serves, and would go on sending clients to a primary that has failed."""
    ports = ports_of(world)
    get = ports.health_checks.get
    gone = world.service.failover_health_check_id
    assert gone

    def without_one(health_check_id: str) -> Any:
        if health_check_id == gone:
            raise NoSuchHealthCheck(f"{gone} (NoSuchHealthCheck)")
        return get(health_check_id)

    ports.health_checks.get = without_one  # type: ignore[method-assign]
    readiness = read_readiness(ports)
    assert readiness.is_ready is False
    assert readiness.reasons == (f"health check {gone} that the primary's record takes is deleted",)
    assert readiness.deleted == ("failover_check",)


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([], "has no PRIMARY failover record"),
        (None, "the hosted zone"),
    ],
)
def test_missing_records_are_a_reason(
    world: World, records: Sequence[RecordSet] | None, reason: str
) -> None:
    """Somebody has deleted them, or the zone."""

    def read(zone: str, _name: str) -> Sequence[RecordSet]:
        if records is None:
            raise NoSuchZone(f"no hosted zone {zone}")
        return records

    readiness = read_readiness(replace(ports_of(world), records=read))
    assert readiness.is_ready is False
    assert any(reason in each for each in readiness.reasons)


def test_a_record_without_its_health_check_is_a_reason(world: World) -> None:
    """Route 53 then always takes the primary for healthy."""
    ports = ports_of(world)

    def read(zone: str, name: str) -> Sequence[RecordSet]:
        return [replace(record, health_check_id="") for record in ports.records(zone, name)]

    readiness = read_readiness(replace(ports, records=read))
    assert any("has no health check" in reason for reason in readiness.reasons)
    assert readiness.remedy is Remedy.REPAIR


@pytest.mark.parametrize(
    ("id_name", "changed", "remedy"),
    [
        ("health_check_id", {"inverted": True}, Remedy.RESTORE),
        ("health_check_id", {"disabled": True}, Remedy.TURN_ON),
        ("failover_health_check_id", {"inverted": True}, Remedy.TURN_ON),
        ("switch_health_check_id", {"disabled": True}, Remedy.TURN_ON),
        ("health_check_id", {"resource_path": "/other"}, Remedy.REPAIR),
    ],
)
def test_each_difference_of_a_health_check_has_its_remedy(
    world: World, id_name: str, changed: dict[str, Any], remedy: Remedy
) -> None:
    """A deployment has nothing to do in any of these states, so it is the remedy of none."""
    ports = ports_of(world)
    get = ports.health_checks.get
    id_ = getattr(world.service, id_name)

    def with_change(health_check_id: str) -> Any:
        check = get(health_check_id)
        if health_check_id != id_:
            return check
        return replace(check, config=replace(check.config, **changed))

    ports.health_checks.get = with_change  # type: ignore[method-assign]
    readiness = read_readiness(ports)
    assert readiness.is_ready is False
    assert readiness.remedy is remedy
    assert (id_ in readiness.turned_off) is (remedy in (Remedy.TURN_ON, Remedy.RESTORE))


@pytest.mark.parametrize("error", [ApiUnavailable("no answer", "us-west-2"), CloudRefused("no")])
def test_what_cannot_be_read_is_not_known(
    world: World, error: ApiUnavailable | CloudRefused
) -> None:
    """A check needs no API of AWS, and no credentials."""
    ports = ports_of(world)
    world.standby.error = error
    readiness = read_readiness(ports)
    assert readiness.is_ready is None
    assert readiness.unknown == str(error)


def test_a_stage_without_a_record_is_not_known(world: World) -> None:
    """An older version deployed it, or nobody did."""
    ports = ports_of(world)
    world.standby.kept.pop(StandbyRecord)
    assert read_readiness(ports).is_ready is None
