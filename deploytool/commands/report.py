"""deploytool report: judge and render a drill's history again, without any cloud; compare it with another."""

import json
import os
from argparse import Namespace
from pathlib import Path

from deploytool.commands._common import terminal_of
from deploytool.core.drill.facts import Facts
from deploytool.core.drill.history import Event, parse_history
from deploytool.core.drill.judge import Judgement, Verdict, judge
from deploytool.project import read_text
from deploytool.render.drill import drill_document, drill_lines
from deploytool.render.report.comparison import compared, comparison_document, comparison_lines
from deploytool.render.report.junit import junit_xml
from deploytool.render.report.markdown import markdown
from deploytool.render.terminal import Terminal

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"  # GitHub Actions shows the Markdown in the file of this name on the run's page


def run(args: Namespace) -> int:
    """Judge the history; 0 when the verdict is pass, 1 otherwise. With another, the first one's verdict counts."""
    terminal = terminal_of(args)
    other = _read(args.other) if args.other else None
    args.report_dir.mkdir(parents=True, exist_ok=True)
    if other is None:
        return finish(terminal, args.history, args.report_dir)
    events = _read(args.history)
    first, second = judge(events), judge(other)
    _write(first, events, args.report_dir)
    rows = compared(first, second)
    terminal.document(comparison_document(drill_document(first), drill_document(second), rows))
    for line in comparison_lines(first, second, rows):
        terminal.say(line)
    return _exit_code(first)


def finish(terminal: Terminal, history: Path, directory: Path) -> int:
    """Judge a history, write its reports, say the result; the exit code."""
    events = _read(history)
    judgement = judge(events)
    _write(judgement, events, directory)
    terminal.document(drill_document(judgement))
    for line in drill_lines(judgement):
        terminal.say(line)
    terminal.say(f"[dim]{directory / 'drill.html'}, and drill.json, drill.md, junit.xml beside it[/]")
    return _exit_code(judgement)


def _read(history: Path) -> list[Event]:
    lines = read_text(history, "name the history.jsonl of a drill").splitlines()
    return parse_history(lines, str(history))


def _write(judgement: Judgement, events: list[Event], directory: Path) -> None:
    from deploytool.render.report.page import page  # noqa: PLC0415  # jinja2 and svg.py, which a failing command need not load

    text = markdown(judgement)
    for name, content in {
        "drill.json": json.dumps(drill_document(judgement), indent=2) + "\n",
        "junit.xml": junit_xml(judgement),
        "drill.md": text,
        "drill.html": page(judgement, Facts(events)),
    }.items():
        (directory / name).write_text(content, encoding="utf-8")
    if summary := os.environ.get(STEP_SUMMARY):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(text)


def _exit_code(judgement: Judgement) -> int:
    return 0 if judgement.verdict is Verdict.PASS else 1
