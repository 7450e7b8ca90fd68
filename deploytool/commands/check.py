"""deploytool check: resolve the domain, call it, and show which region serves. Changes nothing."""

from rich.markup import escape

from deploytool.commands._context import open_context
from deploytool.commands.arguments.base import StageArguments
from deploytool.core.service.findings import problems
from deploytool.render.check import check_document, check_lines, check_markdown
from deploytool.render.github import add_to_step_summary
from deploytool.targets.service import deployed_service
from deploytool.work.check import check


def run(arguments: StageArguments) -> int:
    """Return 0 when the primary serves and every part answers, 1 when something is wrong."""
    with open_context(arguments) as context:
        service = deployed_service(context.project, context.graph, context.target)
        findings = check(context.target.probes, service)
        wrong = problems(findings, service)

        context.terminal.document(check_document(findings, wrong, service))
        for line in check_lines(findings, service):
            context.terminal.say(line)
        for problem in wrong:
            context.terminal.say(f"[red]✗[/] {escape(problem)}")
        # Writes nothing outside GitHub Actions
        add_to_step_summary(check_markdown(findings, wrong, service), context.terminal)
        return 1 if wrong else 0
