"""The check for a hosted zone that a deleted stack retained."""

import pytest

from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.plan import resolve
from deploytool.work.certificates.retained_zone import RetainedZoneCheck
from tests.work.certificates.world import ZONE_ID, World, graph_of

ZONE_NODE = graph_of().nodes[NodeId("zone", "us-east-1")]


def test_a_second_zone_is_refused(ports: CertificatePorts) -> None:
    """The error names the retained zone, the setting that uses it and the command to delete it."""
    with pytest.raises(DeploytoolError, match="retained when hello-dev-zone was deleted") as raised:
        RetainedZoneCheck(lambda: ports).before_change(ZONE_NODE, resolve(ZONE_NODE, {}))
    assert ZONE_ID in str(raised.value)
    assert f'hosted_zone_id = "{ZONE_ID}" in [stages.dev.settings]' in str(raised.value.hint)
    assert "destroy --stage dev --delete-zone" in str(raised.value.hint)


def test_zones_of_others_are_ignored(world: World, ports: CertificatePorts) -> None:
    """A zone of the same name whose comment does not name the stack does not stop the run."""
    world.comment = "created by hand"
    RetainedZoneCheck(lambda: ports).before_change(ZONE_NODE, resolve(ZONE_NODE, {}))
