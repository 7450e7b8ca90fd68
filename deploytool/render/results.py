"""Results as JSON documents and as text: outcomes, plans, what is deployed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deploytool.core.graph import Graph, NodeId
from deploytool.core.plan import Action, Step
from deploytool.core.route53.health import HealthCheck
from deploytool.core.stacks import Stack
from deploytool.work.engine import Outcome

MARKS = {
    Action.CREATE: "[green]+[/]",
    Action.UPDATE: "[yellow]~[/]",
    Action.NOTHING: "[dim]=[/]",
    Action.REPLACE: "[yellow]±[/]",
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


def status_document(graph: Graph, shown: Mapping[NodeId, Stack | None], check: HealthCheck | None) -> dict[str, Any]:
    """A stage's state. `check` is its health check, None when there is none yet; `unfinished_drill` when it is inverted."""
    return {
        "stage": graph.stage,
        "unfinished_drill": check is not None and check.config.inverted,
        "health_check": check and {"id": check.id, "version": check.version, "inverted": check.config.inverted},
        "stacks": [
            {**_where(node), "name": graph.nodes[node].stack_name, "status": stack.status if stack else None}
            for node, stack in shown.items()
        ],
    }


def status_lines(graph: Graph, shown: Mapping[NodeId, Stack | None], check: HealthCheck | None) -> Iterator[str]:
    """The same as text."""
    if check is not None and check.config.inverted:
        yield "[red]✗ A drill is under way, or one did not come to its end: the health check is inverted.[/]"
        yield f"  [dim]deploytool restore --stage {graph.stage}[/] puts it right."
    for node, stack in shown.items():
        mark = "[dim]·[/]" if stack is None else "[green]✓[/]" if stack.status.is_updatable else "[yellow]![/]"
        yield f"{mark} {node!s:32} {stack.status if stack else '[dim]not deployed[/]'}"


def _where(node: NodeId) -> dict[str, str]:
    return {"stack": node.stack, "region": node.region}
