"""deploytool status: show any unfinished drill first, who serves and why, then the stacks."""

from functools import partial

from deploytool.aws.limits import QUICK
from deploytool.commands._context import CommandContext, open_context
from deploytool.commands.arguments.base import StageArguments
from deploytool.commands.check import look
from deploytool.core.errors import ApiUnavailable
from deploytool.core.service.service import Service
from deploytool.render.status import status_document, status_lines
from deploytool.targets.service import configured_service, drill_records, standby_records
from deploytool.work.overview import OverviewPorts, overview


def run(arguments: StageArguments) -> int:
    """Print the state. Return 0 whatever it is, and 4 when a part is missing."""
    with open_context(arguments, limits=QUICK, looks_up=False) as context:
        terminal, graph = context.terminal, context.graph
        service = configured_service(context.project, graph)
        state = overview(_ports(context, service), graph, context.regions)

        terminal.document(status_document(graph, state, service))
        for line in status_lines(graph, state, service, terminal.out.width):
            terminal.say(line)
        return ApiUnavailable.exit_code if state.missing else 0


def _ports(context: CommandContext, service: Service) -> OverviewPorts:
    project, target, stage = context.project, context.target, context.graph.stage
    return OverviewPorts(
        executor=target.ports.executor,
        stacks=target.ports.stacks,
        records=standby_records(target, project, stage),
        drills=drill_records(target, project, stage),
        health_checks=target.health_checks,
        look=partial(look, context, service),
    )
