"""deploytool report: judge and render a drill's history again, without any cloud."""

import json
from argparse import Namespace
from pathlib import Path

from deploytool.commands._common import terminal_of
from deploytool.core.drill.history import parse_history
from deploytool.core.drill.judge import Verdict, judge
from deploytool.project import read_text
from deploytool.render.drill import drill_document, drill_lines
from deploytool.render.terminal import Terminal


def run(args: Namespace) -> int:
    """Judge the history; 0 when the verdict is pass, 1 otherwise."""
    args.report_dir.mkdir(parents=True, exist_ok=True)
    return finish(terminal_of(args), args.history, args.report_dir)


def finish(terminal: Terminal, history: Path, directory: Path) -> int:
    """Judge a history, write its drill.json, say the result; the exit code."""
    lines = read_text(history, "name the history.jsonl of a drill").splitlines()
    judgement = judge(parse_history(lines, str(history)))
    document = drill_document(judgement)
    path = directory / "drill.json"
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    terminal.document(document)
    for line in drill_lines(judgement):
        terminal.say(line)
    terminal.say(f"[dim]{path}[/]")
    return 0 if judgement.verdict is Verdict.PASS else 1
