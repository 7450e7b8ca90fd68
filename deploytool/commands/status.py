"""deploytool status: show any unfinished drill first, then the deployed stacks."""

from collections.abc import Mapping

from deploytool.commands._context import CommandContext, open_context
from deploytool.commands.arguments.base import StageArguments
from deploytool.core.project.graph import NodeId, OutputRef
from deploytool.core.route53.health import HealthCheck
from deploytool.core.stacks.stack import Stack
from deploytool.render.status import status_document, status_lines
from deploytool.targets.service import drill_records
from deploytool.work.stacks.run import find_deployed


def run(arguments: StageArguments) -> int:
    """Print the state and return 0, whatever the state is."""
    with open_context(arguments) as context:
        graph = context.graph
        deployed = find_deployed(context.target.ports, graph)
        check = _health_check(context, deployed)
        record = drill_records(context.target, context.project, graph.stage).read()

        shown = {node: deployed.get(node) for node in graph.nodes if node.region in context.regions}
        context.terminal.document(status_document(graph, shown, check, record))
        for line in status_lines(graph, shown, check, record):
            context.terminal.say(line)
        return 0


def _health_check(context: CommandContext, deployed: Mapping[NodeId, Stack]) -> HealthCheck | None:
    """Return the stage's health check, None when it has none or its stack is not deployed."""
    health_check_id = context.graph.service.get("health_check")
    if isinstance(health_check_id, OutputRef):
        stack = deployed.get(health_check_id.node)
        health_check_id = stack.outputs.get(health_check_id.output) if stack else None
    if not health_check_id:
        return None
    return context.target.health_checks.get(health_check_id)
