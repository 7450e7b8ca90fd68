"""What a run leaves, because a change needs a global service whose API does not answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from deploytool.core.errors import ApiUnavailable, CloudRefused
from deploytool.core.project.graph import Graph, Node
from deploytool.core.stacks.changes import ResourceChange
from deploytool.core.stacks.outage import (
    GLOBAL_REGION,
    Found,
    Inputs,
    changes_of_update,
    global_needs,
    has_global_resources,
    reason_of_needs,
)
from deploytool.core.stacks.ownership import COMMIT_TAG, tags_of
from deploytool.core.stacks.plan import CHANGING, Action, Decision, Step
from deploytool.core.stacks.ports import DeployedTemplates, StackReader
from deploytool.core.stacks.stack import Stack
from deploytool.core.stacks.templatediff import creations


@dataclass(frozen=True)
class GlobalApis:
    """Tells which changes need a global service (Route 53, IAM, CloudFront) that does not answer."""

    graph: Graph
    found: Found
    templates: DeployedTemplates

    def reason_to_leave(
        self,
        node: Node,
        deployed: Stack | None,
        decision: Decision,
        inputs: Inputs,
        *,
        repairs: bool = False,
    ) -> str:
        """Return why a stack is left, "" when it may be changed.

        The template of a stack to update is read for this, but only while us-east-1's API does not
        answer. A run that `repairs` may change any resource.
        """
        if self.found.global_apis or decision.action not in CHANGING:
            return ""
        if repairs:
            changes = self._all(node, inputs)
        else:
            changes = self._changes(node, deployed, decision, inputs)
        needs = global_needs(node.document, changes)
        return reason_of_needs(needs) if needs else ""

    def _changes(
        self, node: Node, deployed: Stack | None, decision: Decision, inputs: Inputs
    ) -> Sequence[ResourceChange]:
        """Return what CloudFormation may change."""
        # What a rollback or a failed creation still has to undo is not known: any resource may be
        # part of it.
        if deployed is None or decision.action is not Action.UPDATE:
            return self._all(node, inputs)

        before = self.templates.deployed(node.id.region, deployed.id)
        tags = {name: value for name, value in deployed.tags.items() if name != COMMIT_TAG}
        same_tags = tags == tags_of(self.graph, node)
        return changes_of_update(node, before, inputs, same_tags=same_tags)

    def _all(self, node: Node, inputs: Inputs) -> Sequence[ResourceChange]:
        """Return a change of each resource of a stack."""
        return creations(node.document, {**inputs.values, **node.pseudo_parameters})

    def commit_of(self, node: Node, deployed: Stack, commit: str) -> str:
        """Return the commit for the tags of an update.

        It is the deployed one where another would change the tags of a role or a health check.
        """
        if self.found.global_apis or not has_global_resources(node.document):
            return commit
        return deployed.tags.get(COMMIT_TAG, "")


def needs_global_region(graph: Graph, steps: Iterable[Step], *, repairs: bool = False) -> bool:
    """Return whether a step may need the global services, of whose region nothing is known yet.

    A run that `repairs` may change the resources of any stack.
    """
    if GLOBAL_REGION in graph.all_regions:
        return False
    return any(
        (repairs or step.decision.action in CHANGING)
        and has_global_resources(graph.nodes[step.node].document)
        for step in steps
    )


def with_global_apis(stacks: StackReader, found: Found) -> Found:
    """Find out whether the API of us-east-1 answers, for a graph that has no stack there.

    The global services have their control planes there.
    """
    try:
        stacks.list(GLOBAL_REGION)
    except ApiUnavailable:
        return replace(found, global_apis=False)
    except CloudRefused:
        # It answers, and the permissions of this run do not cover that region.
        return found
    return found
