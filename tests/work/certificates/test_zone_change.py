"""The gate before stacks that change a zone while Route 53 turns accelerated recovery on."""

from dataclasses import replace
from typing import Any

import pytest

from deploytool.core.certificates.ports import CHANGING, CertificatePorts
from deploytool.core.certificates.records import zones_changed_by
from deploytool.core.errors import ApiUnavailable, DeploytoolError
from deploytool.core.project.graph import NodeId
from deploytool.work.certificates.zone_change import ZoneChangeGate
from deploytool.work.stacks.operations import RetryAfter
from tests.work.certificates.world import CERT, DOMAIN, World, graph_of

GRAPH = graph_of()
PARAMETERS = {"Name": DOMAIN, "Zone": "Z1"}


@pytest.fixture
def gate(ports: CertificatePorts) -> ZoneChangeGate:
    return ZoneChangeGate(lambda: ports)


@pytest.mark.parametrize("status", CHANGING)
def test_a_zone_that_is_changing_is_waited_for(
    gate: ZoneChangeGate, world: World, status: str
) -> None:
    """Route 53 refuses records until it has settled. Then it is not asked again."""
    world.recovery = [status, "ENABLED", status]
    assert isinstance(gate.before_change(GRAPH.nodes[CERT], PARAMETERS), RetryAfter)
    assert gate.before_change(GRAPH.nodes[CERT], PARAMETERS) is None
    assert gate.before_change(GRAPH.nodes[CERT], PARAMETERS) is None


@pytest.mark.parametrize("status", ["", "ENABLED", "DISABLED", "ENABLE_FAILED", "DISABLE_FAILED"])
def test_a_zone_that_takes_changes_delays_nothing(
    gate: ZoneChangeGate, world: World, status: str
) -> None:
    """Also one whose accelerated recovery has failed."""
    world.recovery = [status]
    assert gate.before_change(GRAPH.nodes[CERT], PARAMETERS) is None


def test_a_stack_without_records_reads_no_zone(gate: ZoneChangeGate, world: World) -> None:
    """The stack of the zone itself is not delayed."""
    world.recovery = ["ENABLING"]
    zone = GRAPH.nodes[NodeId("zone", "us-east-1")]
    assert gate.before_change(zone, {"Name": DOMAIN}) is None


def test_the_wait_ends(gate: ZoneChangeGate, world: World, stacks: Any) -> None:
    """The error names the zone and the status."""
    world.recovery = ["ENABLING"]
    gate.before_change(GRAPH.nodes[CERT], PARAMETERS)
    stacks.clock.sleep(1800)
    with pytest.raises(DeploytoolError, match=r"Z1 takes no changes .* ENABLING"):
        gate.before_change(GRAPH.nodes[CERT], PARAMETERS)


def test_a_dead_api_delays_nothing(ports: CertificatePorts) -> None:
    """CloudFormation then says what it cannot do."""

    class Down:
        def get(self, zone_id: str) -> None:
            raise ApiUnavailable("down", "us-east-1")

    gate = ZoneChangeGate(lambda: replace(ports, zones=Down()))  # type: ignore[arg-type]
    assert gate.before_change(GRAPH.nodes[CERT], PARAMETERS) is None


def test_the_zones_of_record_sets_count() -> None:
    """They are those of records and of certificates; another zone that a record names does not."""
    document = {
        "Resources": {
            "Record": {
                "Type": "AWS::Route53::RecordSet",
                "Properties": {
                    "HostedZoneId": {"Ref": "Zone"},
                    "AliasTarget": {"HostedZoneId": "Z9"},
                },
            }
        }
    }
    assert zones_changed_by(document, {"Zone": "Z1"}) == ("Z1",)
