"""deploytool check: resolve the domain, call it, and show which region serves.

It changes nothing, and needs no API of AWS.
"""

from rich.markup import escape

from deploytool.aws.limits import QUICK
from deploytool.commands._context import CommandContext, open_context
from deploytool.commands._resolvers import tell_left_out
from deploytool.commands.arguments.base import StageArguments
from deploytool.core.service.findings import Findings, ZoneServers, has_no_address, problems
from deploytool.core.service.service import Service
from deploytool.render.check import check_document, check_lines, check_markdown
from deploytool.render.github import add_to_step_summary
from deploytool.targets.service import configured_service
from deploytool.work.check import check


def run(arguments: StageArguments) -> int:
    """Return 0 when the primary serves and every part answers, 1 when something is wrong."""
    with open_context(arguments, limits=QUICK, looks_up=False) as context:
        service = configured_service(context.project, context.graph)
        tell_left_out(context.terminal, context.target.quick_network)
        findings = look(context, service)
        wrong = problems(findings, service)
        hint = _hint(context) if has_no_address(findings) else ""

        document = check_document(findings, wrong, service)
        context.terminal.document(document | {"hint": hint})
        for line in check_lines(findings, service):
            context.terminal.say(line)
        for problem in wrong:
            context.terminal.say(f"[red]✗[/] {escape(problem)}")
        if hint:
            context.terminal.say(f"  {escape(hint)}")
        # Writes nothing outside GitHub Actions
        add_to_step_summary(check_markdown(findings, wrong, service), context.terminal)
        return 1 if wrong else 0


def look(context: CommandContext, service: Service) -> Findings:
    """Check a service once, within the short time limits."""
    target = context.target
    zone = ZoneServers()
    # The name servers of another provider may answer with a CNAME that only a resolver follows
    if "hosted_zone" in context.graph.service:
        zone = target.name_servers.find(service.domain)
    return check(target.quick_probes, target.ports.executor, service, zone)


def _hint(context: CommandContext) -> str:
    option = " --local" if context.target.name == "local" else ""
    stage = context.graph.stage
    return f"if stage {stage} is not deployed: deploytool deploy --stage {stage}{option}"
