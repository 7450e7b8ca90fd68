"""deploytool restore: undo what an interrupted drill left, from any machine, repeatably."""

from deploytool.commands._context import open_context
from deploytool.commands.arguments.base import StageArguments
from deploytool.targets.service import deployed_service, drill_ports
from deploytool.work.drill.restore import restore
from deploytool.work.drill.undo import in_words


def run(arguments: StageArguments) -> int:
    """Return 0 when everything is as before the drill, whether or not that took any call."""
    with open_context(arguments) as context:
        terminal = context.terminal
        service = deployed_service(context.project, context.graph, context.target)
        ports = drill_ports(context.target, context.project, service)
        result = restore(ports, service)

        # A drill that died before it wrote its record may have left an inverted health check
        record = result.record
        calls = [in_words(step) for step in result.steps]
        terminal.document(
            {"restored": bool(calls), "calls": calls, "drill": record and record.drill_id}
        )
        if record:
            terminal.say(
                f"Undoing drill {record.drill_id} ({record.fault}), started {record.started}:"
            )
        for call in calls:
            terminal.say(f"  {call}")
        if calls:
            terminal.say("Restored and verified.")
        else:
            terminal.say("Nothing to restore: no drill has left anything.")
        return 0
