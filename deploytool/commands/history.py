"""deploytool history: list the drills below a directory of reports. Calls no AWS API."""

from collections.abc import Iterator
from pathlib import Path

from deploytool.commands._context import terminal_of
from deploytool.commands.arguments.drill import HistoryArguments
from deploytool.commands.report import judge_file
from deploytool.core.drill.summary import (
    DrillSummary,
    is_overdue,
    last_pass,
    read_summary,
    summary_of,
)
from deploytool.core.errors import InputError
from deploytool.files.history import drill_folders
from deploytool.files.text import MOST_HISTORY_BYTES, read_text
from deploytool.net.clock import unix_time
from deploytool.render.drill.list import Listed, drill_list_document, drill_list_lines, overdue_line


def run(arguments: HistoryArguments) -> int:
    """Print the drills in the order in which they began; return 0, or 1 when one is overdue."""
    terminal = terminal_of(arguments)
    drills = list(_drills(arguments.report_dir, arguments.stage))
    document = drill_list_document(drills)
    overdue = False
    if arguments.max_age is not None:
        summaries = [drill.summary for drill in drills if drill.summary]
        overdue = is_overdue(summaries, unix_time(), arguments.max_age)
        document["overdue"] = overdue
    terminal.document(document)
    for line in drill_list_lines(drills, arguments.report_dir):
        terminal.say(line)
    if overdue:
        terminal.say(overdue_line(last_pass(summaries)))
    return 1 if overdue else 0


def _drills(reports: Path, stage: str | None) -> Iterator[Listed]:
    for folder in drill_folders(reports):
        listed = _read(folder)
        is_of_stage = stage is None or (listed.summary and listed.summary.stage == stage)
        if is_of_stage:
            yield listed


def _read(folder: Path) -> Listed:
    """Read a drill from its report, or judge its history: a killed drill has no report."""
    try:
        return Listed(folder, _from_report(folder) or summary_of(judge_file(folder)))
    except InputError as error:
        return Listed(folder, None, str(error))


def _from_report(folder: Path) -> DrillSummary | None:
    report = folder / "drill.json"
    if not report.is_file():
        return None
    return read_summary(
        read_text(report, "write it again with deploytool report", MOST_HISTORY_BYTES)
    )
