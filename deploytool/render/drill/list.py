"""The list of the drills in a directory of reports."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploytool.core.drill.checkers import Verdict
from deploytool.core.drill.summary import DrillSummary
from deploytool.render.marks import VERDICTS
from deploytool.render.text import escape


@dataclass(frozen=True)
class Listed:
    """The folder of a drill. `summary` is None when it cannot be read, and `problem` says why."""

    folder: Path
    summary: DrillSummary | None
    problem: str = ""


def drill_list_document(drills: Sequence[Listed]) -> dict[str, Any]:
    """Return the list as a document for programs."""
    entries: list[dict[str, Any]] = []
    for drill in drills:
        entry: dict[str, Any] = {"folder": str(drill.folder)}
        if drill.summary is None:
            entry["problem"] = drill.problem
        else:
            entry |= asdict(drill.summary)
        entries.append(entry)
    return {"drills": entries}


def drill_list_lines(drills: Sequence[Listed], reports: Path) -> Iterator[str]:
    """Yield two lines for each drill, with rich's markup."""
    if not drills:
        yield f"No drill has left a folder in {escape(str(reports))}."
    for drill in drills:
        folder = escape(str(drill.folder))
        if drill.summary is None:
            yield f"[red]unreadable[/] {folder}"
            yield f"  {escape(drill.problem)}"
            continue
        yield _headline(drill.summary) + f"  {folder}"
        yield f"  {escape(drill.summary.reason)}"


def overdue_line(last: DrillSummary | None) -> str:
    """Return the line that says that a drill is overdue; `last` is the last one that passed."""
    if last is None:
        return "[red]overdue[/]: no drill has passed here; run one with deploytool drill"
    when = escape(last.started.replace("T", " ")[:16])
    return f"[red]overdue[/]: the last drill that passed began {when} UTC; run one with deploytool drill"


def _headline(summary: DrillSummary) -> str:
    began = escape(summary.started.replace("T", " ")[:19])
    whose = summary.stage or summary.domain
    about = escape(f"{whose} {summary.fault} ({summary.target})")
    text = f"{_verdict(summary.verdict)} {began} UTC  {about}"
    return text if summary.restored else f"{text}  [red]NOT restored[/]"


def _verdict(verdict: str) -> str:
    """Return the mark and the word of a verdict. A report of a later version may have another."""
    if verdict not in set(Verdict):
        return escape(verdict)
    return f"{VERDICTS[Verdict(verdict)].markup} {verdict:12}"
