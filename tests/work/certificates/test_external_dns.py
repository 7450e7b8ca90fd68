"""The records of a service whose DNS is hosted elsewhere."""

from deploytool.core.project.graph import NodeId
from deploytool.work.certificates.external_dns import external_targets
from tests.work.certificates.world import CERT, graph_of


def test_external_targets() -> None:
    """A certificate in a hosted zone needs no records; without mappings there are no targets."""
    node = NodeId("zone", "us-east-1")
    assert external_targets(graph_of(), {node: {"Id": "Z1"}, CERT: {}}) == ()
    assert external_targets(graph_of(zone=False), {CERT: {"TargetDomainName": "d.aws"}}) == ()
