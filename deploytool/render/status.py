"""What is deployed: the outputs of the stacks, and the status of a stage."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import Any

from deploytool.core.drill.record import DrillRecord
from deploytool.core.failover.direction import describe
from deploytool.core.failover.records import (
    Deployed,
    LastDrill,
    ServingChange,
    ServingRecord,
    SwitchRecord,
    time_text,
)
from deploytool.core.project.graph import Graph, NodeId
from deploytool.core.route53.health import HealthCheck
from deploytool.core.service.missing import Missing
from deploytool.core.service.service import Service
from deploytool.core.stacks.stack import Stack
from deploytool.render.check import serving_line, serving_text
from deploytool.render.marks import ABSENT, ATTENTION, BAD, GOOD
from deploytool.render.text import escape
from deploytool.work.overview import KnownOutputs, Overview

NAME_WIDTH = 32  # columns of the name of a stack
LABEL_WIDTH = 12  # columns of a label, like "deployed"


def outputs_document(known: KnownOutputs) -> dict[str, Any]:
    """Return the outputs by stack and region.

    No output is a secret: the values that a template marks with NoEcho are parameters.
    """
    document: dict[str, dict[str, Any]] = {}
    for node, outputs in known.outputs.items():
        document.setdefault(node.stack, {})[node.region] = dict(outputs)
    return document


def outputs_notes(known: KnownOutputs) -> Iterator[str]:
    """Yield what a reader of the outputs must know of them, as lines with rich's markup."""
    record = known.last_known
    if record is not None:
        text = (
            f"The outputs of {record.region} are those of the deployment of {time_text(record.at)}."
        )
        yield f"[yellow]{ATTENTION.symbol} {escape(text)}[/]"
        if record.left_out:
            names = ", ".join(record.left_out)
            yield f"  They did not fit into the record of these stacks: {escape(names)}."
    yield from missing_lines(known.missing)


def status_document(graph: Graph, overview: Overview, service: Service) -> dict[str, Any]:
    """Return the state of a stage.

    `health_check` is that of the endpoint, null when there is none yet. `drill` is the record that
    a drill wrote and did not clear. `unfinished_drill` is true when there is such a record, or when
    the health check is inverted without one. `served_by` is the region that serves now, by DNS and
    HTTPS, `summary` says it in words. `serving`, `switch`, `last_drill` and `deployed` are what the
    standby region keeps, null when it keeps nothing. `missing` has what is not known because an API
    did not answer.
    """
    drill, check, findings = overview.drill, overview.health_check, overview.findings
    return {
        "stage": graph.stage,
        "summary": None if findings is None else serving_text(findings, service),
        "served_by": None if findings is None else findings.served_by,
        "directed_to": None if findings is None else findings.directed_to,
        "serving": _serving(overview.serving),
        "switch": _record(overview.switch),
        "last_drill": _record(overview.last_drill),
        "deployed": None if overview.standby is None else asdict(overview.standby.deployed),
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
            for node, stack in overview.stacks.items()
        ],
        "missing": missing_document(overview.missing),
    }


def missing_document(missing: Collection[Missing]) -> list[dict[str, str]]:
    """Return what is missing, and the region whose API did not answer."""
    return [asdict(gap) for gap in missing]


def _record(record: SwitchRecord | LastDrill | None) -> dict[str, Any] | None:
    if record is None:
        return None
    document = asdict(record)
    del document["schema_version"]
    return document


def _serving(record: ServingRecord | None) -> dict[str, Any] | None:
    """Return the newest change of who serves, and when the function looked last."""
    if record is None or not record.changes:
        return None
    newest = record.changes[-1]
    return {
        "region": newest.region,
        "since": newest.at,
        "how": newest.how,
        "who": newest.who,
        "why": newest.why,
        "seen": record.seen,
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


def status_lines(graph: Graph, overview: Overview, service: Service, width: int) -> Iterator[str]:
    """Yield the state of a stage as lines with rich's markup, `width` columns wide at most.

    An unfinished drill is first, then who serves and why, then each stack, then what is missing.
    """
    yield from _drill_lines(graph.stage, overview)
    if overview.findings is not None:
        yield serving_line(overview.findings, service)
    for label, text in _facts(overview):
        yield from _fact_lines(label, text, width)
    for node, stack in overview.stacks.items():
        yield _stack_line(node, stack)
    yield from missing_lines(overview.missing)


def _drill_lines(stage: str, overview: Overview) -> Iterator[str]:
    restore = f"[dim]deploytool restore --stage {stage}[/]"
    drill = overview.drill
    if drill is not None:
        started = f"started {drill.started} by {drill.holder}"
        text = f"A drill ({drill.fault}) is under way, or did not finish: {started}."
        yield f"[red]{BAD.symbol} {escape(text)}[/]"
        yield f"  If it is not running any more, {restore} undoes its fault."
    # Without a record: it was lost, or someone inverted the health check by hand
    elif _is_inverted(overview.health_check):
        yield (
            f"[red]{BAD.symbol} A drill is under way, or one did not finish:"
            " the health check is inverted.[/]"
        )
        yield f"  If none is under way, {restore} undoes its fault."


def _facts(overview: Overview) -> Iterator[tuple[str, str]]:
    """Yield what the standby region keeps, each fact with its label."""
    if overview.serving is not None and overview.serving.changes:
        yield "serving", _serving_text(overview.serving.changes[-1], overview.serving.seen)
    if overview.switch is not None:
        yield "switch", describe(overview.switch)
    if overview.last_drill is not None:
        yield "last drill", _last_drill_text(overview.last_drill)
    if overview.standby is not None:
        yield "deployed", _deployed_text(overview.standby.deployed)


def _serving_text(change: ServingChange, seen: str) -> str:
    text = f"{change.region} since {time_text(change.at)} ({change.how})"
    if change.who:
        text += f", by {change.who}"
    if change.why:
        text += f": {change.why}"
    return f"{text}; looked at last {time_text(seen)}"


def _last_drill_text(drill: LastDrill) -> str:
    text = f"{drill.verdict} ({drill.fault}), ended {time_text(drill.ended)}"
    return ": ".join([text, "; ".join(drill.reasons)]) if drill.reasons else text


def _deployed_text(deployed: Deployed) -> str:
    text = f"{time_text(deployed.at)} by {deployed.by}"
    if deployed.commit:
        text += f" from commit {deployed.commit[:12]}"
    return f"{text}, with deploytool {deployed.tool}" if deployed.tool else text


def _fact_lines(label: str, text: str, width: int) -> Iterator[str]:
    """Yield a fact. Its text goes on below itself when it is longer than a line."""
    indent = " " * (2 + LABEL_WIDTH)
    lines = wrap(text, max(width - len(indent), LABEL_WIDTH)) or [""]
    yield f"  [dim]{label:{LABEL_WIDTH}}[/]{escape(lines[0])}"
    for line in lines[1:]:
        yield f"{indent}{escape(line)}"


def _stack_line(node: NodeId, stack: Stack | None) -> str:
    if stack is None:
        return f"{ABSENT.markup} {node!s:{NAME_WIDTH}} [dim]not deployed[/]"
    mark = GOOD if stack.status.is_updatable else ATTENTION
    return f"{mark.markup} {node!s:{NAME_WIDTH}} {stack.status}"


def missing_lines(missing: Collection[Missing]) -> Iterator[str]:
    """Yield what is missing, below each region whose API does not answer."""
    for region in dict.fromkeys(gap.region for gap in missing):
        gaps = [gap for gap in missing if gap.region == region]
        yield f"[yellow]{ATTENTION.symbol} The API of {region} does not answer. Not known:[/]"
        for gap in gaps:
            yield f"    {escape(gap.what)}"
        yield f"  [dim]{escape(_first_reason(gaps))}[/]"


def _first_reason(gaps: Sequence[Missing]) -> str:
    """Return how the API failed: the reason of a call that was tried, if there is one."""
    # After the first failure, calls say that they were not tried (aws.errors)
    return min((gap.reason for gap in gaps), key=lambda reason: "not tried" in reason)
