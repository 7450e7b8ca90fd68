"""The result of a deployment or deletion, and the comparison of the regions after it."""

from collections.abc import Iterator, Sequence
from typing import Any

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.parity import Parity
from deploytool.render.run.run_state import RunState
from deploytool.render.text import escape
from deploytool.work.stacks.operations import Outcome


def outcome_document(outcome: Outcome, run_state: RunState) -> dict[str, Any]:
    """Return the result of a deployment or deletion.

    `started` is in seconds since the start of the run. It and `seconds` are null for a stack with
    which nothing was done. `api` is the region whose API did not answer, where a stack failed
    because of that.
    """
    stacks: list[dict[str, Any]] = []
    for node, action in outcome.done.items():
        times = _times(run_state, node)
        outputs = dict(outcome.outputs[node])
        stacks.append({**_node(node), "action": str(action), **times, "outputs": outputs})

    failed: list[dict[str, Any]] = []
    for node, cause in outcome.failed.items():
        api = outcome.unanswered.get(node)
        failed.append({**_node(node), "cause": cause, "api": api, **_times(run_state, node)})

    not_started: list[dict[str, Any]] = []
    for node, needs in outcome.cancelled.items():
        not_started.append({**_node(node), "needs": [str(need) for need in needs]})

    left = [{**_node(node), "reason": reason} for node, reason in outcome.left.items()]
    kept = [{**_node(node), "inputs": list(inputs)} for node, inputs in outcome.kept.items()]
    stopped = [{**_node(node), "state": state} for node, state in outcome.stopped.items()]
    return {
        "ok": outcome.ok,
        "seconds": round(outcome.seconds, 3),
        "stacks": stacks,
        "failed": failed,
        "not_started": not_started,
        "stopped": stopped,
        "unreachable": list(outcome.unreachable),
        "left": left,
        "kept_inputs": kept,
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


def outage_lines(outcome: Outcome, command: str) -> Iterator[str]:
    """Yield what an API that did not answer has kept a run from doing.

    `command` is what to run when it answers again.
    """
    if outcome.kept:
        sources = " and ".join(outcome.unreachable)
        stacks = ", ".join(map(str, sorted(outcome.kept)))
        yield f"Inputs from {sources}, whose API does not answer, keep their values: {stacks}."
    for node, reason in sorted(outcome.left.items()):
        yield f"[yellow]left[/]: {node} {escape(reason)}"
    for node, region in sorted(outcome.unanswered.items()):
        yield f"[yellow]unknown[/]: {node}, because the API of {region} does not answer"

    if outcome.left or outcome.unanswered:
        dead = sorted({*outcome.unreachable, *outcome.unanswered.values()})
        yield f"When the API of {' and '.join(dead)} answers again: {command}"


def left_behind_line(stage: str, nodes: Sequence[NodeId]) -> str:
    """Name the deployed stacks that the stage does not use any more."""
    names = ", ".join(map(str, nodes))
    hint = f"deploytool plan --stage {stage} shows them"
    return f"[yellow]Still deployed, though stage {stage} does not use them:[/] {names} ({hint})"


def left_zone_line(zone: str) -> str:
    """Name the hosted zone of the stage's former domain, which its template retains."""
    return (
        f"[yellow]The hosted zone of the former domain is kept:[/] {zone}. When nobody uses it, delete"
        f" its records and then: aws route53 delete-hosted-zone --id {zone}"
    )
