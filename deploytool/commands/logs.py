"""deploytool logs: print what a stage's functions log, of both regions in the order of time."""

from functools import partial
from itertools import product

from deploytool.aws.limits import QUICK
from deploytool.aws.logs import CloudWatchLogs
from deploytool.commands._context import CommandContext, open_context
from deploytool.commands.arguments.logs import LogsArguments
from deploytool.core.errors import ApiUnavailable, InputError
from deploytool.core.service.logs import LogEvent, in_order
from deploytool.core.service.missing import Missing
from deploytool.net.clock import RealClock
from deploytool.render.logs import event_document, event_line
from deploytool.render.text import escape
from deploytool.work.tasks import for_each

POLL_SECONDS = 2.0
# Seconds by which a line may become readable after its time
LATE = 15.0

Found = tuple[list[LogEvent], dict[str, Missing]]


def run(arguments: LogsArguments) -> int:
    """Print the events; return 0, or 4 when the API of a region did not answer."""
    if arguments.follow and arguments.output == "json":
        raise InputError("--follow: has no end, and a JSON document needs one; leave one out")
    with open_context(arguments, limits=QUICK, looks_up=False) as context:
        since = context.target.unix_time() - arguments.since
        events, missing = _read(context, since, arguments.text)
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
    seen = {(event.group, event.region, event.id) for event in shown}
    clock = RealClock()
    try:
        while True:
            clock.sleep(POLL_SECONDS)
            since = context.target.unix_time() - LATE
            for event in _read(context, since, text)[0]:
                key = (event.group, event.region, event.id)
                if key not in seen:
                    seen.add(key)
                    context.terminal.say(event_line(event))
    except KeyboardInterrupt:
        return  # it is how one ends it


def _read(context: CommandContext, since: float, text: str) -> Found:
    """Return the events of the regions whose API answers, and those that do not."""
    logs = CloudWatchLogs(context.target.clients)
    executor = context.target.ports.executor
    project = context.project.config.project
    prefix = f"/aws/lambda/{project}-{context.graph.stage}-"
    groups = for_each(executor, partial(_groups, logs, prefix), context.regions)
    missing = {gap.region: gap for gap in groups.values() if isinstance(gap, Missing)}
    places = [
        place
        for region, names in groups.items()
        if not isinstance(names, Missing)
        for place in product([region], names)
    ]

    events: list[LogEvent] = []
    read = for_each(executor, partial(_events, logs, since, text), places)
    for found in read.values():
        if isinstance(found, Missing):
            missing[found.region] = found
        else:
            events += found
    return in_order(events), missing


def _groups(logs: CloudWatchLogs, prefix: str, region: str) -> tuple[str, ...] | Missing:
    try:
        return tuple(logs.groups(region, prefix))
    except ApiUnavailable as error:
        return Missing("the logs", region, str(error))


def _events(
    logs: CloudWatchLogs, since: float, text: str, place: tuple[str, str]
) -> list[LogEvent] | Missing:
    region, group = place
    try:
        return logs.events(region, group, since, text)
    except ApiUnavailable as error:
        return Missing("the logs", region, str(error))
