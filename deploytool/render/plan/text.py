"""A plan as text for a terminal: by stack, and resource by resource."""

from collections.abc import Iterator

from deploytool.core.stacks.changes import Effect, ResourceChange, Source
from deploytool.render.marks import DRIFTED, EFFECTS
from deploytool.render.plan.groups import (
    NO_LONGER_IN_GRAPH,
    Group,
    counts_line,
    differences,
    drift_count,
    drift_summary,
    drifted_stacks,
    groups,
    has_values,
    interruptions,
    outage_lines,
    unchecked_summary,
    unchecked_types,
    value_change,
)
from deploytool.render.text import escape, shortened
from deploytool.work.stacks.preview import Plan

WIDTH = 100  # columns of a line
INDENT = " " * 8  # of a property, below its resource

# Columns of a resource's name and type: longer ones push the rest of their line to the right
MOST_NAME = 34
MOST_TYPE = 38


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield a plan as lines with rich's markup, grouped by stack.

    A line fits into 100 columns unless the names in it are long.
    """
    plan_groups = groups(plan)
    stack_width = max((len(group.stack) for group in plan_groups), default=0)
    for group in plan_groups:
        name = f"[bold]{group.stack:{stack_width}}[/]"
        yield f"{group.mark.markup} {name}  {group.region_names}  {escape(group.summary)}"
        yield from _details(group)

    for region, stack in plan.not_in_graph:
        yield f"  [bold]{escape(stack.name)}[/]  {region}  {NO_LONGER_IN_GRAPH}"
    yield from _drift_lines(plan)

    for line in outage_lines(plan):
        yield f"[yellow]{escape(line)}[/]"
    count = len(interruptions(plan))
    if count:
        warning = "Resources that serve traffic are, or may be, replaced or deleted"
        yield f"[red]! {warning}: {count}.[/]"
    yield counts_line(plan)


def _details(group: Group) -> Iterator[str]:
    """Yield the problem of a group and its changes."""
    if group.problem:
        yield f"    [red]! {escape(group.problem)}[/]"
    if group.changes is None:
        return
    if group.changes.source is Source.ESTIMATE:
        yield f"    [dim]{escape(group.estimate_reason)}[/]"

    resources = group.changes.resources
    if not resources:
        yield "    [dim]no resource changes[/]"
        return
    name_width = min(max(len(change.logical_id) for change in resources), MOST_NAME)
    type_width = min(max(len(change.type) for change in resources), MOST_TYPE)
    for change in resources:
        yield _resource_line(change, name_width, type_width)
        yield from _property_lines(change)


def _resource_line(change: ResourceChange, name_width: int, type_width: int) -> str:
    notes: list[str] = []
    # The mark alone says that a resource is created or updated
    if change.effect not in (Effect.CREATE, Effect.UPDATE):
        notes.append(change.effect)
    if change.interrupts:
        notes.append("SERVES TRAFFIC")

    mark = EFFECTS[change.effect]
    name = f"{change.logical_id:{name_width}}"
    description = f"{name}  {change.type:{type_width}}  {'  '.join(notes)}".rstrip()
    if change.interrupts:
        return f"[{mark.style}]    {mark.symbol} {escape(description)}[/]"
    return f"    {mark.markup} {escape(description)}"


def _property_lines(change: ResourceChange) -> Iterator[str]:
    """Yield a line with the properties whose values are unknown, and a line for each other."""
    paths = [change.path for change in change.properties if not has_values(change)]
    if paths:
        yield _indented(", ".join(paths))
    for property_change in change.properties:
        if has_values(property_change):
            yield _indented(value_change(property_change))


def _indented(text: str) -> str:
    return f"{INDENT}[dim]{escape(shortened(text, WIDTH - len(INDENT)))}[/]"


def _drift_lines(plan: Plan) -> Iterator[str]:
    for node, drift in drifted_stacks(plan).items():
        summary = escape(drift_summary(drift))
        yield f"{DRIFTED.markup} [bold]{node.stack}[/]  {node.region}  {summary}"
        for resource in drift.resources:
            name = escape(resource.logical_id)
            yield f"    {DRIFTED.symbol} {name}  {resource.type}  {resource.status.lower()}"
            for path, expected, actual in differences(resource):
                yield _indented(f"{path}: expected {expected}, is {actual}")
    if plan.drifts:
        yield drift_count(plan)
    yield from unchecked_summary(plan)
    for type_, count in unchecked_types(plan):
        yield f"    {escape(type_)}  {count}"
