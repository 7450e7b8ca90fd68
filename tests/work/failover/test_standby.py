"""What a deployment keeps in the standby region."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from deploytool.core.errors import ApiUnavailable, CloudRefused
from deploytool.core.failover.records import Deployed, OutputsRecord, StandbyRecord
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.plan import Action
from deploytool.core.stacks.stack import StackOperation
from deploytool.simulated.example import SERVICE
from deploytool.simulated.memory import SimulatedStandbyRecords
from deploytool.work.failover.standby import (
    DeployedStage,
    is_changed,
    keep_records,
    note_deployment,
)
from deploytool.work.stacks.operations import Outcome

NODE = NodeId("api", "us-east-1")
STAGE = DeployedStage(
    SERVICE, {}, {NODE: {"Id": "a"}}, Deployed("2026-11-25T12:00:00+00:00", "ana@laptop")
)


def name_servers(zone: str) -> Sequence[str]:
    return [f"ns.{zone}.example.net"]


@pytest.mark.parametrize(
    ("outcome", "changed"),
    [
        (Outcome(), False),
        (Outcome(done={NODE: Action.NOTHING}), False),
        (Outcome(done={NODE: Action.LATER}), False),
        (Outcome(done={NODE: StackOperation.UPDATE}), True),
        (Outcome(failed={NODE: "no"}), True),
        (Outcome(stopped={NODE: "stopped"}), True),
    ],
)
def test_a_run_that_changed_nothing_is_recognised(outcome: Outcome, *, changed: bool) -> None:
    """It writes nothing, so that it makes no more calls than its two listings."""
    assert is_changed(outcome) is changed


def test_both_records_are_written() -> None:
    """The service with the names of its zone's servers, and the outputs of the primary region."""
    records = SimulatedStandbyRecords()
    assert keep_records(records, STAGE, name_servers).done
    standby, outputs = records.read(StandbyRecord), records.read(OutputsRecord)
    assert standby is not None
    assert standby.name_servers == ("ns.Z1.example.net",)
    assert standby.deployed == STAGE.deployed
    assert outputs is not None
    assert outputs.outputs == {"api": {"Id": "a"}}


def test_a_zone_that_is_hosted_elsewhere_is_not_asked_for() -> None:
    """The record says what is deployed, and has no name server and no switch."""
    records = SimulatedStandbyRecords()
    stage = replace(STAGE, service=replace(SERVICE, hosted_zone_id=""))

    def refuse(zone: str) -> Sequence[str]:
        raise AssertionError(zone)

    assert keep_records(records, stage, refuse).done
    standby = records.read(StandbyRecord)
    assert standby is not None
    assert (standby.hosted_zone_id, standby.name_servers) == ("", ())


def test_the_name_servers_that_are_known_serve_while_route_53_does_not_answer() -> None:
    """They are those of the zone for as long as it exists. Another zone's are of no use."""
    records = SimulatedStandbyRecords()

    def refuse(zone: str) -> Sequence[str]:
        raise ApiUnavailable(f"reading hosted zone {zone}: no answer", "us-east-1")

    keep_records(records, STAGE, name_servers)
    assert keep_records(records, STAGE, refuse).done
    standby = records.read(StandbyRecord)
    assert standby is not None
    assert standby.name_servers == ("ns.Z1.example.net",)

    other = replace(STAGE, service=replace(SERVICE, hosted_zone_id="Z2"))
    assert not keep_records(records, other, refuse).done


def test_a_failed_write_is_returned_and_the_other_record_is_written() -> None:
    """The result of the deployment can still be shown; the caller decides the exit code."""
    records = SimulatedStandbyRecords()

    def refuse(zone: str) -> Sequence[str]:
        raise ApiUnavailable("reading hosted zone Z1: no answer", "us-east-1")

    kept = keep_records(records, STAGE, refuse)
    assert not kept.done
    assert [error.exit_code for error in kept.errors] == [4]
    assert records.read(StandbyRecord) is None
    assert records.read(OutputsRecord) is not None

    records.error = CloudRefused("no")
    assert len(keep_records(records, STAGE, name_servers).errors) == 2


def test_a_run_without_the_primary_region_notes_that_it_deployed() -> None:
    """The rest of the record stays. A stage without a record gets none."""
    records = SimulatedStandbyRecords()
    later = Deployed("2026-11-26T12:00:00+00:00", "ben@laptop", "abc")
    assert not note_deployment(records, later).done
    assert not records.kept

    keep_records(records, STAGE, name_servers)
    before = records.read(StandbyRecord)
    assert before is not None
    assert note_deployment(records, later).done
    assert records.read(StandbyRecord) == replace(before, deployed=later)

    records.error = ApiUnavailable("no answer", "us-west-2")
    assert [error.exit_code for error in note_deployment(records, later).errors] == [4]
