"""The summary of a run that GitHub Actions shows on the page of a workflow run."""

from collections.abc import Iterator

from deploytool.render.markdown import code, table, text
from deploytool.render.marks import STATES, State
from deploytool.render.run.gantt import gantt
from deploytool.render.run.run_state import Row, RunState


def summary(run_state: RunState, title: str) -> str:
    """Return the summary as Markdown, to be appended to what the step has written already."""
    return "\n".join(_lines(run_state, title)) + "\n"


def _lines(run_state: RunState, title: str) -> Iterator[str]:
    yield f"### {text(title)}\n"
    quiet = ", ".join(run_state.quiet_counts)
    for node, reason in run_state.left.items():
        yield f"> [!WARNING]\n> **{node}** left: {text(reason)}\n"
    if not run_state.shown:
        nothing = "Nothing was changed" if run_state.left else "Nothing to do"
        yield f"{nothing}: {quiet}.\n"
        return

    for row in run_state.in_state(State.FAILED):
        yield _failure(row)
    columns = ("", "stack", "region", "action", "seconds")
    yield from table(columns, (_cells(run_state, row) for row in run_state.shown))
    if quiet:
        yield f"{quiet}.\n"

    yield from _not_started(run_state)
    chart = gantt(run_state)
    if chart:
        yield "\n".join(["```mermaid", *chart, "```", ""])


def _failure(row: Row) -> str:
    """Return an alert, a form of quotation that GitHub draws in colour."""
    message = f"**{row.node}** failed: {text(row.note)}"
    if row.hint:
        message += f"<br>{text(row.hint)}"
    return f"> [!CAUTION]\n> {message}\n"


def _cells(run_state: RunState, row: Row) -> tuple[str, ...]:
    seconds = row.seconds(run_state.now)
    return (
        code(STATES[row.state].symbol),
        row.node.stack,
        row.node.region,
        row.activity,
        "" if seconds is None else f"{seconds:.1f}",
    )


def _not_started(run_state: RunState) -> Iterator[str]:
    rows = run_state.in_state(State.NOT_STARTED)
    if not rows:
        return
    yield "Not started:\n"
    for row in rows:
        needs = ", ".join(map(str, row.needs))
        if needs:
            yield f"- **{row.node}**, which needs {needs}"
        else:
            yield f"- **{row.node}**"
    yield ""
