"""Results as JSON documents: outcomes, what is deployed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape

from deploytool.core.drill.record import DrillRecord
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.route53.health import HealthCheck
from deploytool.core.stacks.parity import Parity
from deploytool.core.stacks.stack import Stack
from deploytool.render.run.run_state import RunState
from deploytool.work.stacks.engine import Outcome


def outcome_document(outcome: Outcome, run_state: RunState) -> dict[str, Any]:
    """A deployment's or deletion's result. `started` counts from the run's start; it and `seconds`
    are null for a stack with which nothing was done.
    """
    return {
        "ok": outcome.ok,
        "seconds": round(outcome.seconds, 3),
        "stacks": [
            {
                **_where(node),
                "action": str(action),
                **_times(run_state, node),
                "outputs": dict(outcome.outputs[node]),
            }
            for node, action in outcome.done.items()
        ],
        "failed": [
            {**_where(node), "cause": cause, **_times(run_state, node)}
            for node, cause in outcome.failed.items()
        ],
        "not_started": [
            {**_where(node), "needs": list(map(str, needs))}
            for node, needs in outcome.cancelled.items()
        ],
        "stopped": [{**_where(node), "state": state} for node, state in outcome.stopped.items()],
    }


def _times(run_state: RunState, node: NodeId) -> dict[str, float | None]:
    row = run_state.rows[node]
    if row.begun is None or row.ended is None:
        return {"started": None, "seconds": None}
    return {
        "started": round(row.begun - run_state.started, 3),
        "seconds": round(row.ended - row.begun, 3),
    }


def parity_document(parity: Parity | None) -> dict[str, Any] | None:
    """How two regions compare; None when they were not compared. `same` is null when that is not
    known.
    """
    if parity is None:
        return None
    differences = [
        {"what": each.kind, "name": each.name, "regions": dict(each.regions)}
        for each in parity.differences
    ]
    return {"same": parity.same, "differences": differences, "unknown": list(parity.unknown)}


def parity_lines(parity: Parity | None) -> Iterator[str]:
    """What differs and what could not be compared, as text."""
    for difference in parity.differences if parity else ():
        yield f"[yellow]The regions differ:[/] {escape(str(difference))}"
    for words in parity.unknown if parity else ():
        yield f"[yellow]The regions could not be compared:[/] {escape(words)}"


def left_behind_line(stage: str, nodes: Sequence[NodeId]) -> str:
    """Deployed stacks that the stage does without now."""
    names = ", ".join(map(str, nodes))
    return f"[yellow]Still deployed, though stage {stage} does without:[/] {names} (deploytool plan --stage {stage} shows them)"


def outputs_document(graph: Graph, deployed: Mapping[NodeId, Stack]) -> dict[str, Any]:
    """The outputs by stack and region; values that a template marks NoEcho are parameters, never
    outputs.
    """
    document: dict[str, dict[str, Any]] = {}
    for node in graph.nodes:
        if node in deployed:
            document.setdefault(node.stack, {})[node.region] = dict(deployed[node].outputs)
    return document


def status_document(
    graph: Graph,
    shown: Mapping[NodeId, Stack | None],
    check: HealthCheck | None,
    drill: DrillRecord | None,
) -> dict[str, Any]:
    """A stage's state. `check` is its health check, None when there is none yet; `drill` what one
    wrote down and did not clear.

    `unfinished_drill`: there is such a record, or the health check is inverted without one.
    """
    return {
        "stage": graph.stage,
        "unfinished_drill": drill is not None or (check is not None and check.config.inverted),
        "drill": drill
        and {
            "id": drill.drill_id,
            "fault": drill.fault,
            "holder": drill.holder,
            "started": drill.started,
            "until": drill.until,
        },
        "health_check": check
        and {"id": check.id, "version": check.version, "inverted": check.config.inverted},
        "stacks": [
            {
                **_where(node),
                "name": graph.nodes[node].stack_name,
                "status": stack.status if stack else None,
            }
            for node, stack in shown.items()
        ],
    }


def status_lines(
    graph: Graph,
    shown: Mapping[NodeId, Stack | None],
    check: HealthCheck | None,
    drill: DrillRecord | None,
) -> Iterator[str]:
    """The same as text."""
    if drill is not None:
        said = f"A drill ({drill.fault}) is under way, or did not come to its end: begun {drill.started} by {drill.holder}."
        yield f"[red]✗ {escape(said)}[/]"
        yield f"  Unless it still runs: [dim]deploytool restore --stage {graph.stage}[/] puts it right."
    elif check is not None and check.config.inverted:
        yield "[red]✗ A drill is under way, or one did not come to its end: the health check is inverted.[/]"
        yield f"  [dim]deploytool restore --stage {graph.stage}[/] puts it right."
    for node, stack in shown.items():
        mark = (
            "[dim]·[/]"
            if stack is None
            else "[green]✓[/]"
            if stack.status.is_updatable
            else "[yellow]![/]"
        )
        yield f"{mark} {node!s:32} {stack.status if stack else '[dim]not deployed[/]'}"


def _where(node: NodeId) -> dict[str, str]:
    return {"stack": node.stack, "region": node.region}
