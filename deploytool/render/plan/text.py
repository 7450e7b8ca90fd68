"""A plan as text and as JSON: by stack, resource by resource."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rich.markup import escape

from deploytool.core.project.graph import NodeId
from deploytool.core.stacks.changes import (
    Effect,
    PropertyChange,
    ResourceChange,
    Source,
    StackChanges,
)
from deploytool.core.stacks.drift import ResourceDrift, StackDrift
from deploytool.core.stacks.plan import Action, Decision, Step
from deploytool.work.stacks.preview import Plan

WIDTH = 100  # columns of a line
VALUE = 40  # characters of a value that are shown
MARKS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.NOTHING: "=",
    Action.REPLACE: "±",
    Action.CONTINUE: "~",
    Action.WAIT: "…",
    Action.REFUSE: "!",
    Action.NOT_CHOSEN: " ",
    Action.LATER: " ",
    Effect.CREATE: "+",
    Effect.UPDATE: "~",
    Effect.PERHAPS_UPDATE: "?",
    Effect.REPLACE: "±",
    Effect.PERHAPS_REPLACE: "?",
    Effect.DELETE: "-",
    Effect.RETAIN: "-",
    Effect.IMPORT: "+",
}
WORDS = {
    Action.CREATE: "to create",
    Action.UPDATE: "to update",
    Action.REPLACE: "to create anew",
    Action.CONTINUE: "to repair and update",
    Action.WAIT: "under way",
    Action.REFUSE: "refused",
    Action.NOTHING: "unchanged",
}
COLOURS = {"+": "green", "~": "yellow", "±": "red", "-": "red", "!": "red", "?": "yellow"}
SERVES = "SERVES TRAFFIC"
LEFT = "no longer in the graph; deploytool leaves it"


@dataclass(frozen=True)
class Group:
    """Steps of one stack that are alike in several regions, said once. `pending` without the
    regions.
    """

    stack: str
    regions: tuple[str, ...]
    decision: Decision
    pending: tuple[str, ...]
    changes: StackChanges | None
    problem: str

    @property
    def where(self) -> str:
        return ", ".join(self.regions)

    @property
    def estimated(self) -> str:
        """Why the changes are an estimate."""
        if not self.pending:
            return "estimated: in its state the stack takes no change set"
        return f"estimated; known only once other stacks are done: {', '.join(self.pending)}"

    @property
    def mark(self) -> str:
        return (
            "?" if self.decision.action is Action.NOTHING else MARKS.get(self.decision.action, "*")
        )

    @property
    def said(self) -> str:
        """What is to be done and why."""
        if self.decision.action is Action.NOTHING:
            return f"unchanged unless these change: {', '.join(self.pending)}"
        return f"{self.decision.action}: {self.decision.reason}"


def groups(plan: Plan) -> list[Group]:
    """The plan's steps that do something, or may have to, alike ones together, in the plan's
    order.
    """
    found: dict[object, Group] = {}
    for step in plan.steps:
        if step.decision.action is Action.NOTHING and not step.pending:
            continue
        node, changes, problem = (
            step.node,
            plan.changes.get(step.node),
            plan.problems.get(step.node, ""),
        )
        pending = tuple(
            sorted({f"{each.split('@')[0]}.{each.rpartition('.')[2]}" for each in step.pending})
        )
        key = (node.stack, step.decision, pending, changes, problem)
        regions = (*found[key].regions, node.region) if key in found else (node.region,)
        found[key] = Group(node.stack, regions, step.decision, pending, changes, problem)
    return sorted(found.values(), key=lambda group: group.decision.action is Action.NOTHING)


def counts_line(plan: Plan) -> str:
    """How much there is to do, in a line."""
    counts = Counter(step.decision.action for step in plan.steps)
    if counts.keys() <= {Action.NOTHING}:
        return f"Nothing to do: {quantity(counts[Action.NOTHING], 'stack')} as desired."
    known = [f"{counts[action]} {text}" for action, text in WORDS.items() if counts[action]]
    return (
        "Stacks: "
        + ", ".join(
            [*known, *(f"{counts[each]} to {each}" for each in counts if each not in WORDS)]
        )
        + "."
    )


def quantity(count: int, noun: str) -> str:
    """A number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def interruptions(plan: Plan) -> list[tuple[NodeId, ResourceChange]]:
    """The changes that clients may notice."""
    return [(node, each) for node, changes in plan.changes.items() for each in changes.interrupting]


def plan_lines(plan: Plan) -> Iterator[str]:
    """A plan as text with rich's markup, grouped by stack; lines fit into 100 columns where names
    do.
    """
    found = groups(plan)
    stack_width = max((len(each.stack) for each in found), default=0)
    for group in found:
        yield f"{_coloured(group.mark)} [bold]{group.stack:{stack_width}}[/]  {group.where}  {escape(group.said)}"
        yield from _details(group)
    for region, stack in plan.left_over:
        yield f"  [bold]{escape(stack.name)}[/]  {region}  {LEFT}"
    yield from _drift_lines(plan)
    noticed = interruptions(plan)
    if noticed:
        yield f"[red]! What serves traffic is, or may be, replaced or deleted: {quantity(len(noticed), 'resource')}.[/]"
    yield counts_line(plan)


def _details(group: Group) -> Iterator[str]:
    if group.problem:
        yield f"    [red]! {escape(group.problem)}[/]"
    if group.changes is None:
        return
    if group.changes.source is Source.ESTIMATE:
        yield f"    [dim]{escape(group.estimated)}[/]"
    if not group.changes.resources:
        yield "    [dim]no resource changes[/]"
    names = max((len(each.logical_id) for each in group.changes.resources), default=0)
    types = max((len(each.type) for each in group.changes.resources), default=0)
    for each in group.changes.resources:
        yield from _resource_lines(each, min(names, 34), min(types, 38))


def _resource_lines(change: ResourceChange, names: int, types: int) -> Iterator[str]:
    head = f"    {MARKS[change.effect]} {change.logical_id:{names}}  {change.type:{types}}"
    effect = "" if change.effect in (Effect.CREATE, Effect.UPDATE) else change.effect
    said = "  ".join(filter(None, [effect, SERVES if change.interrupts else ""]))
    colour = COLOURS[MARKS[change.effect]]
    line = f"{head}  {said}".rstrip()
    yield (
        f"[{colour}]{escape(line)}[/]"
        if change.interrupts
        else f"[{colour}]{escape(line[:6])}[/]{escape(line[6:])}"
    )
    plain = [each.path for each in change.properties if each.before is None and each.after is None]
    if plain:
        yield f"        [dim]{escape(shortened(', '.join(plain), WIDTH - 8))}[/]"
    for each in change.properties:
        if each.path not in plain:
            yield f"        [dim]{escape(shortened(value_change(each), WIDTH - 8))}[/]"


def value_change(change: PropertyChange) -> str:
    """A property with what it was and will be."""
    return f"{change.path}: {_value(change.before)} → {_value(change.after)}"


def _value(value: str | None) -> str:
    return "(none)" if value is None else shortened(" ".join(value.split()), VALUE)


def shortened(text: str, width: int) -> str:
    """The text, cut with an ellipsis when it is longer than `width`."""
    return text if len(text) <= width else text[: width - 1] + "…"


def _coloured(mark: str) -> str:
    return f"[{COLOURS[mark]}]{mark}[/]" if mark in COLOURS else mark


def _drift_lines(plan: Plan) -> Iterator[str]:
    for node, drift in plan.drifts.items():
        if drift.status == "IN_SYNC":
            continue
        yield f"[yellow]≠[/] [bold]{node.stack}[/]  {node.region}  {said_of(drift)}"
        for each in drift.resources:
            yield f"    ≠ {escape(each.logical_id)}  {each.type}  {each.status.lower()}"
            for path, expected, actual in differences(each):
                yield f"        [dim]{escape(shortened(f'{path}: expected {expected}, is {actual}', WIDTH - 8))}[/]"
    if plan.drifts:
        in_sync = sum(drift.status == "IN_SYNC" for drift in plan.drifts.values())
        yield f"No drift in {in_sync} of {quantity(len(plan.drifts), 'deployed stack')}."


def said_of(drift: StackDrift) -> str:
    """A stack's drift in words."""
    words = {
        "DRIFTED": "drifted: changed outside CloudFormation",
        "NOT_CHECKED": "drift not checked",
        "UNKNOWN": "drift unknown",
    }
    return words.get(drift.status, drift.status) + (f": {drift.reason}" if drift.reason else "")


def differences(drift: ResourceDrift) -> Iterable[tuple[str, str, str]]:
    """Path, expected and actual value of each difference, short enough to read."""
    return [(each.path, _value(each.expected), _value(each.actual)) for each in drift.differences]


def plan_document(plan: Plan) -> dict[str, Any]:
    """A plan as JSON."""
    return {
        "project": plan.graph.project,
        "stage": plan.graph.stage,
        "ok": plan.ok,
        "steps": [_step_document(plan, step) for step in plan.steps],
        "no_longer_in_graph": [
            {"name": stack.name, "region": region, "id": stack.id}
            for region, stack in plan.left_over
        ],
        "drift": [_drift_document(node, drift) for node, drift in plan.drifts.items()],
    }


def _step_document(plan: Plan, step: Step) -> dict[str, Any]:
    changes = plan.changes.get(step.node)
    return {
        "stack": step.node.stack,
        "region": step.node.region,
        "action": step.decision.action.name.lower(),
        "reason": step.decision.reason,
        "pending": list(step.pending),
        "problem": plan.problems.get(step.node),
        "known_from": changes and str(changes.source),
        "resources": [_resource_document(each) for each in changes.resources] if changes else [],
    }


def _resource_document(change: ResourceChange) -> dict[str, Any]:
    return {
        "effect": str(change.effect),
        "logical_id": change.logical_id,
        "type": change.type,
        "interrupts_traffic": change.interrupts,
        "properties": [
            {"path": each.path, "before": each.before, "after": each.after}
            for each in change.properties
        ],
    }


def _drift_document(node: NodeId, drift: StackDrift) -> dict[str, Any]:
    return {
        "stack": node.stack,
        "region": node.region,
        "status": drift.status,
        "reason": drift.reason,
        "resources": [
            {
                "logical_id": each.logical_id,
                "type": each.type,
                "status": each.status,
                "differences": [
                    {"path": one.path, "expected": one.expected, "actual": one.actual}
                    for one in each.differences
                ],
            }
            for each in drift.resources
        ],
    }
