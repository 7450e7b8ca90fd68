"""deploytool outputs: print the outputs of a stage's stacks."""

from deploytool.commands._context import open_context
from deploytool.commands.arguments.base import StageArguments
from deploytool.core.errors import DeploytoolError
from deploytool.render.status import outputs_document
from deploytool.work.stacks.run import find_deployed


def run(arguments: StageArguments) -> int:
    """Print the outputs and return 0. Raises DeploytoolError when nothing is deployed."""
    with open_context(arguments) as context:
        graph, terminal = context.graph, context.terminal
        deployed = {
            node: stack
            for node, stack in find_deployed(context.target.ports, graph).items()
            if node.region in context.regions
        }
        if not deployed:
            raise DeploytoolError(
                f"stage {graph.stage} is not deployed",
                hint=f"deploytool deploy --stage {graph.stage}",
            )

        document = outputs_document(graph, deployed)
        terminal.document(document)
        for stack, by_region in document.items():
            for region, outputs in by_region.items():
                for name, value in outputs.items():
                    terminal.say(f"[bold]{stack}[/]@{region}.{name} = {value}")
        return 0
