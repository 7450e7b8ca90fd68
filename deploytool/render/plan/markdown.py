"""A plan as Markdown for a comment on a pull request, within GitHub's limit of its length."""

from collections.abc import Iterator

from deploytool.core.stacks.changes import ResourceChange, Source
from deploytool.render.markdown import code, table, text
from deploytool.render.marks import EFFECTS
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
from deploytool.render.text import quantity
from deploytool.work.stacks.preview import Plan

LIMIT = 65_000  # bytes; GitHub allows 65,536 characters in a comment
MOST_INTERRUPTIONS = 20
MOST_DIFFERENCES = 100


def plan_markdown(plan: Plan) -> str:
    """Return the plan: a line for each stack, with its resources folded below it.

    When it is longer than the limit, it leaves out the resources of the last stacks and says so.
    When even that is too long, only the head is left.
    """
    plan_groups = groups(plan)
    # What comes after the stacks is never left out
    rest = [*_left_over(plan), *_drift(plan)]
    summaries = [f"- {_summary(group)}\n" for group in plan_groups]
    details = ["\n".join(_details(group)) for group in plan_groups]

    # Each step leaves out the details of one stack more
    for detailed in range(len(plan_groups), -1, -1):
        omitted = len(plan_groups) - detailed
        lines = [*_head(plan), *details[:detailed], *summaries[detailed:]]
        if omitted:
            stacks = quantity(omitted, "stack")
            lines.append(f"\n_The resources of {stacks} are left out, to fit into a comment._\n")
        document = _document([*lines, *rest])
        if len(document.encode()) <= LIMIT:
            return document
    return _document(_head(plan))


def _document(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _head(plan: Plan) -> list[str]:
    project = plan.graph.project
    stage = plan.graph.stage
    lines = [
        # A workflow finds its own comment by this line
        f"<!-- deploytool plan {project} {stage} -->",
        f"### Plan for {project}, stage {stage}\n",
        f"{counts_line(plan)}\n",
    ]

    lines.extend(f"{text(line)}\n" for line in outage_lines(plan))
    noticed = interruptions(plan)
    if noticed:
        lines.append("> [!WARNING]")
        lines.append(
            "> Clients may notice these changes: resources that serve traffic are, or may be,"
            " replaced or deleted."
        )
        for node, change in noticed[:MOST_INTERRUPTIONS]:
            lines.append(f"> - {node}: {change.effect} {code(change.logical_id)} ({change.type})")
        if len(noticed) > MOST_INTERRUPTIONS:
            lines.append(f"> - and {len(noticed) - MOST_INTERRUPTIONS} more")
        lines.append("")
    return lines


def _summary(group: Group) -> str:
    mark = f"<code>{group.mark.symbol}</code>"
    return f"{mark} <b>{group.stack}</b> ({group.region_names}): {text(group.summary)}"


def _details(group: Group) -> Iterator[str]:
    """Yield a group with its resources folded below it, where there is something to fold."""
    if not group.changes and not group.problem:
        yield f"- {_summary(group)}\n"
        return

    yield f"<details><summary>{_summary(group)}</summary>\n"
    if group.problem:
        yield f"{text(group.problem)}\n"
    if group.changes:
        if group.changes.source is Source.ESTIMATE:
            yield f"_{text(group.estimate_reason)}_\n"
        if group.changes.resources:
            rows = (_row(change) for change in group.changes.resources)
            yield from table(("", "resource", "type", "what"), rows)
        else:
            yield "No resource changes.\n"
    yield "</details>\n"


def _row(change: ResourceChange) -> tuple[str, ...]:
    effect = str(change.effect)
    if change.interrupts:
        effect = f"**{effect}, serves traffic**"
    parts = [effect]
    for property_change in change.properties:
        if has_values(property_change):
            parts.append(code(value_change(property_change)))
        else:
            parts.append(code(property_change.path))

    mark = code(EFFECTS[change.effect].symbol)
    return mark, code(change.logical_id), change.type, "<br>".join(parts)


def _left_over(plan: Plan) -> Iterator[str]:
    if plan.not_in_graph:
        yield ""
    for region, stack in plan.not_in_graph:
        yield f"- {code(stack.name)} ({region}): {NO_LONGER_IN_GRAPH}"


def _drift(plan: Plan) -> Iterator[str]:
    if not plan.drifts:
        return
    yield f"\n#### Drift\n\n{drift_count(plan)}\n"
    for node, drift in drifted_stacks(plan).items():
        yield f"- **{node}**: {text(drift_summary(drift))}"

    rows = list(_drift_rows(plan))
    if rows:
        yield ""
        columns = ("stack", "resource", "property", "expected", "actual")
        yield from table(columns, rows[:MOST_DIFFERENCES])
    for sentence in unchecked_summary(plan):
        yield f"\n{sentence}"
    types = [f"{code(type_)} {count}" for type_, count in unchecked_types(plan)]
    if types:
        yield f"\n{', '.join(types)}"


def _drift_rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    for node, drift in drifted_stacks(plan).items():
        for resource in drift.resources:
            name = code(resource.logical_id)
            # A deleted resource has no differences: the resource itself is what differs
            shown = differences(resource) or [("", "there", resource.status.lower())]
            for path, expected, actual in shown:
                yield str(node), name, code(path), code(expected), code(actual)
