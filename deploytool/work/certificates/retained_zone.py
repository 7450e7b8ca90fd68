"""Refuses to create a second hosted zone beside the one that a deleted stack retained.

A stack whose creation was rolled back may have left its zone too: `DeletionPolicy: Retain` keeps a
resource in that case as well (CloudFormation's Template Reference, "DeletionPolicy attribute").
"""

from collections.abc import Callable, Mapping

from deploytool.core.certificates.certificate import hosted_zone_in
from deploytool.core.certificates.ports import CertificatePorts, ZoneInfo
from deploytool.core.errors import DeploytoolError
from deploytool.core.project.graph import Node, NodeId
from deploytool.core.stacks.stack import Stack, StackStatus
from deploytool.work.stacks.hooks import DeployHooks

# With these statuses the stack will be created again. What an earlier creation left is not its own.
_CREATED_AGAIN = frozenset(
    {
        StackStatus.CREATE_FAILED,
        StackStatus.ROLLBACK_IN_PROGRESS,
        StackStatus.ROLLBACK_COMPLETE,
        StackStatus.ROLLBACK_FAILED,
        StackStatus.DELETE_IN_PROGRESS,
        StackStatus.REVIEW_IN_PROGRESS,
    }
)


class RetainedZoneCheck(DeployHooks):
    """Checks for a retained zone before a stack is created.

    A second zone has other name servers, so the delegation would not lead to it. Zones that other
    stacks or people created are ignored.
    """

    def __init__(self, make_ports: Callable[[], CertificatePorts]) -> None:
        self._make_ports = make_ports
        self._deployed: Mapping[NodeId, Stack] = {}

    def stacks_found(self, deployed: Mapping[NodeId, Stack]) -> None:
        """Remember what is deployed: a stack that exists creates no second zone."""
        self._deployed = deployed

    def before_change(self, node: Node, parameters: Mapping[str, str]) -> None:
        """Raise DeploytoolError when the stack would create a zone beside a retained one."""
        stack = self._deployed.get(node.id)
        if stack is not None and stack.status not in _CREATED_AGAIN:
            return
        name = hosted_zone_in(node.document, parameters)
        if name is None:
            return
        for zone in self._make_ports().zones.find(name):
            if was_created_by(zone, node.stack_name):
                raise _retained(zone, node)


def was_created_by(zone: ZoneInfo, stack_name: str) -> bool:
    """Return whether a stack of this name created a hosted zone, perhaps in an earlier deployment.

    The comment of the zone then has the stack's name as a word (hosted-zone.yaml).
    """
    return stack_name in zone.comment.split()


def _retained(zone: ZoneInfo, node: Node) -> DeploytoolError:
    """Return the error about a zone that a stack retained, with both ways out."""
    # A stack's name is PROJECT-STAGE-STACK, and a stage's name has no hyphen.
    stage = node.stack_name.removesuffix(f"-{node.id.stack}").rpartition("-")[2]
    return DeploytoolError(
        f"{zone.name.rstrip('.')} already has hosted zone {zone.id}, which was retained when"
        f" {node.stack_name} was deleted or rolled back; a second one would have other name servers",
        hint=(
            f'use it: set zone = "existing" and hosted_zone_id = "{zone.id}"'
            f" in [stages.{stage}.settings]; or delete it:"
            f" deploytool destroy --stage {stage} --delete-zone"
        ),
    )
