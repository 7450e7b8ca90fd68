"""deploytool report: judge a drill's history again, write its reports, compare it with another.

Calls no AWS API.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from deploytool.commands._context import terminal_of
from deploytool.commands.arguments.drill import ReportArguments
from deploytool.core.drill.checkers import Verdict
from deploytool.core.drill.history import DrillStarted, parse_history
from deploytool.core.drill.judge import Judgement, judge
from deploytool.core.errors import InputError, InputProblem
from deploytool.files.history import HISTORY, prepare_reports, write_whole
from deploytool.files.text import MOST_HISTORY_BYTES, read_text
from deploytool.render.drill.result import drill_document, drill_lines
from deploytool.render.github import add_to_step_summary
from deploytool.render.report.comparison import comparison_document, comparison_lines
from deploytool.render.report.junit import junit_xml
from deploytool.render.report.markdown import markdown
from deploytool.render.terminal import Terminal


def run(arguments: ReportArguments) -> int:
    """Return 0 when the verdict of the (first) history is pass, 1 otherwise."""
    terminal = terminal_of(arguments)
    second = judge_file(arguments.other) if arguments.other else None
    first = judge_file(arguments.history)
    directory = arguments.report_dir or _history_in(arguments.history).parent
    prepare_reports(directory)
    if second is None:
        return finish(terminal, first, directory)

    _write_reports(first, directory, terminal)
    terminal.document(comparison_document(first, second))
    for line in comparison_lines(first, second):
        terminal.say(line)
    return _exit_code(first)


def finish(terminal: Terminal, judgement: Judgement, directory: Path) -> int:
    """Print the result of a drill, write its reports, and return the exit code.

    Raises DeploytoolError when the reports cannot be written. The result is printed by then.
    """
    terminal.document(drill_document(judgement))
    for line in drill_lines(judgement):
        terminal.say(line)
    _write_reports(judgement, directory, terminal)
    terminal.say(
        f"[dim]Report: {directory / 'drill.html'} (also drill.json, drill.md, junit.xml)[/]"
    )
    return _exit_code(judgement)


def judge_file(history: Path) -> Judgement:
    """Judge the history in a file, or in the folder of a drill.

    Raises InputError when there is no history.
    """
    file = _history_in(history)
    lines = read_text(
        file, "name the folder of a drill, or its history.jsonl", MOST_HISTORY_BYTES
    ).splitlines()
    return judge_lines(lines, file)


def judge_lines(lines: Sequence[str], file: Path) -> Judgement:
    """Judge the lines of a history. Raises InputError that names the file and the line."""
    events = parse_history(lines, str(file))
    if not events or not isinstance(events[0], DrillStarted):
        message = "is not drill_started: it is not the history of a drill, or its begin is lost"
        raise InputError([InputProblem(str(file), "line 1", message)])
    return judge(events)


def _history_in(path: Path) -> Path:
    return path / HISTORY if path.is_dir() else path


def _write_reports(judgement: Judgement, directory: Path, terminal: Terminal) -> None:
    # Imports jinja2, which a command that fails before this does not need
    from deploytool.render.report.page import page  # noqa: PLC0415

    summary = markdown(judgement)
    reports = {
        "drill.json": json.dumps(drill_document(judgement), indent=2) + "\n",
        "junit.xml": junit_xml(judgement),
        "drill.md": summary,
        "drill.html": page(judgement),
    }
    add_to_step_summary(summary, terminal)
    for name, content in reports.items():
        write_whole(directory / name, content)


def _exit_code(judgement: Judgement) -> int:
    return 0 if judgement.verdict is Verdict.PASS else 1
