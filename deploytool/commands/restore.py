"""deploytool restore: undo what an interrupted drill left, from any machine, repeatably."""

from functools import partial

from deploytool.aws.limits import QUICK
from deploytool.commands._context import CommandContext, open_context
from deploytool.commands._serving import with_findings
from deploytool.commands.arguments.base import StageArguments
from deploytool.core.errors import ApiUnavailable
from deploytool.core.failover.records import StandbyRecord
from deploytool.core.failover.standby import service_from
from deploytool.core.service.service import Service
from deploytool.render.check import serving_line
from deploytool.render.status import missing_document
from deploytool.render.terminal import Terminal
from deploytool.render.text import escape
from deploytool.targets.service import (
    configured_service,
    drill_ports,
    reachable_service,
    standby_records,
)
from deploytool.work.drill.restore import Restored, restore
from deploytool.work.drill.undo import in_words


def run(arguments: StageArguments) -> int:
    """Return 0 when everything is as before the drill, whether or not that took any call.

    Return 4 when a step has to wait for an API that does not answer; the record then remains. Return
    the exit code of what failed, after what was done is reported.
    """
    with open_context(arguments, limits=QUICK, looks_up=False, changes=True) as context:
        result, findings = with_findings(
            context, partial(_restore, context), lambda result: result.is_complete
        )
        if findings is not None:
            service = configured_service(context.project, context.graph)
            context.terminal.note(serving_line(findings, service))

        record = result.record
        context.terminal.document(
            {
                "restored": bool(result.steps) and result.is_complete,
                "calls": [in_words(step) for step in result.steps],
                "drill": record and record.drill_id,
                "missing": missing_document(result.waiting),
                "errors": [str(error) for error in result.failures],
            }
        )
        _print(context.terminal, result, context.graph.stage)
        if result.failures:
            return result.failures[0].exit_code
        return ApiUnavailable.exit_code if result.waiting else 0


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


def _print(terminal: Terminal, result: Restored, stage: str) -> None:
    record = result.record
    if record:
        terminal.say(f"Undoing drill {record.drill_id} ({record.fault}), started {record.started}:")
    for step in result.steps:
        terminal.say(f"  {escape(in_words(step))}")

    if result.waiting:
        for gap in result.waiting:
            terminal.say(f"[yellow]![/] waits for the API of {gap.region}: {escape(gap.what)}")
            terminal.say(f"  [dim]{escape(gap.reason)}[/]")
        terminal.say(f"Run it again when that API answers: deploytool restore --stage {stage}")
    for error in result.failures:
        terminal.say(f"[red]not done[/]: {escape(str(error))}")
        if error.hint:
            terminal.say(f"  {escape(error.hint)}")
    if result.failures:
        terminal.say(f"Run it again: deploytool restore --stage {stage}")
    if not result.is_complete:
        return
    # A drill that died before it wrote its record may have left an inverted health check
    if result.steps:
        terminal.say("Restored and verified.")
    else:
        terminal.say("Nothing to restore: no drill has left anything.")
