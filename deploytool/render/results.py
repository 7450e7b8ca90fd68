"""Results as JSON documents: outcomes, what is deployed."""

from collections.abc import Mapping
from typing import Any

from deploytool.core.graph import Graph, NodeId
from deploytool.core.stacks import Stack
from deploytool.work.engine import Outcome


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """A deployment's or deletion's result."""
    return {
        "ok": outcome.ok,
        "seconds": round(outcome.seconds, 3),
        "stacks": [
            {**_where(node), "action": str(action), "outputs": dict(outcome.outputs[node])}
            for node, action in outcome.done.items()
        ],
        "failed": [{**_where(node), "cause": cause} for node, cause in outcome.failed.items()],
        "not_started": [{**_where(node), "needs": list(map(str, needs))} for node, needs in outcome.cancelled.items()],
    }


def outputs_document(graph: Graph, deployed: Mapping[NodeId, Stack]) -> dict[str, Any]:
    """The outputs by stack and region; values that a template marks NoEcho are parameters, never outputs."""
    document: dict[str, dict[str, Any]] = {}
    for node in graph.nodes:
        if node in deployed:
            document.setdefault(node.stack, {})[node.region] = dict(deployed[node].outputs)
    return document


def _where(node: NodeId) -> dict[str, str]:
    return {"stack": node.stack, "region": node.region}
