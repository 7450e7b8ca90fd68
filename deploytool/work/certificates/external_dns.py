"""Lists where a service's names must point when their DNS is hosted outside of Route 53."""

from collections.abc import Mapping

from deploytool.core.certificates.certificate import certificate_requests, failover_targets
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.route53.zone import DnsRecord
from deploytool.core.stacks.plan import resolve


def external_targets(
    graph: Graph, outputs: Mapping[NodeId, Mapping[str, str]]
) -> tuple[DnsRecord, ...]:
    """Return the records that the names of a service need at an external DNS provider.

    `outputs` are those of the deployed stacks. Empty when every name of every certificate is in a
    hosted zone.
    """
    in_hosted_zones = True
    mappings = []
    for node in graph.nodes.values():
        if not _is_deployed(node, outputs):
            continue
        parameters = resolve(node, outputs)
        # Every stack is passed on: only the mappings have the parameters and outputs of a target.
        mappings.append((parameters, outputs[node.id]))
        for request in certificate_requests(node.document, parameters):
            if not request.zones.keys() >= set(request.names):
                in_hosted_zones = False

    if in_hosted_zones:
        return ()
    return failover_targets(mappings)


def _is_deployed(node: Node, outputs: Mapping[NodeId, Mapping[str, str]]) -> bool:
    """Return whether a node's stack and every output that it refers to exist."""
    if node.id not in outputs:
        return False
    return all(ref.output in outputs.get(ref.node, {}) for ref in node.references())
