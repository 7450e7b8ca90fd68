"""deploytool plan: what a deployment would do, resource by resource. Leaves nothing behind."""

import sys
from argparse import Namespace
from pathlib import Path

from deploytool.commands._common import opened, regions_checked
from deploytool.core.errors import InputError
from deploytool.core.stacks.planfile import plan_basis, write_plan_file
from deploytool.render.github import add_to_step_summary
from deploytool.render.plan.document import plan_document
from deploytool.render.plan.markdown import plan_markdown
from deploytool.render.plan.text import plan_lines
from deploytool.work.stacks.preview import plan

STDOUT = "-"


def run(args: Namespace) -> int:
    """Print the plan; 0, or 1 when a stack is in a state, or an update in a shape, that a
    deployment would refuse.
    """
    _check(args)
    with opened(args) as found:
        made = plan(
            found.graph,
            found.target.planning,
            regions_checked(args, found.project),
            drift=args.drift,
        )
        document = plan_document(made)
        if args.out:
            _write(
                args.out,
                write_plan_file(
                    plan_basis(found.graph, found.target.name, made.deployed), document
                ),
            )
        markdown = plan_markdown(made)
        add_to_step_summary(markdown, found.terminal)
        if args.markdown == STDOUT:
            sys.stdout.write(markdown)
            return 0 if made.ok else 1
        if args.markdown:
            _write(Path(args.markdown), markdown)
        found.terminal.document(document)
        for line in plan_lines(made):
            found.terminal.say(line)
        return 0 if made.ok else 1


def _check(args: Namespace) -> None:
    """Raises InputError for what does not go together."""
    if args.out and args.region:
        raise InputError("--out: a plan file covers every region", hint="leave --region out")
    if args.markdown == STDOUT and args.output == "json":
        raise InputError(
            "--markdown -: standard output is the JSON document's",
            hint="name a file: --markdown plan.md",
        )


def _write(path: Path, text: str) -> None:
    """Raises InputError when the file cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
