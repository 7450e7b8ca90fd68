"""The hooks of a deployment: what else may refuse a change, delay it, or follow its events."""
# ruff: noqa: ARG002  # the defaults use no argument

from collections.abc import Mapping
from typing import Protocol

from deploytool.core.project.graph import Node, NodeId
from deploytool.core.stacks.events import Event
from deploytool.core.stacks.stack import Stack
from deploytool.work.stacks.operations import RetryAfter


class DeployHooks(Protocol):
    """One extension of a deployment. A subclass overrides what it needs; each default does nothing.

    The engine calls `before_change` and `observe` from several threads.
    """

    def stacks_found(self, deployed: Mapping[NodeId, Stack]) -> None:
        """Receive the stacks that exist, before any operation starts.

        They include stacks of the graph that the stage does not use. Raises DeploytoolError to
        refuse the whole run.
        """
        return

    def apis_unavailable(self, regions: frozenset[str]) -> None:
        """Receive the regions whose API does not answer, before `stacks_found`.

        It is called only when there are any. Their stacks are not among those found.
        """
        return

    def before_change(
        self,
        node: Node,
        parameters: Mapping[str, str],
    ) -> RetryAfter | None:
        """Return None to let a stack be changed now, or when to ask again.

        Raises DeploytoolError to refuse the change of this stack.
        """
        return None

    def observe(self, event: Event) -> None:
        """Receive every event of the deployment, after it has been emitted."""
        return
