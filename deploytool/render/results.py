"""The results of commands as JSON and as lines: a run, the outputs, the status of a stage."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape

from deploytool.core.drill.record import DrillRecord
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.route53.health import HealthCheck
from deploytool.core.stacks.parity import Parity
from deploytool.core.stacks.stack import Stack
from deploytool.render.marks import ABSENT, ATTENTION, BAD, GOOD
from deploytool.render.run.run_state import RunState
from deploytool.work.stacks.engine import Outcome


def outcome_document(outcome: Outcome, run_state: RunState) -> dict[str, Any]:
    """Return the result of a deployment or deletion.

    `started` is in seconds since the start of the run. It and `seconds` are null for a stack with
    which nothing was done.
    """
    stacks = [
        {
            **_node(node),
            "action": str(action),
            **_times(run_state, node),
            "outputs": dict(outcome.outputs[node]),
        }
        for node, action in outcome.done.items()
    ]
    failed = [
        {**_node(node), "cause": cause, **_times(run_state, node)}
        for node, cause in outcome.failed.items()
    ]
    not_started = [
        {**_node(node), "needs": list(map(str, needs))} for node, needs in outcome.cancelled.items()
    ]
    stopped = [{**_node(node), "state": state} for node, state in outcome.stopped.items()]
    return {
        "ok": outcome.ok,
        "seconds": round(outcome.seconds, 3),
        "stacks": stacks,
        "failed": failed,
        "not_started": not_started,
        "stopped": stopped,
    }


def _times(run_state: RunState, node: NodeId) -> dict[str, float | None]:
    row = run_state.rows[node]
    if row.begun is None or row.ended is None:
        return {"started": None, "seconds": None}
    return {
        "started": round(row.begun - run_state.started, 3),
        "seconds": round(row.ended - row.begun, 3),
    }


def _node(node: NodeId) -> dict[str, str]:
    return {"stack": node.stack, "region": node.region}


def parity_document(parity: Parity | None) -> dict[str, Any] | None:
    """Return the comparison of two regions, or None when they were not compared.

    `same` is null when that is not known.
    """
    if parity is None:
        return None
    differences = [
        {
            "what": difference.kind,
            "name": difference.name,
            "regions": dict(difference.regions),
        }
        for difference in parity.differences
    ]
    return {"same": parity.same, "differences": differences, "unknown": list(parity.unknown)}


def parity_lines(parity: Parity | None) -> Iterator[str]:
    """Yield what differs between two regions and what could not be compared."""
    if parity is None:
        return
    for difference in parity.differences:
        yield f"[yellow]The regions differ:[/] {escape(str(difference))}"
    for reason in parity.unknown:
        yield f"[yellow]The regions could not be compared:[/] {escape(reason)}"


def left_behind_line(stage: str, nodes: Sequence[NodeId]) -> str:
    """Name the deployed stacks that the stage does not use any more."""
    names = ", ".join(map(str, nodes))
    hint = f"deploytool plan --stage {stage} shows them"
    return f"[yellow]Still deployed, though stage {stage} does not use them:[/] {names} ({hint})"


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
                **_node(node),
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
        return f"{ABSENT.markup} {node!s:32} [dim]not deployed[/]"
    mark = GOOD if stack.status.is_updatable else ATTENTION
    return f"{mark.markup} {node!s:32} {stack.status}"
