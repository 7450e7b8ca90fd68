"""deploytool check: resolve the domain, call it, say which region served. Changes nothing."""

from argparse import Namespace

from rich.markup import escape

from deploytool.commands._common import opened
from deploytool.core.service.findings import problems
from deploytool.render.check import check_document, check_lines, check_markdown
from deploytool.render.github import add_to_step_summary
from deploytool.services import deployed_service
from deploytool.work.check import check


def run(args: Namespace) -> int:
    """0 when the primary serves and everything answers; 1 when something is wrong."""
    with opened(args) as found:
        service = deployed_service(found.project, found.graph, found.target)
        findings = check(found.target.probes, service)
        wrong = problems(findings, service)
        found.terminal.document(check_document(findings, wrong, service))
        for line in check_lines(findings, service):
            found.terminal.say(line)
        for problem in wrong:
            found.terminal.say(f"[red]✗[/] {escape(problem)}")
        add_to_step_summary(check_markdown(findings, wrong, service), found.terminal)
        return 1 if wrong else 0
