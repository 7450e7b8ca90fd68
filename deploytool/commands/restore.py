"""deploytool restore: undo what an interrupted drill left, from any machine, repeatably."""

from functools import partial

from deploytool.aws.limits import QUICK
from deploytool.commands._context import CommandContext, open_context
from deploytool.commands._pair import restore_pair
from deploytool.commands._restored import report_restored
from deploytool.commands._serving import with_findings
from deploytool.commands.arguments.restore import RestoreArguments
from deploytool.core.errors import InputError
from deploytool.core.failover.records import StandbyRecord
from deploytool.core.failover.standby import service_from
from deploytool.core.service.service import Service
from deploytool.render.check import serving_line
from deploytool.targets.service import (
    configured_service,
    drill_ports,
    reachable_service,
    standby_records,
)
from deploytool.work.drill.restore import Restored, restore


def run(arguments: RestoreArguments) -> int:
    """Return 0 when everything is as before the drill, whether or not that took any call.

    Return 4 when a step has to wait for an API that does not answer; the record then remains. Return
    the exit code of what failed, after what was done is reported.
    """
    if arguments.domain:
        return restore_pair(arguments)
    if arguments.zone_id:
        raise InputError("--zone-id: is for a pair, with --domain")
    with open_context(arguments, limits=QUICK, looks_up=False, changes=True) as context:
        result, findings = with_findings(
            context, partial(_restore, context), lambda result: result.is_complete
        )
        if findings is not None:
            service = configured_service(context.project, context.graph)
            context.terminal.note(serving_line(findings, service))

        return report_restored(context.terminal, result, f"--stage {context.graph.stage}")


def _restore(context: CommandContext) -> Restored:
    service = _service(context)
    return restore(drill_ports(context.target, context.project, service), service)


def _service(context: CommandContext) -> Service:
    """Return the service from the standby region's record, else from the stacks that answer."""
    records = standby_records(context.target, context.project, context.graph.stage)
    standby = records.read(StandbyRecord)
    if standby is not None:
        return service_from(standby)
    # An older version deployed the stage, and kept no record
    return reachable_service(context.project, context.graph, context.target)
