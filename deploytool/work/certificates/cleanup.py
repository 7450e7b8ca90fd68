"""Removes unused validation records from hosted zones, and on demand the retained zones."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploytool.core.certificates.certificate import (
    certificate_requests,
    foreign_records,
    hosted_zone_in,
    unused_validation_records,
)
from deploytool.core.certificates.ports import CertificatePorts, ZoneInfo
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.stacks.events import Emit, RecordsRemoved, ZoneDeleted
from deploytool.core.stacks.plan import resolve
from deploytool.core.stacks.stack import Stack

_NAMED = 6  # foreign records that a message names


@dataclass(frozen=True)
class _StackZone:
    """A hosted zone that a stack of the graph creates, and its name."""

    node: Node
    name: str

    def created(self, zone: ZoneInfo) -> bool:
        """Return whether this stack created the zone, perhaps in an earlier deployment.

        The zone's comment then names the stack (hosted-zone.yaml).
        """
        return self.node.stack_name in zone.comment.split()


class ZoneCleaner:
    """Removes validation records that no certificate uses.

    A zone that a stack of the graph creates is cleaned before that stack is deleted, any other zone
    at the end. Create the cleaner while the stacks exist: their outputs give the zones, and their
    templates the names of the certificates.
    """

    def __init__(
        self, graph: Graph, deployed: Mapping[NodeId, Stack], ports: CertificatePorts, emit: Emit
    ) -> None:
        self._ports, self._emit = ports, emit
        self._regions = sorted({node.region for node in graph.nodes})
        self._own: dict[NodeId, _StackZone] = {}
        self._zone_ids: set[str] = set()
        self._names: set[str] = set()
        self._swept: set[str] = set()
        outputs = {each: stack.outputs for each, stack in deployed.items()}
        for node in graph.nodes.values():
            parameters = resolve(node, _filled(node, outputs))
            if name := hosted_zone_in(node.document, parameters):
                self._own[node.id] = _StackZone(node, name)
            for request in certificate_requests(node.document, parameters):
                self._names.update(request.names)
                self._zone_ids.update(request.zones.values())
        self._zone_ids.discard("")

    def before(self, node: NodeId) -> None:
        """Clean the zone of a node's stack. Call it before that stack is deleted.

        The certificates in the zone are deleted by then, because their stacks take its output.
        """
        if node in self._own:
            for zone in self._ports.zones.find(self._own[node].name):
                if zone.id in self._zone_ids or self._own[node].created(zone):
                    self._sweep(zone.id)

    def finish(self) -> None:
        """Clean the other zones. Call it when the stacks are deleted."""
        for zone_id in sorted(self._zone_ids - self._swept):
            self._sweep(zone_id)

    def delete_zones(self) -> tuple[str, ...]:
        """Delete the zones that stacks of the graph created and retained.

        Returns the reason for each zone that could not be deleted.
        """
        kept = []
        for own in self._own.values():
            for zone in filter(own.created, self._ports.zones.find(own.name)):
                self._sweep(zone.id)
                foreign = foreign_records(self._ports.zones.records(zone.id), zone.name)
                if foreign:
                    shown = ", ".join(f"{record.name} {record.type}" for record in foreign[:_NAMED])
                    more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
                    kept.append(
                        f"hosted zone {zone.id} ({zone.name}) has records that are not ours: {shown}{more}"
                    )
                    continue
                self._ports.remover.delete(zone.id)
                self._emit(ZoneDeleted(self._ports.clock.now(), f"{zone.name} ({zone.id})"))
        return tuple(kept)

    def _sweep(self, zone_id: str) -> None:
        self._swept.add(zone_id)
        records = self._ports.zones.records(zone_id)
        if not unused_validation_records(records, self._names, ()):
            return
        in_use: set[str] = set()
        for region in self._regions:
            for certificate in self._ports.certificates.list(region):
                in_use.update(certificate.names)
        if gone := unused_validation_records(records, self._names, in_use):
            self._ports.remover.remove(zone_id, gone)
            self._emit(
                RecordsRemoved(
                    self._ports.clock.now(), zone_id, tuple(record.name for record in gone)
                )
            )


def _filled(
    node: Node, outputs: Mapping[NodeId, Mapping[str, str]]
) -> dict[NodeId, dict[str, str]]:
    """Return the outputs that a node takes, empty where the stack is deleted already."""
    filled: dict[NodeId, dict[str, str]] = {}
    for ref in node.references():
        filled.setdefault(ref.node, {})[ref.output] = outputs.get(ref.node, {}).get(ref.output, "")
    return filled
