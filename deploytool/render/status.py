"""What is deployed: the outputs of the stacks, and the status of a stage."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.markup import escape

from deploytool.core.drill.record import DrillRecord
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.route53.health import HealthCheck
from deploytool.core.stacks.stack import Stack
from deploytool.render.marks import ABSENT, ATTENTION, BAD, GOOD

NAME_WIDTH = 32  # columns of the name of a stack


def outputs_document(graph: Graph, deployed: Mapping[NodeId, Stack]) -> dict[str, Any]:
    """Return the outputs by stack and region.

    No output is a secret: the values that a template marks with NoEcho are parameters.
    """
    document: dict[str, dict[str, Any]] = {}
    for node in graph.nodes:
        if node in deployed:
            outputs = dict(deployed[node].outputs)
            document.setdefault(node.stack, {})[node.region] = outputs
    return document


def status_document(
    graph: Graph,
    shown: Mapping[NodeId, Stack | None],
    check: HealthCheck | None,
    drill: DrillRecord | None,
) -> dict[str, Any]:
    """Return the state of a stage.

    `check` is its health check, or None when there is none yet. `drill` is the record that a drill
    wrote and did not clear. `unfinished_drill` is true when there is such a record, or when the
    health check is inverted without one.
    """
    return {
        "stage": graph.stage,
        "unfinished_drill": drill is not None or _is_inverted(check),
        "drill": _drill_record(drill),
        "health_check": _health_check(check),
        "stacks": [
            {
                "stack": node.stack,
                "region": node.region,
                "name": graph.nodes[node].stack_name,
                "status": None if stack is None else stack.status,
            }
            for node, stack in shown.items()
        ],
    }


def _is_inverted(check: HealthCheck | None) -> bool:
    return check is not None and check.config.inverted


def _drill_record(drill: DrillRecord | None) -> dict[str, Any] | None:
    if drill is None:
        return None
    return {
        "id": drill.drill_id,
        "fault": drill.fault,
        "holder": drill.holder,
        "started": drill.started,
        "until": drill.until,
    }


def _health_check(check: HealthCheck | None) -> dict[str, Any] | None:
    if check is None:
        return None
    return {"id": check.id, "version": check.version, "inverted": check.config.inverted}


def status_lines(
    graph: Graph,
    shown: Mapping[NodeId, Stack | None],
    check: HealthCheck | None,
    drill: DrillRecord | None,
) -> Iterator[str]:
    """Yield the state of a stage as lines: an unfinished drill, then each stack."""
    restore = f"[dim]deploytool restore --stage {graph.stage}[/]"
    if drill is not None:
        started = f"started {drill.started} by {drill.holder}"
        text = f"A drill ({drill.fault}) is under way, or did not finish: {started}."
        yield f"[red]{BAD.symbol} {escape(text)}[/]"
        yield f"  If it is not running any more, {restore} undoes its fault."
    # Without a record: it was lost, or someone inverted the health check by hand
    elif _is_inverted(check):
        yield (
            f"[red]{BAD.symbol} A drill is under way, or one did not finish:"
            " the health check is inverted.[/]"
        )
        yield f"  If none is under way, {restore} undoes its fault."

    for node, stack in shown.items():
        yield _stack_line(node, stack)


def _stack_line(node: NodeId, stack: Stack | None) -> str:
    if stack is None:
        return f"{ABSENT.markup} {node!s:{NAME_WIDTH}} [dim]not deployed[/]"
    mark = GOOD if stack.status.is_updatable else ATTENTION
    return f"{mark.markup} {node!s:{NAME_WIDTH}} {stack.status}"
