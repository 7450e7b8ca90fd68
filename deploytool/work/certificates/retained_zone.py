"""Keeps a deployment from making a second hosted zone beside the one that its stack left when it
was deleted.
"""

from collections.abc import Callable, Mapping

from deploytool.core.certificates.certificate import hosted_zone_in
from deploytool.core.certificates.ports import CertificatePorts
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Node, NodeId
from deploytool.core.stacks.stack import Stack
from deploytool.work.stacks.hooks import DeployHooks


class KeptZone(DeployHooks):
    """Asked before a stack is changed. A second zone has other name servers, so the delegation
    would lead past it.

    A zone is our own when its comment names the stack that made it (hosted-zone.yaml); others are
    none of our business.
    """

    def __init__(self, make_ports: Callable[[], CertificatePorts]) -> None:
        self._make_ports = make_ports
        self._deployed: Mapping[NodeId, Stack] = {}

    def stacks_found(self, deployed: Mapping[NodeId, Stack]) -> None:
        """Hear what is deployed: a zone whose stack is there is no second one."""
        self._deployed = deployed

    def before_change(self, node: Node, parameters: Mapping[str, str]) -> None:
        """Raises DeploytoolError when the stack would make a zone beside a kept one."""
        name = None if node.id in self._deployed else hosted_zone_in(node.document, parameters)
        if name is None:
            return
        kept = [
            zone
            for zone in self._make_ports().zones.find(name)
            if node.stack_name in zone.comment.split()
        ]
        if kept:
            zone = kept[0].id
            said = f"{name.rstrip('.')} has hosted zone {zone} already, kept when {node.stack_name} was deleted"
            stage = node.stack_name.removesuffix(f"-{node.id.stack}").rpartition("-")[2]
            hint = (
                f'take it: zone = "existing" and hosted_zone_id = "{zone}" below [stages.{stage}.settings]; '
                f"or delete it: deploytool destroy --stage {stage} --delete-zone"
            )
            raise DeploytoolError(f"{said}; a second one would have other name servers", hint=hint)
