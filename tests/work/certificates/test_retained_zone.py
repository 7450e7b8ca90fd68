"""The check for a hosted zone that a deleted stack retained."""

import pytest

from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.plan import resolve
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.work.certificates.retained_zone import RetainedZoneCheck
from tests.work.certificates.world import ZONE_ID, World, graph_of

ZONE_NODE = graph_of().nodes[NodeId("zone", "us-east-1")]


def test_a_second_zone_is_refused(ports: CertificatePorts) -> None:
    """The error names the retained zone, the setting that uses it and the command to delete it."""
    with pytest.raises(
        DeploytoolError, match="retained when hello-dev-zone was deleted or"
    ) as raised:
        RetainedZoneCheck(lambda: ports).before_change(ZONE_NODE, resolve(ZONE_NODE, {}))
    assert ZONE_ID in str(raised.value)
    assert f'hosted_zone_id = "{ZONE_ID}" in [stages.dev.settings]' in str(raised.value.hint)
    assert "destroy --stage dev --delete-zone" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("status", "is_refused"),
    [
        (StackStatus.ROLLBACK_COMPLETE, True),
        (StackStatus.ROLLBACK_FAILED, True),
        (StackStatus.CREATE_FAILED, True),
        (StackStatus.DELETE_IN_PROGRESS, True),
        (StackStatus.CREATE_IN_PROGRESS, False),
        (StackStatus.CREATE_COMPLETE, False),
        (StackStatus.UPDATE_ROLLBACK_COMPLETE, False),
    ],
)
def test_a_zone_that_a_rolled_back_creation_left(
    ports: CertificatePorts, status: StackStatus, is_refused: bool
) -> None:
    """A stack that will be created again would make a second zone; one that exists makes none."""
    check = RetainedZoneCheck(lambda: ports)
    check.stacks_found({ZONE_NODE.id: Stack(ZONE_NODE.stack_name, "id", status, {})})
    if not is_refused:
        check.before_change(ZONE_NODE, resolve(ZONE_NODE, {}))
        return
    with pytest.raises(DeploytoolError, match="a second one would have other name servers"):
        check.before_change(ZONE_NODE, resolve(ZONE_NODE, {}))


def test_zones_of_others_are_ignored(world: World, ports: CertificatePorts) -> None:
    """A zone of the same name whose comment does not name the stack does not stop the run."""
    world.comment = "created by hand"
    RetainedZoneCheck(lambda: ports).before_change(ZONE_NODE, resolve(ZONE_NODE, {}))
