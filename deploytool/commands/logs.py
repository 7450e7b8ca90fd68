"""deploytool logs: print what a stage's functions log, of both regions in the order of time."""

from deploytool.aws.limits import QUICK
from deploytool.commands._context import CommandContext, open_context
from deploytool.commands._logs import read_logs
from deploytool.commands.arguments.logs import LogsArguments
from deploytool.core.errors import ApiUnavailable, InputError
from deploytool.core.service.logs import LogEvent
from deploytool.net.clock import RealClock
from deploytool.render.logs import event_document, event_line
from deploytool.render.text import escape

POLL_SECONDS = 2.0
# Seconds by which a line may become readable after its time
LATE = 15.0


def run(arguments: LogsArguments) -> int:
    """Print the events; return 0, or 4 when the API of a region did not answer."""
    if arguments.follow and arguments.output == "json":
        raise InputError("--follow: has no end, and a JSON document needs one; leave one out")
    with open_context(arguments, limits=QUICK, looks_up=False) as context:
        since = context.target.unix_time() - arguments.since
        events, missing = read_logs(context, context.regions, since, arguments.text)
        context.terminal.document(
            {
                "events": [event_document(event) for event in events],
                "missing": [
                    {"region": gap.region, "reason": gap.reason} for gap in missing.values()
                ],
            }
        )
        for gap in missing.values():
            context.terminal.note(f"[yellow]![/] {escape(gap.reason)}")
        for event in events:
            context.terminal.say(event_line(event))
        if not events and not missing:
            context.terminal.note("No line was logged in this time.")
        if arguments.follow:
            _follow(context, events, arguments.text)
        return ApiUnavailable.exit_code if missing else 0


def _follow(context: CommandContext, shown: list[LogEvent], text: str) -> None:
    """Print new events until Ctrl-C."""
    seen = set(shown)
    clock = RealClock()
    try:
        while True:
            clock.sleep(POLL_SECONDS)
            since = context.target.unix_time() - LATE
            for event in read_logs(context, context.regions, since, text)[0]:
                if event not in seen:
                    seen.add(event)
                    context.terminal.say(event_line(event))
    except KeyboardInterrupt:
        return  # it is how one ends it
