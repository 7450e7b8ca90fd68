"""deploytool report: judge and render a drill's history again, without any cloud; compare it with
another.
"""

import json
from argparse import Namespace
from pathlib import Path

from deploytool.commands._common import terminal_of
from deploytool.core.drill.history import parse_history
from deploytool.core.drill.judge import Judgement, Verdict, judge
from deploytool.files.project import read_text
from deploytool.render.drill.result import drill_document, drill_lines
from deploytool.render.github import add_to_step_summary
from deploytool.render.report.comparison import comparison_document, comparison_lines
from deploytool.render.report.junit import junit_xml
from deploytool.render.report.markdown import markdown
from deploytool.render.terminal import Terminal


def run(args: Namespace) -> int:
    """Judge the history; 0 when the verdict is pass, 1 otherwise. With another, the first one's
    verdict counts.
    """
    terminal = terminal_of(args)
    second = _read(args.other) if args.other else None
    args.report_dir.mkdir(parents=True, exist_ok=True)
    if second is None:
        return finish(terminal, args.history, args.report_dir)
    first = _read(args.history)
    _write(first, args.report_dir, terminal)
    terminal.document(comparison_document(first, second))
    for line in comparison_lines(first, second):
        terminal.say(line)
    return _exit_code(first)


def finish(terminal: Terminal, history: Path, directory: Path) -> int:
    """Judge a history, write its reports, say the result; the exit code."""
    judgement = _read(history)
    _write(judgement, directory, terminal)
    terminal.document(drill_document(judgement))
    for line in drill_lines(judgement):
        terminal.say(line)
    terminal.say(
        f"[dim]{directory / 'drill.html'}, and drill.json, drill.md, junit.xml beside it[/]"
    )
    return _exit_code(judgement)


def _read(history: Path) -> Judgement:
    """Judge the history in a file."""
    lines = read_text(history, "name the history.jsonl of a drill").splitlines()
    return judge(parse_history(lines, str(history)))


def _write(judgement: Judgement, directory: Path, terminal: Terminal) -> None:
    from deploytool.render.report.page import page  # noqa: PLC0415  # only this needs jinja2

    text = markdown(judgement)
    for name, content in {
        "drill.json": json.dumps(drill_document(judgement), indent=2) + "\n",
        "junit.xml": junit_xml(judgement),
        "drill.md": text,
        "drill.html": page(judgement),
    }.items():
        (directory / name).write_text(content, encoding="utf-8")
    add_to_step_summary(text, terminal)


def _exit_code(judgement: Judgement) -> int:
    return 0 if judgement.verdict is Verdict.PASS else 1
