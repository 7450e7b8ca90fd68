"""A plan as Markdown for a pull request: a line a stack, its resources folded below, within
GitHub's limit of a comment.
"""

from bisect import bisect_right
from collections.abc import Iterator

from deploytool.core.stacks.changes import ResourceChange, Source
from deploytool.render.markdown import code, table, text
from deploytool.render.plan.text import (
    LEFT,
    MARKS,
    Group,
    counts_line,
    differences,
    groups,
    interruptions,
    quantity,
    said_of,
    value_change,
)
from deploytool.work.stacks.preview import Plan

LIMIT = 65_000  # bytes; GitHub takes 65,536 characters in a comment


def plan_markdown(plan: Plan) -> str:
    """The plan; the details of the last stacks are left out when it would be over the limit, and
    that is said.
    """
    found = groups(plan)

    def document(detailed: int) -> str:
        return "\n".join(_document(plan, found, detailed)) + "\n"

    fitting = (
        bisect_right(
            range(len(found) + 1), LIMIT, key=lambda detailed: len(document(detailed).encode())
        )
        - 1
    )
    return document(fitting) if fitting >= 0 else "\n".join(_head(plan)) + "\n"


def _document(plan: Plan, found: list[Group], detailed: int) -> Iterator[str]:
    yield from _head(plan)
    for index, group in enumerate(found):
        yield from (
            _details(group)
            if index < detailed and (group.changes or group.problem)
            else [f"- {_summary(group)}\n"]
        )
    if detailed < len(found):
        yield f"\n_Left out are the resources of {quantity(len(found) - detailed, 'stack')}: a comment may not be longer._\n"
    if plan.left_over:
        yield ""
        yield from (f"- {code(stack.name)} ({region}): {LEFT}" for region, stack in plan.left_over)
    yield from _drift(plan)


def _head(plan: Plan) -> Iterator[str]:
    """The marker in the first line lets a workflow find its comment again."""
    yield f"<!-- deploytool plan {plan.graph.project} {plan.graph.stage} -->"
    yield f"### Plan for {plan.graph.project}, stage {plan.graph.stage}\n"
    yield f"{counts_line(plan)}\n"
    noticed = interruptions(plan)
    if noticed:
        yield "> [!WARNING]"
        yield "> Clients may notice this: something that serves traffic is, or may be, replaced or deleted."
        for node, change in noticed[:20]:
            yield f"> - {node}: {change.effect} {code(change.logical_id)} ({change.type})"
        if len(noticed) > 20:
            yield f"> - and {len(noticed) - 20} more"
        yield ""


def _summary(group: Group) -> str:
    return f"<code>{group.mark}</code> <b>{group.stack}</b> ({group.where}): {text(group.said)}"


def _details(group: Group) -> Iterator[str]:
    yield f"<details><summary>{_summary(group)}</summary>\n"
    if group.problem:
        yield f"{text(group.problem)}\n"
    if group.changes and group.changes.source is Source.ESTIMATE:
        yield f"_{text(group.estimated)}_\n"
    if group.changes and group.changes.resources:
        yield from table(("", "resource", "type", "what"), map(_row, group.changes.resources))
    elif group.changes:
        yield "No resource changes.\n"
    yield "</details>\n"


def _row(change: ResourceChange) -> tuple[str, ...]:
    what = [f"**{change.effect}, serves traffic**" if change.interrupts else str(change.effect)]
    for each in change.properties:
        known = each.before is not None or each.after is not None
        what.append(code(value_change(each) if known else each.path))
    return code(MARKS[change.effect]), code(change.logical_id), change.type, "<br>".join(what)


def _drift(plan: Plan) -> Iterator[str]:
    if not plan.drifts:
        return
    drifted = {node: drift for node, drift in plan.drifts.items() if drift.status != "IN_SYNC"}
    none = len(plan.drifts) - len(drifted)
    yield f"\n#### Drift\n\nNo drift in {none} of {quantity(len(plan.drifts), 'deployed stack')}.\n"
    for node, drift in drifted.items():
        yield f"- **{node}**: {text(said_of(drift))}"
    rows = [
        (str(node), code(each.logical_id), code(path), code(expected), code(actual))
        for node, drift in drifted.items()
        for each in drift.resources
        for path, expected, actual in differences(each) or [("", "there", each.status.lower())]
    ]
    if rows:
        yield ""
        yield from table(("stack", "resource", "property", "expected", "actual"), rows[:100])
