"""Refuses to create a second hosted zone beside the one that a deleted stack retained."""

from collections.abc import Callable, Mapping

from deploytool.core.certificates.certificate import hosted_zone_in
from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Node, NodeId
from deploytool.core.stacks.stack import Stack
from deploytool.work.stacks.hooks import DeployHooks


class RetainedZoneCheck(DeployHooks):
    """Checks for a retained zone before a stack is created.

    A second zone has other name servers, so the delegation would not lead to it. A zone belongs to
    the stack when its comment names the stack (hosted-zone.yaml); other zones are ignored.
    """

    def __init__(self, make_ports: Callable[[], CertificatePorts]) -> None:
        self._make_ports = make_ports
        self._deployed: Mapping[NodeId, Stack] = {}

    def stacks_found(self, deployed: Mapping[NodeId, Stack]) -> None:
        """Remember what is deployed: a stack that exists creates no second zone."""
        self._deployed = deployed

    def before_change(self, node: Node, parameters: Mapping[str, str]) -> None:
        """Raise DeploytoolError when the stack would create a zone beside a retained one."""
        name = None if node.id in self._deployed else hosted_zone_in(node.document, parameters)
        if name is None:
            return
        retained = [
            zone
            for zone in self._make_ports().zones.find(name)
            if node.stack_name in zone.comment.split()
        ]
        if retained:
            zone = retained[0].id
            message = f"{name.rstrip('.')} has hosted zone {zone} already, kept when {node.stack_name} was deleted"
            stage = node.stack_name.removesuffix(f"-{node.id.stack}").rpartition("-")[2]
            hint = (
                f'take it: zone = "existing" and hosted_zone_id = "{zone}" below [stages.{stage}.settings]; '
                f"or delete it: deploytool destroy --stage {stage} --delete-zone"
            )
            raise DeploytoolError(
                f"{message}; a second one would have other name servers", hint=hint
            )
