"""The record of a deployed service, and the outputs that are kept with it."""

from dataclasses import replace

from deploytool.core.failover.records import LARGEST_VALUE, Deployed, to_json
from deploytool.core.failover.standby import outputs_record, service_from, standby_record
from deploytool.core.project.graph import NodeId
from deploytool.core.service.service import DrillGuard
from deploytool.simulated.example import SERVICE

EAST, WEST = "us-east-1", "us-west-2"
DEPLOYED = Deployed("2026-11-25T12:00:00+00:00", "ana@laptop", "abc", "1.0")
FULL = replace(
    SERVICE,
    functions={EAST: "f-east", WEST: "f-west"},
    rest_apis={EAST: "a-east", WEST: "a-west"},
    guard=DrillGuard(WEST, "function", "role", "schedules"),
    failover_health_check_id="calculated",
    switch_health_check_id="switch",
    targets={EAST: "d-1.example.net", WEST: "d-2.example.net"},
    failback="manual",
)


def test_a_service_is_read_from_its_record_as_it_was() -> None:
    """Nothing of it is lost, with a guard and without one."""
    for service in (FULL, SERVICE):
        assert service_from(standby_record(service, {}, (), DEPLOYED)) == service


def test_settings_are_text_and_name_servers_have_no_final_dot() -> None:
    """The function in the standby region reads both."""
    record = standby_record(FULL, {"vpc": True, "path": "/v1"}, ["ns-1.example.net."], DEPLOYED)
    assert record.settings == {"vpc": "true", "path": "/v1"}
    assert record.name_servers == ("ns-1.example.net",)


def test_the_outputs_of_the_other_region_are_not_kept() -> None:
    """The standby region has its own stacks; a stack without outputs needs no entry."""
    outputs = {
        NodeId("api", EAST): {"Id": "a"},
        NodeId("api", WEST): {"Id": "b"},
        NodeId("empty", EAST): {},
    }
    record = outputs_record(EAST, outputs, "now")
    assert (record.region, record.outputs) == (EAST, {"api": {"Id": "a"}})


def test_outputs_that_do_not_fit_are_left_out_and_named() -> None:
    """The longest ones go first, so that as many stacks as possible are kept."""
    outputs = {
        NodeId("long", EAST): {"Text": "x" * LARGEST_VALUE},
        NodeId("short", EAST): {"Text": "x" * 100},
    }
    record = outputs_record(EAST, outputs, "now")
    assert record.left_out == ("long",)
    assert record.outputs.keys() == {"short"}
    assert len(to_json(record).encode()) <= LARGEST_VALUE
