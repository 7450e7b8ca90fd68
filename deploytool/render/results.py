"""Results as JSON documents: outcomes, what is deployed."""

from collections.abc import Mapping
from typing import Any

from deploytool.core.graph import Graph, NodeId
from deploytool.core.stacks import Stack
from deploytool.render.board import Board
from deploytool.work.engine import Outcome


def outcome_document(outcome: Outcome, board: Board) -> dict[str, Any]:
    """A deployment's or deletion's result. `started` counts from the run's start; it and `seconds` are null for a stack with
    which nothing was done.
    """
    return {
        "ok": outcome.ok,
        "seconds": round(outcome.seconds, 3),
        "stacks": [
            {**_where(node), "action": str(action), **_times(board, node), "outputs": dict(outcome.outputs[node])}
            for node, action in outcome.done.items()
        ],
        "failed": [{**_where(node), "cause": cause, **_times(board, node)} for node, cause in outcome.failed.items()],
        "not_started": [{**_where(node), "needs": list(map(str, needs))} for node, needs in outcome.cancelled.items()],
        "stopped": [{**_where(node), "state": state} for node, state in outcome.stopped.items()],
    }


def _times(board: Board, node: NodeId) -> dict[str, float | None]:
    row = board.rows[node]
    if row.begun is None or row.ended is None:
        return {"started": None, "seconds": None}
    return {"started": round(row.begun - board.started, 3), "seconds": round(row.ended - row.begun, 3)}


def outputs_document(graph: Graph, deployed: Mapping[NodeId, Stack]) -> dict[str, Any]:
    """The outputs by stack and region; values that a template marks NoEcho are parameters, never outputs."""
    document: dict[str, dict[str, Any]] = {}
    for node in graph.nodes:
        if node in deployed:
            document.setdefault(node.stack, {})[node.region] = dict(deployed[node].outputs)
    return document


def _where(node: NodeId) -> dict[str, str]:
    return {"stack": node.stack, "region": node.region}
