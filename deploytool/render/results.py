"""Results as JSON documents and as text: outcomes, plans, what is deployed."""

from collections.abc import Iterable, Mapping
from typing import Any

from deploytool.core.graph import Graph, NodeId
from deploytool.core.plan import Action, Step
from deploytool.core.stacks import Stack
from deploytool.work.engine import Outcome

MARKS = {
    Action.CREATE: "[green]+[/]",
    Action.UPDATE: "[yellow]~[/]",
    Action.NOTHING: "[dim]=[/]",
    Action.REPLACE: "[yellow]±[/]",
    Action.CONTINUE: "[yellow]~[/]",
    Action.REFUSE: "[red]![/]",
}


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
        "stopped": [{**_where(node), "state": state} for node, state in outcome.stopped.items()],
    }


def plan_document(steps: Iterable[Step]) -> dict[str, Any]:
    """A plan."""
    return {
        "steps": [
            {
                **_where(step.node),
                "action": step.decision.action.name.lower(),
                "reason": step.decision.reason,
                "pending": list(step.pending),
            }
            for step in steps
        ]
    }


def plan_lines(steps: Iterable[Step]) -> list[str]:
    """A plan as text, a line a stack."""
    lines = []
    for step in steps:
        action = step.decision.action
        waits = f" [dim](known after: {', '.join(step.pending)})[/]" if step.pending and action is not Action.CREATE else ""
        if step.pending and action is Action.NOTHING:
            lines.append(f"[dim]?[/] {step.node!s:32} unchanged unless its inputs change{waits}")
        else:
            lines.append(f"{MARKS.get(action, ' ')} {step.node!s:32} {action}: [dim]{step.decision.reason}[/]{waits}")
    return lines


def outputs_document(graph: Graph, deployed: Mapping[NodeId, Stack]) -> dict[str, Any]:
    """The outputs by stack and region; values that a template marks NoEcho are parameters, never outputs."""
    document: dict[str, dict[str, Any]] = {}
    for node in graph.nodes:
        if node in deployed:
            document.setdefault(node.stack, {})[node.region] = dict(deployed[node].outputs)
    return document


def _where(node: NodeId) -> dict[str, str]:
    return {"stack": node.stack, "region": node.region}
