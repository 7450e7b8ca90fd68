"""What `deploytool restore` undid."""

from collections.abc import Iterator
from typing import Any

from deploytool.render.status import missing_document
from deploytool.render.text import escape
from deploytool.work.drill.restore import Restored
from deploytool.work.drill.undo import in_words


def restored_document(result: Restored) -> dict[str, Any]:
    """Return the result as a document for programs."""
    return {
        "restored": bool(result.steps) and result.is_complete,
        "calls": [in_words(step) for step in result.steps],
        "drill": result.record and result.record.drill_id,
        "missing": missing_document(result.waiting),
        "errors": [str(error) for error in result.failures],
    }


def restored_lines(result: Restored, selector: str) -> Iterator[str]:
    """Yield the result as lines with rich's markup; `selector` are the options of a further run."""
    again = f"deploytool restore {escape(selector)}"
    record = result.record
    if record:
        yield f"Undoing drill {record.drill_id} ({record.fault}), started {record.started}:"
    for step in result.steps:
        yield f"  {escape(in_words(step))}"

    if result.waiting:
        for gap in result.waiting:
            yield f"[yellow]![/] waits for the API of {gap.region}: {escape(gap.what)}"
            yield f"  [dim]{escape(gap.reason)}[/]"
        yield f"Run it again when that API answers: {again}"
    for error in result.failures:
        yield f"[red]not done[/]: {escape(str(error))}"
        if error.hint:
            yield f"  {escape(error.hint)}"
    if result.failures:
        yield f"Run it again: {again}"
    if not result.is_complete:
        return
    # A drill that died before it wrote its record may have left an inverted health check
    if result.steps:
        yield "Restored and verified."
    else:
        yield "Nothing to restore: no drill has left anything."
