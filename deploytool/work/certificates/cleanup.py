"""Removes unused validation records from hosted zones, and on demand the retained zones.

ACM gives all certificates of an account for one name the same record, in every region (ACM User
Guide, "DNS validation"; aws-cdk issue 18311). A certificate that lost its record is not renewed, and
nobody notices before it expires. So a record is deleted only when no region has a certificate that
needs it, and only in a zone that a stack of the stage created.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from deploytool.core.certificates.certificate import (
    certificate_requests,
    foreign_records,
    hosted_zone_in,
    unused_validation_records,
)
from deploytool.core.certificates.ports import CertificatePorts, ZoneInfo
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Graph, Node, NodeId
from deploytool.core.stacks.events import Emit, RecordsKept, RecordsRemoved, ZoneDeleted
from deploytool.core.stacks.plan import resolve
from deploytool.core.stacks.stack import Stack
from deploytool.work.certificates.zone_check import was_created_by
from deploytool.work.tasks import for_each

_MAX_NAMED = 6  # foreign records that a message names

# Of a change of accelerated recovery, in seconds. It takes some minutes.
_LONGEST_CHANGE = 1800.0
_PAUSE = 5.0


@dataclass(frozen=True)
class _StackZone:
    """A hosted zone that a stack of the graph creates: the stack's name, and the zone's."""

    stack_name: str
    name: str

    def is_creator_of(self, zone: ZoneInfo) -> bool:
        """Return whether this stack created the zone, perhaps in an earlier deployment."""
        return was_created_by(zone, self.stack_name)


class ZoneCleaner:
    """Removes validation records that no certificate uses.

    A zone that a stack of the graph creates is cleaned before that stack is deleted. In any other
    zone the records stay: others may rely on them. Create the cleaner while the stacks exist: their
    outputs give the zones, and their templates the names of the certificates.
    """

    def __init__(
        self, graph: Graph, deployed: Mapping[NodeId, Stack], ports: CertificatePorts, emit: Emit
    ) -> None:
        self._ports = ports
        self._emit = emit
        self._region = graph.regions[0]
        self._regions = {node.region for node in graph.nodes}
        self._stack_zones: dict[NodeId, _StackZone] = {}
        # The zones with validation records of our certificates, and the names of these.
        self._zone_ids: set[str] = set()
        # What the stacks with a zone return: the ids of their zones are among it.
        self._created_ids: set[str] = set()
        self._names: set[str] = set()
        self._cleaned_ids: set[str] = set()

        for node in graph.nodes.values():
            parameters = resolve(node, _outputs_for(node, deployed))
            zone_name = hosted_zone_in(node.document, parameters)
            if zone_name:
                self._stack_zones[node.id] = _StackZone(node.stack_name, zone_name)
                if node.id in deployed:
                    self._created_ids.update(deployed[node.id].outputs.values())
            for request in certificate_requests(node.document, parameters):
                self._names.update(request.names)
                self._zone_ids.update(request.zones.values())
        # The id is empty where the stack with the zone is deleted already.
        self._zone_ids.discard("")

    def before(self, node: NodeId) -> None:
        """Clean the zone of a node's stack. Call it before that stack is deleted.

        The certificates in the zone are deleted by then, because their stacks take its output.
        """
        stack_zone = self._stack_zones.get(node)
        if stack_zone is None:
            return
        for zone in self._ports.zones.find(stack_zone.name):
            if zone.id in self._created_ids or stack_zone.is_creator_of(zone):
                self._clean(zone.id)

    def finish(self) -> None:
        """Tell what stays in zones that nobody created here. Call it when the stacks are deleted."""
        for zone_id in sorted(self._zone_ids - self._cleaned_ids):
            if zone_id in self._created_ids:
                self._clean(zone_id)
            else:
                self._keep(zone_id, "no stack of this stage created the zone")

    def delete_zones(self) -> tuple[str, ...]:
        """Delete the zones that stacks of the graph created and retained.

        Returns the reason for each zone that could not be deleted.
        """
        problems = []
        for stack_zone in self._stack_zones.values():
            for zone in self._ports.zones.find(stack_zone.name):
                if not stack_zone.is_creator_of(zone):
                    continue
                problem = self._delete_zone(zone)
                if problem:
                    problems.append(problem)
        return tuple(problems)

    def _delete_zone(self, zone: ZoneInfo) -> str | None:
        """Delete a zone without records of others, or return why it is kept."""
        self._clean(zone.id)
        # Route 53 refuses to delete a zone that has other records than its own SOA and NS.
        foreign = foreign_records(self._ports.zones.records(zone.id), zone.name)
        if foreign:
            listed = ", ".join(f"{record.name} {record.type}" for record in foreign[:_MAX_NAMED])
            if len(foreign) > _MAX_NAMED:
                listed += f" and {len(foreign) - _MAX_NAMED} more"
            return (
                f"hosted zone {zone.id} ({zone.name}) has records"
                f" that deploytool did not create: {listed}"
            )

        self._end_recovery(zone.id)
        self._ports.remover.delete(zone.id)
        self._emit(ZoneDeleted(self._ports.clock.now(), f"{zone.name} ({zone.id})"))
        return None

    def _end_recovery(self, zone_id: str) -> None:
        """Turn accelerated recovery off and wait for that: Route 53 deletes no zone that has it.

        Source: Terraform's AWS provider, pull request 45302. Raises DeploytoolError when it takes too
        long.
        """
        clock = self._ports.clock
        deadline = clock.now() + _LONGEST_CHANGE
        is_asked = False
        while True:
            zone = self._ports.zones.get(zone_id)
            if not zone.has_recovery:
                return
            if clock.now() >= deadline:
                raise DeploytoolError(
                    f"accelerated recovery of hosted zone {zone_id} is not off after"
                    f" {_LONGEST_CHANGE:.0f} s: {zone.recovery}; the zone was not deleted",
                    hint="turn it off in the Route 53 console, then run the command again",
                )
            if not zone.is_changing and not is_asked:
                self._ports.remover.disable_recovery(zone_id)
                is_asked = True
                continue
            clock.sleep(_PAUSE)

    def _clean(self, zone_id: str) -> None:
        """Delete the validation records of our names that no certificate uses from a zone."""
        self._cleaned_ids.add(zone_id)
        records = self._ports.zones.records(zone_id)
        # Without a candidate, ACM is not asked for the certificates in use.
        if not unused_validation_records(records, self._names, ()):
            return

        try:
            in_use = self._names_in_use()
        except DeploytoolError as error:
            reason = f"cannot tell whether a certificate of another region needs it: {error}"
            self._keep(zone_id, reason)
            return

        unused = unused_validation_records(records, self._names, in_use)
        if unused:
            self._ports.remover.remove(zone_id, unused)
            names = tuple(record.name for record in unused)
            self._emit(RecordsRemoved(self._ports.clock.now(), zone_id, names))

    def _keep(self, zone_id: str, reason: str) -> None:
        """Tell which validation records of our names stay in a zone, and why."""
        records = self._ports.zones.records(zone_id)
        left = unused_validation_records(records, self._names, ())
        if left:
            names = tuple(record.name for record in left)
            self._emit(RecordsKept(self._ports.clock.now(), zone_id, names, reason))

    def _names_in_use(self) -> set[str]:
        """Return the names of all certificates of the account, in every region that is enabled.

        A certificate for CloudFront is in us-east-1, wherever the project is. Raises DeploytoolError
        when a region does not answer, or refuses to.
        """
        certificates = self._ports.certificates
        enabled = certificates.enabled_regions(self._region)
        regions = sorted(self._regions.union(enabled))
        by_region = for_each(self._ports.executor, certificates.list, regions)

        names: set[str] = set()
        for listed in by_region.values():
            for certificate in listed:
                names.update(certificate.names)
        return names


def _outputs_for(node: Node, deployed: Mapping[NodeId, Stack]) -> dict[NodeId, dict[str, str]]:
    """Return the outputs that a node takes, empty where the stack is deleted already."""
    outputs: dict[NodeId, dict[str, str]] = {}
    for ref in node.references():
        value = ""
        if ref.node in deployed:
            value = deployed[ref.node].outputs.get(ref.output, "")
        outputs.setdefault(ref.node, {})[ref.output] = value
    return outputs
