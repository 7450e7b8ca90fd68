"""deploytool outputs: print the outputs of a stage's stacks."""

from functools import partial

from deploytool.aws.limits import QUICK
from deploytool.commands._context import CommandContext, open_context
from deploytool.commands._serving import with_findings
from deploytool.commands.arguments.base import StageArguments
from deploytool.core.errors import ApiUnavailable, DeploytoolError
from deploytool.render.check import serving_line
from deploytool.render.status import outputs_document, outputs_notes
from deploytool.targets.service import configured_service, standby_records
from deploytool.work.overview import KnownOutputs, known_outputs


def run(arguments: StageArguments) -> int:
    """Print the outputs and return 0, or 4 when an API did not answer.

    Raises DeploytoolError when nothing is deployed.
    """
    with open_context(arguments, limits=QUICK, looks_up=False) as context:
        graph, terminal = context.graph, context.terminal
        known, findings = with_findings(
            context, partial(_known_outputs, context), lambda known: not known.missing
        )
        if not known.outputs and not known.missing:
            raise DeploytoolError(
                f"stage {graph.stage} is not deployed",
                hint=f"deploytool deploy --stage {graph.stage}",
            )

        document = outputs_document(known)
        terminal.document(document)
        for stack, by_region in document.items():
            for region, outputs in by_region.items():
                for name, value in outputs.items():
                    terminal.say(f"[bold]{stack}[/]@{region}.{name} = {value}")
        # Not on standard output: a script reads the outputs there
        if findings is not None:
            service = configured_service(context.project, graph)
            terminal.note(serving_line(findings, service))
        for line in outputs_notes(known):
            terminal.note(line)
        return ApiUnavailable.exit_code if known.missing else 0


def _known_outputs(context: CommandContext) -> KnownOutputs:
    ports = context.target.ports
    records = standby_records(context.target, context.project, context.graph.stage)
    return known_outputs(ports.executor, ports.stacks, records, context.graph, context.regions)
